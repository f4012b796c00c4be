/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables lie in RAM that the map calls reserved: the kernel maps and reads
 * them there and gives none of it away.
 */
#include "boot/e820.h"

#include <errno.h>
#include <inttypes.h>

static void add(struct e820_map *map, gpa_t base, gpa_t end,
		enum e820_type type)
{
	map->ranges[map->count++] = (struct e820_range){
		.base = base, .size_bytes = end - base, .type = type};
}

int boot_e820_build(const struct guest_memory *memory,
		    const struct boot_places *places, struct e820_map *ret_map,
		    struct err *err)
{
	struct e820_map map = {.count = 0};
	const struct memory_region *region = memory->regions;

	if (memory->region_count == 0 || region->base != 0 ||
	    region->size_bytes <= places->kernel_min)
		return err_say(err, ENOMEM,
			       "guest memory: %" PRIu64
			       " KiB: more than %" PRIu64 " KiB are needed",
			       guest_memory_size(memory) >> 10,
			       places->kernel_min >> 10);
	add(&map, 0, places->low_ram_end, E820_RAM);
	add(&map, places->low_ram_end, places->kernel_min, E820_RESERVED);
	add(&map, places->kernel_min, region->size_bytes, E820_RAM);
	for (unsigned i = 1; i < memory->region_count; i++)
		add(&map, region[i].base, region[i].base + region[i].size_bytes,
		    E820_RAM);
	*ret_map = map;
	return 0;
}
