/* SPDX-License-Identifier: Apache-2.0 */
/* What a PVH kernel finds: hvm_start_info (Xen start_info.h), its memory map,
 * the RSDP and the tables behind it, and the MP table. */
#include "bare.h"

struct memmap {
	uint64_t base, size;
	uint32_t type, reserved;
};

static uint8_t sum(uint64_t at, size_t len)
{
	uint8_t total = 0;

	while (len-- > 0)
		total = (uint8_t)(total + read8(at++));
	return total;
}

static void check_memmap(void)
{
	const struct memmap *map = (const void *)read64(first_info + 40);
	uint32_t entries = read32(first_info + 48);
	uint64_t ram = 0;
	uint64_t last_end = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < entries && i < 32; i++) {
		say("say memmap %x %x %u", map[i].base, map[i].size,
		    (uint64_t)map[i].type);
		sorted = sorted && map[i].base >= last_end;
		last_end = map[i].base + map[i].size;
		if (map[i].type == 1)
			ram += map[i].size;
	}
	check("memmap-sorted", entries > 1 && entries < 32 && sorted);
	check_eq("memmap-ram", ram + (0x100000 - 0x9fc00),
		 cmdline_number("mib=", 0) << 20);
}

static void check_module(void)
{
	uint64_t bytes = cmdline_number("initrd=", 0);
	uint64_t module = read64(first_info + 16);
	uint64_t at;

	check_eq("modules", read32(first_info + 12), bytes != 0);
	if (bytes == 0)
		return;
	at = read64(module);
	say("say initrd %x", at);
	check_eq("initrd-size", read64(module + 8), bytes);
	check_eq("initrd-aligned", at % 4096, 0);
	check("initrd-text",
	      memcmp((const void *)at, "initrd begins", 13) == 0);
	check("initrd-end",
	      memcmp((const void *)(at + bytes - 4), "ends", 4) == 0);
}

/* ACPI 6.5 §5.2.5, §5.2.8. */
static void check_acpi(void)
{
	uint64_t rsdp = read64(first_info + 32);
	uint64_t xsdt;

	check_eq("rsdp-place", rsdp, 0xe0000);
	check("rsdp", memcmp((const void *)rsdp, "RSD PTR ", 8) == 0);
	check_eq("rsdp-sum", sum(rsdp, 20), 0);
	check_eq("rsdp-sum-36", sum(rsdp, 36), 0);
	check_eq("rsdp-revision", read8(rsdp + 15), 2);
	xsdt = read64(rsdp + 24);
	check("xsdt", memcmp((const void *)xsdt, "XSDT", 4) == 0);
	check_eq("xsdt-sum", sum(xsdt, read32(xsdt + 4)), 0);
	for (uint32_t at = 36; at + 8 <= read32(xsdt + 4); at += 8) {
		uint64_t table = read64(xsdt + at);
		char name[5] = {0};

		memcpy(name, (const void *)table, 4);
		say("say table %s", name);
		check_eq("table-sum", sum(table, read32(table + 4)), 0);
	}
}

/* MP specification 1.4, §4.1. */
static void check_mp(void)
{
	uint64_t at = 0x9fc00;
	uint64_t table;

	check("mp", memcmp((const void *)at, "_MP_", 4) == 0);
	check_eq("mp-sum", sum(at, 16), 0);
	table = read32(at + 4);
	check("mp-table", memcmp((const void *)table, "PCMP", 4) == 0);
	check_eq("mp-table-sum", sum(table, read16(table + 4)), 0);
}

void bare_main(void)
{
	check_eq("start-info", first_info, 0x6000);
	check_eq("magic", read32(first_info), 0x336ec578);
	check_eq("version", read32(first_info + 4), 1);
	check_eq("cr0", first_cr0 & 0xffffffff, 0x11);
	check_eq("cr4", first_cr4 & 0xffffffff, 0);
	check_eq("cmdline-place", (uint64_t)cmdline(), 0x20000);
	check("cmdline", cmdline_has("word=pvh"));
	say("say cmdline %s", cmdline());
	check_memmap();
	check_module();
	check_acpi();
	check_mp();
}
