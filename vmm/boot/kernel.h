/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel - a kernel image from a file into guest RAM, its kind found out by
 * content: an ELF file with a PVH note, another ELF file (64-bit Linux boot
 * protocol), or a bzImage.
 */
#ifndef KILN_BOOT_KERNEL_H
#define KILN_BOOT_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "boot/places.h"
#include "core/memory.h"

/* The setup header lies at the same offset in a bzImage and in the zero page
 * (Linux Documentation/x86/zero-page.rst); there, 0x290 belongs to others. */
#define SETUP_HEADER_START 0x1f1
#define SETUP_HEADER_LIMIT 0x290
#define SETUP_HEADER_MAX   (SETUP_HEADER_LIMIT - SETUP_HEADER_START)

enum boot_protocol {
	BOOT_PVH,     /* 32-bit protected mode, rbx = start_info */
	BOOT_LINUX64, /* 64-bit long mode, rsi = zero page */
};

struct boot_kernel {
	enum boot_protocol protocol;
	gpa_t entry;
	gpa_t start; /* lowest address the kernel occupies */
	gpa_t end;   /* first address it leaves free before it reads e820 */
	uint64_t initrd_end_max; /* the initrd ends here at the latest */
	uint8_t setup_header[SETUP_HEADER_MAX]; /* of a bzImage */
	size_t setup_header_len;                /* 0: an ELF file has none */
};

/*
 * boot_load_kernel - check the image at fd whole, then read it into RAM.
 *
 * fd: any regular file, open for reading; its offset is neither used nor moved.
 * RAM must be fresh, that is zero: .bss and the gaps are not cleared again.
 * Return: 0; -EINVAL no regular file; -ENOEXEC not a kernel that can start here
 * (err says what was found); -ENOMEM it does not fit RAM; -errno of reading.
 * On an error RAM may hold a part of the image. err names it "kernel".
 */
int boot_load_kernel(const struct guest_memory *memory, int fd,
		     const struct boot_places *places,
		     struct boot_kernel *ret_kernel, struct err *err);

#endif
