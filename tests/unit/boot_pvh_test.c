/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <errno.h>

#include "boot/pvh.h"

/* As Xen public/arch-x86/hvm/start_info.h draws them. */
struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct module {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};

struct memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "layout");

static const struct boot_initrd no_initrd = {0};

static void start_info_points_to_everything(void **state)
{
	struct guest_memory memory = ram_create(64 * MIB);
	struct boot_initrd initrd = {.start = 0x3f00000, .size_bytes = 12345};
	struct start_info info;
	struct module module;
	struct err err;

	(void)state;
	assert_int_equal(boot_pvh_write(&memory, &test_places, &initrd, &err),
			 0);
	ram_read(&memory, 0x6000, &info, sizeof(info));
	assert_int_equal(info.magic, 0x336ec578);
	assert_int_equal(info.version, 1);
	assert_int_equal(info.flags, 0);
	assert_int_equal(info.nr_modules, 1);
	assert_int_equal(info.modlist_paddr, 0x6040);
	assert_int_equal(info.cmdline_paddr, 0x20000);
	assert_int_equal(info.rsdp_paddr, 0xe0000);
	assert_int_equal(info.memmap_paddr, 0x7000);
	assert_int_equal(info.memmap_entries, 3);
	assert_int_equal(info.reserved, 0);
	ram_read(&memory, 0x6040, &module, sizeof(module));
	assert_int_equal(module.paddr, 0x3f00000);
	assert_int_equal(module.size, 12345);
	assert_int_equal(module.cmdline_paddr, 0);
	assert_int_equal(module.reserved, 0);
	guest_memory_destroy(&memory);
}

static void without_an_initrd_there_is_no_module(void **state)
{
	struct guest_memory memory = ram_create(64 * MIB);
	struct start_info info;
	struct err err;

	(void)state;
	assert_int_equal(
		boot_pvh_write(&memory, &test_places, &no_initrd, &err), 0);
	ram_read(&memory, 0x6000, &info, sizeof(info));
	assert_int_equal(info.nr_modules, 0);
	assert_int_equal(info.modlist_paddr, 0);
	guest_memory_destroy(&memory);
}

static void memmap_has_both_sides_of_the_gap(void **state)
{
	struct guest_memory memory = ram_create(5 * GIB);
	static const struct memmap_entry wanted[] = {
		{0, 0x9fc00, 1, 0},
		{0x9fc00, 0x100000 - 0x9fc00, 2, 0},
		{0x100000, 3 * GIB - 0x100000, 1, 0},
		{4 * GIB, 2 * GIB, 1, 0},
	};
	struct memmap_entry got[4];
	struct start_info info;
	struct err err;

	(void)state;
	assert_int_equal(
		boot_pvh_write(&memory, &test_places, &no_initrd, &err), 0);
	ram_read(&memory, 0x6000, &info, sizeof(info));
	assert_int_equal(info.memmap_entries, 4);
	ram_read(&memory, 0x7000, got, sizeof(got));
	assert_memory_equal(got, wanted, sizeof(wanted));
	guest_memory_destroy(&memory);
}

static void places_outside_ram_are_refused(void **state)
{
	struct guest_memory memory = ram_create(64 * MIB);
	struct boot_initrd initrd = {.start = MIB, .size_bytes = 1};
	struct boot_places places[3] = {test_places, test_places, test_places};
	struct err err;

	(void)state;
	places[0].pvh_start_info = 64 * MIB - 55;
	places[1].pvh_modlist = 64 * MIB - 31;
	places[2].pvh_memmap = 64 * MIB - 71;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			boot_pvh_write(&memory, &places[i], &initrd, &err),
			-ENOMEM);
		assert_says(&err, "PVH start information: no RAM at 0x3ffff");
	}
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_info_points_to_everything),
		cmocka_unit_test(without_an_initrd_there_is_no_module),
		cmocka_unit_test(memmap_has_both_sides_of_the_gap),
		cmocka_unit_test(places_outside_ram_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
