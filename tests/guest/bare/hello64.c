/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel without PVH finds: the 64-bit boot protocol (Linux
 * Documentation/x86/boot.rst) and the zero page (zero-page.rst). */
#include "bare.h"

#define E820_ENTRIES    0x1e8
#define SETUP_BOOT_FLAG 0x1fe
#define SETUP_HEADER    0x202
#define SETUP_LOADER    0x210
#define SETUP_CMDLINE   0x228
#define E820_TABLE      0x2d0
#define E820_BYTES      20
#define E820_RAM        1

static void check_registers(void)
{
	check_eq("cr0", first_cr0 & 0x80000001, 0x80000001);
	check_eq("cr4-pae", first_cr4 & 0x20, 0x20);
	check_eq("efer", first_efer & 0x500, 0x500);
	check_eq("rsi", first_info, 0x7000);
	check_eq("rsp", first_rsp, 0x8ff0);
	check_eq("cr3", first_cr3, 0x9000);
}

static void check_e820(void)
{
	uint64_t entries = read8(first_info + E820_ENTRIES);
	uint64_t ram = 0;
	uint64_t last_end = 0;
	bool sorted = true;

	for (uint64_t i = 0; i < entries; i++) {
		uint64_t at = first_info + E820_TABLE + i * E820_BYTES;
		uint64_t base = read64(at);
		uint64_t size = read64(at + 8);

		say("say e820 %x %x %u", base, size, (uint64_t)read32(at + 16));
		sorted = sorted && base >= last_end;
		last_end = base + size;
		if (read32(at + 16) == E820_RAM)
			ram += size;
	}
	check("e820-sorted", entries > 1 && sorted);
	/* All but what lies between 640 KiB and 1 MiB. */
	check_eq("e820-ram", ram + (0x100000 - 0x9fc00),
		 cmdline_number("mib=", 0) << 20);
}

void bare_main(void)
{
	check("no-pvh", boot_is_pvh == 0);
	check_registers();
	check_eq("boot-flag", read16(first_info + SETUP_BOOT_FLAG), 0xaa55);
	check_eq("header", read32(first_info + SETUP_HEADER), 0x53726448);
	check_eq("loader", read8(first_info + SETUP_LOADER), 0xff);
	check_eq("cmdline-place", read32(first_info + SETUP_CMDLINE), 0x20000);
	check("cmdline", cmdline_has("word=64"));
	check_e820();
}
