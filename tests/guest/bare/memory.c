/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every range of RAM answers at both ends and nowhere twice; where no RAM is,
 * reads give zero and writes go nowhere.
 */
#include "cpu.h"

#define RANGES_MAX 8
#define RAM        1

struct memmap {
	uint64_t base, size;
	uint32_t type, reserved;
};

static uint64_t places[2 * RANGES_MAX];
static unsigned place_count;

static void add_place(uint64_t at)
{
	map(at);
	if (place_count < ARRAY_LEN(places))
		places[place_count++] = at;
}

static uint64_t ram_end;

static void find_places(void)
{
	const struct memmap *ranges = (const void *)read64(first_info + 40);
	uint32_t count = read32(first_info + 48);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t end = ranges[i].base + ranges[i].size;

		if (ranges[i].type != RAM || ranges[i].base < 0x100000)
			continue;
		/* The program itself is at 1 MiB. */
		add_place(ranges[i].base == 0x100000 ? 0xf00000
						     : ranges[i].base);
		add_place(end - 8);
		ram_end = end;
		say("say ram %x %x", ranges[i].base, end);
	}
}

static void check_ram(void)
{
	bool holds = true;

	for (unsigned i = 0; i < place_count; i++)
		holds = holds && read64(places[i]) == 0;
	check("fresh", holds);
	for (unsigned i = 0; i < place_count; i++)
		write64(places[i], UINT64_C(0x1234567800000000) + i);
	holds = true;
	for (unsigned i = 0; i < place_count; i++)
		holds = holds &&
			read64(places[i]) == UINT64_C(0x1234567800000000) + i;
	check("distinct", holds && place_count >= 2);
}

static void check_hole(const char *name, uint64_t at)
{
	map(at);
	write64(at, 0xa5a5a5a5a5a5a5a5);
	check_eq(name, read64(at), 0);
}

void bare_main(void)
{
	interrupts_init();
	find_places();
	check_ram();
	/* Beside the devices: no device has these. */
	check_hole("hole-gap", 0xd0000000);
	check_hole("hole-below-ioapic", 0xfebffff8);
	check_hole("hole-end-of-gap", 0xfffffff8);
	check_hole("hole-after-ram", ram_end);
	check_hole("hole-far", UINT64_C(0x7000000000));
	/* Half of it RAM. */
	write64(ram_end - 4, 0x1122334455667788);
	check_eq("straddle", read64(ram_end - 4), 0x55667788);
}
