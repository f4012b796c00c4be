/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader_fuzz - what the fuzz targets of both kernel loaders share: RAM, a file
 * with the fuzzer's bytes, and what must hold of a kernel that was accepted.
 */
#ifndef KILN_TESTS_FUZZ_LOADER_FUZZ_H
#define KILN_TESTS_FUZZ_LOADER_FUZZ_H

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot/initrd.h"
#include "boot/kernel.h"
#include "boot/pvh.h"
#include "boot/zero_page.h"

#define FUZZ_RAM_BYTES (UINT64_C(48) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct boot_places fuzz_places = {
	.zero_page = 0x7000,
	.setup_data = 0x21000,
	.pvh_start_info = 0x6000,
	.pvh_modlist = 0x6040,
	.pvh_memmap = 0x7000,
	.cmdline = 0x20000,
	.rsdp = 0xe0000,
	.low_ram_end = 0x9fc00,
	.kernel_min = 0x100000,
	.mapped_end = UINT64_C(1) << 30,
};

static inline void must(int holds)
{
	if (!holds)
		abort();
}

/* One file for all runs: making one costs more than the loader. */
static inline int fuzz_file(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

static inline const struct guest_memory *fuzz_ram(void)
{
	static const struct memory_range range = {0, FUZZ_RAM_BYTES};
	static struct guest_memory memory;

	if (memory.region_count == 0)
		must(guest_memory_create(FUZZ_RAM_BYTES, PAGES_SMALL, &range, 1,
					 &memory, NULL) == 0);
	return &memory;
}

/* What a start would do next has to work with an accepted kernel. */
static inline void fuzz_start(const struct guest_memory *memory,
			      const struct boot_kernel *kernel, int fd)
{
	struct boot_initrd initrd = {0};
	struct boot_cmdline line;
	struct err err = {0};

	must(kernel->start >= fuzz_places.kernel_min);
	must(kernel->start < kernel->end);
	must(kernel->end <= FUZZ_RAM_BYTES);
	must(kernel->entry >= kernel->start && kernel->entry < kernel->end);
	must(kernel->setup_header_len <= SETUP_HEADER_MAX);
	must(boot_cmdline_start(&line, "console=ttyS0", &err) == 0);
	if (boot_load_initrd(memory, fd, &fuzz_places, kernel, &initrd, &err) ==
	    0)
		must(initrd.start >= kernel->end ||
		     initrd.start + initrd.size_bytes <= kernel->start);
	if (kernel->protocol == BOOT_PVH)
		must(boot_pvh_write(memory, &fuzz_places, &initrd, &err) == 0);
	else
		(void)boot_zero_page_write(memory, &fuzz_places, kernel,
					   &initrd, &line, &err);
}

static inline void fuzz_load(const uint8_t *data, size_t size)
{
	const struct guest_memory *memory = fuzz_ram();
	int fd = fuzz_file(data, size);
	struct boot_kernel kernel;
	struct err err = {0};
	int r = boot_load_kernel(memory, fd, &fuzz_places, &kernel, &err);

	if (r == 0)
		fuzz_start(memory, &kernel, fd);
	else
		must(r == err.code && err.msg[0] != '\0');
}

#endif
