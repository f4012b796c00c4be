/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf - a kernel as an ELF file: Linux' vmlinux, other systems, bare programs.
 */
#ifndef KILN_BOOT_ELF_H
#define KILN_BOOT_ELF_H

#include "boot/image.h"
#include "boot/kernel.h"

#define ELF_PHDRS_MAX      64
#define ELF_NOTE_BYTES_MAX 65536

/*
 * boot_elf_load - as boot_load_kernel, for an image that starts with "\177ELF".
 *
 * Segments go to their physical addresses (p_paddr: where Linux expects itself
 * before it has page tables of its own). They must lie in one range of RAM at or
 * above kernel_min, apart from each other; the entry must be a byte that came
 * from the file.
 */
int boot_elf_load(const struct guest_memory *memory,
		  const struct boot_image *image,
		  const struct boot_places *places,
		  struct boot_kernel *ret_kernel, struct err *err);

#endif
