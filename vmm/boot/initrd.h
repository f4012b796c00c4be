/* SPDX-License-Identifier: Apache-2.0 */
/*
 * initrd - the initial file system, as high as the kernel can take it.
 */
#ifndef KILN_BOOT_INITRD_H
#define KILN_BOOT_INITRD_H

#include "boot/kernel.h"

struct boot_initrd {
	gpa_t start;
	uint64_t size_bytes; /* 0: none */
};

/*
 * boot_load_initrd - read the file at fd to the end of the first range of RAM,
 * on a page boundary, below what the kernel's header allows and clear of the
 * kernel. Content is the guest's affair and not looked at.
 *
 * Return: 0; -EINVAL no regular file; -ENOEXEC empty; -ENOMEM no room, err has
 * both sizes; -errno of reading. err names it "initrd".
 */
int boot_load_initrd(const struct guest_memory *memory, int fd,
		     const struct boot_places *places,
		     const struct boot_kernel *kernel,
		     struct boot_initrd *ret_initrd, struct err *err);

#endif
