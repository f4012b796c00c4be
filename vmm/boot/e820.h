/* SPDX-License-Identifier: Apache-2.0 */
/*
 * e820 - the map of RAM as x86 kernels want it, from the guest's memory.
 */
#ifndef KILN_BOOT_E820_H
#define KILN_BOOT_E820_H

#include "base/err.h"
#include "boot/places.h"
#include "core/memory.h"

/* Low RAM, the tables, and what is above 1 MiB. */
#define E820_MAX (2 + MEMORY_REGIONS_MAX)

/* ACPI 6.5 §15, table 15.1; PVH uses the same numbers. */
enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
};

struct e820_range {
	gpa_t base;
	uint64_t size_bytes;
	enum e820_type type;
};

struct e820_map {
	struct e820_range ranges[E820_MAX];
	unsigned count;
};

/*
 * boot_e820_build - RAM [0, low_ram_end), reserved [low_ram_end, kernel_min),
 * RAM from kernel_min and in every further range.
 * Return: 0; -ENOMEM when the first range does not reach past kernel_min.
 */
int boot_e820_build(const struct guest_memory *memory,
		    const struct boot_places *places, struct e820_map *ret_map,
		    struct err *err);

#endif
