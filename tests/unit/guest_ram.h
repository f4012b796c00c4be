/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_ram - guest memory, files in memory and the board's places, for tests of
 * what is put into RAM before a machine starts.
 */
#ifndef KILN_TESTS_UNIT_GUEST_RAM_H
#define KILN_TESTS_UNIT_GUEST_RAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot/places.h"
#include "core/memory.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static const struct boot_places test_places = {
	.zero_page = 0x7000,
	.setup_data = 0x21000,
	.pvh_start_info = 0x6000,
	.pvh_modlist = 0x6040,
	.pvh_memmap = 0x7000,
	.cmdline = 0x20000,
	.rsdp = 0xe0000,
	.low_ram_end = 0x9fc00,
	.kernel_min = 0x100000,
	.mapped_end = GIB,
};

static inline struct guest_memory ram_create(uint64_t size_bytes)
{
	static const struct memory_range ranges[] = {{0, 3 * GIB},
						     {4 * GIB, 256 * GIB}};
	struct guest_memory memory;

	assert_int_equal(guest_memory_create(size_bytes, PAGES_SMALL, ranges, 2,
					     &memory, NULL),
			 0);
	return memory;
}

static inline int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

static inline void ram_read(const struct guest_memory *memory, gpa_t gpa,
			    void *out, size_t len)
{
	assert_int_equal(guest_read(memory, gpa, out, len), 0);
}

/* The message is the contract with the user: it must say this part. */
static inline void assert_says(const struct err *err, const char *part)
{
	if (strstr(err->msg, part) == NULL)
		fail_msg("wanted \"%s\" in \"%s\"", part, err->msg);
}

#endif
