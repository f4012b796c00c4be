/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmdline - the kernel's command line: what the description says, then what the
 * VMM knows better. Linux hands words after " -- " to init, so additions go
 * before them.
 */
#ifndef KILN_BOOT_CMDLINE_H
#define KILN_BOOT_CMDLINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/memory.h"
#include "launch/machine.h"

struct boot_cmdline {
	char text[MACHINE_CMDLINE_MAX]; /* NUL-terminated */
	size_t len;
	size_t additions_at; /* == len unless there are words for init */
};

/*
 * boot_cmdline_start - begin with given, as it is.
 * boot_cmdline_add_pci_off - "pci=off", unless the line has it.
 * boot_cmdline_add_root - "root=/dev/vda ro" or "root=PARTUUID=... rw", unless
 *	the line has a root=; drive: the root drive, the first disk.
 * boot_cmdline_add_virtio - "virtio_mmio.device=4K@0xc0001000:5": for kernels
 *	that do not read ACPI. size_bytes: a multiple of 1 KiB.
 *
 * Each returns 0, or -E2BIG with the word that did not fit in err; the line is
 * then unchanged.
 */
int boot_cmdline_start(struct boot_cmdline *line, const char *given,
		       struct err *err);
int boot_cmdline_add_pci_off(struct boot_cmdline *line, struct err *err);
int boot_cmdline_add_root(struct boot_cmdline *line,
			  const struct machine_drive *drive, struct err *err);
int boot_cmdline_add_virtio(struct boot_cmdline *line, gpa_t base,
			    uint64_t size_bytes, uint32_t gsi, struct err *err);

/* boot_cmdline_write - with its NUL to gpa. Return: 0 or -EFAULT. */
int boot_cmdline_write(const struct boot_cmdline *line,
		       const struct guest_memory *memory, gpa_t gpa,
		       struct err *err);

#endif
