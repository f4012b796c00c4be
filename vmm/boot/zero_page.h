/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zero_page - struct boot_params of the 64-bit Linux boot protocol, and a random
 * seed for the guest beside it.
 */
#ifndef KILN_BOOT_ZERO_PAGE_H
#define KILN_BOOT_ZERO_PAGE_H

#include "boot/cmdline.h"
#include "boot/initrd.h"
#include "boot/kernel.h"

/*
 * boot_zero_page_write - fill places->zero_page and places->setup_data; the
 * command line is only pointed to.
 * Return: 0; -E2BIG the line is longer than this kernel takes; -ENOMEM no RAM
 * where it is needed; -errno of getrandom.
 */
int boot_zero_page_write(const struct guest_memory *memory,
			 const struct boot_places *places,
			 const struct boot_kernel *kernel,
			 const struct boot_initrd *initrd,
			 const struct boot_cmdline *cmdline, struct err *err);

#endif
