/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage - a kernel as distributions ship it: a real-mode part that is not run
 * here, then a 64-bit program that unpacks the kernel.
 */
#ifndef KILN_BOOT_BZIMAGE_H
#define KILN_BOOT_BZIMAGE_H

#include "boot/image.h"
#include "boot/kernel.h"

#define BZIMAGE_MAGIC_OFFSET 0x202 /* "HdrS" */

/*
 * boot_bzimage_load - as boot_load_kernel, for an image with "HdrS".
 *
 * Boot protocol 2.12 or later and the 64-bit entry point are needed. The program
 * goes to the address it prefers or, when that is not to be had and it can be
 * moved, to the lowest one that suits it.
 */
int boot_bzimage_load(const struct guest_memory *memory,
		      const struct boot_image *image,
		      const struct boot_places *places,
		      struct boot_kernel *ret_kernel, struct err *err);

#endif
