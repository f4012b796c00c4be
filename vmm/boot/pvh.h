/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvh - what a kernel finds that is entered by the PVH protocol.
 */
#ifndef KILN_BOOT_PVH_H
#define KILN_BOOT_PVH_H

#include "boot/initrd.h"
#include "boot/places.h"

/*
 * boot_pvh_write - start_info (version 1), the module list (the initrd, if
 * any) and the memory map; the command line is only pointed to.
 * Return: 0; -ENOMEM no RAM where it is needed.
 */
int boot_pvh_write(const struct guest_memory *memory,
		   const struct boot_places *places,
		   const struct boot_initrd *initrd, struct err *err);

#endif
