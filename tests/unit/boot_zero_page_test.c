/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout is checked against the kernel's own header, not against the
 * offsets that the code under test is made of.
 */
#include "guest_ram.h"

#include <asm/bootparam.h>
#include <errno.h>

#include "boot/zero_page.h"

static const struct boot_initrd no_initrd = {0};
static const struct boot_kernel elf_kernel = {.protocol = BOOT_LINUX64};

static struct boot_cmdline line_of(const char *text)
{
	struct boot_cmdline line;

	assert_int_equal(boot_cmdline_start(&line, text, NULL), 0);
	return line;
}

static struct boot_params page_of(uint64_t ram,
				  const struct boot_kernel *kernel,
				  const struct boot_initrd *initrd)
{
	struct guest_memory memory = ram_create(ram);
	struct boot_cmdline line = line_of("console=ttyS0");
	struct boot_params page;
	struct err err;

	assert_int_equal(boot_zero_page_write(&memory, &test_places, kernel,
					      initrd, &line, &err),
			 0);
	ram_read(&memory, test_places.zero_page, &page, sizeof(page));
	guest_memory_destroy(&memory);
	return page;
}

static void an_elf_kernel_gets_a_header_made_up(void **state)
{
	struct boot_params page = page_of(64 * MIB, &elf_kernel, &no_initrd);

	(void)state;
	assert_int_equal(page.hdr.type_of_loader, 0xff);
	assert_int_equal(page.hdr.boot_flag, 0xaa55);
	assert_int_equal(page.hdr.header, 0x53726448);
	assert_int_equal(page.hdr.version, 0x20c);
	assert_int_equal(page.hdr.loadflags, LOADED_HIGH);
	assert_int_equal(page.hdr.kernel_alignment, 0x1000000);
	assert_int_equal(page.hdr.cmd_line_ptr, 0x20000);
	assert_int_equal(page.hdr.cmdline_size, strlen("console=ttyS0"));
	assert_int_equal(page.hdr.setup_data, 0x21000);
	assert_int_equal(page.hdr.ramdisk_image, 0);
	assert_int_equal(page.hdr.ramdisk_size, 0);
	assert_int_equal(page.acpi_rsdp_addr, 0xe0000);
	assert_int_equal(page.sentinel, 0);
}

static void the_initrd_is_pointed_to(void **state)
{
	struct boot_initrd initrd = {.start = 0xbffff000, .size_bytes = 77};
	struct boot_params page = page_of(64 * MIB, &elf_kernel, &initrd);

	(void)state;
	assert_int_equal(page.hdr.ramdisk_image, 0xbffff000);
	assert_int_equal(page.hdr.ramdisk_size, 77);
}

static void a_bzimage_keeps_its_header(void **state)
{
	struct boot_kernel kernel = {.protocol = BOOT_LINUX64,
				     .setup_header_len =
					     sizeof(struct setup_header)};
	struct setup_header header = {.header = 0x53726448,
				      .version = 0x20f,
				      .cmdline_size = 2047,
				      .kernel_alignment = 0x200000,
				      .init_size = 0x123456,
				      .syssize = 99,
				      .kernel_info_offset = 0x4711};
	struct boot_params page;

	(void)state;
	memcpy(kernel.setup_header, &header, sizeof(header));
	page = page_of(64 * MIB, &kernel, &no_initrd);
	assert_int_equal(page.hdr.version, 0x20f);
	assert_int_equal(page.hdr.kernel_alignment, 0x200000);
	assert_int_equal(page.hdr.cmdline_size, 2047);
	assert_int_equal(page.hdr.init_size, 0x123456);
	assert_int_equal(page.hdr.kernel_info_offset, 0x4711);
	assert_int_equal(page.hdr.type_of_loader, 0xff);
	assert_int_equal(page.hdr.cmd_line_ptr, 0x20000);
	assert_int_equal(page.sentinel, 0);
	assert_int_equal(page.edd_mbr_sig_buffer[0], 0);
}

static void range_is(const struct boot_e820_entry *entry, uint64_t base,
		     uint64_t end, uint32_t type)
{
	assert_int_equal(entry->addr, base);
	assert_int_equal(entry->addr + entry->size, end);
	assert_int_equal(entry->type, type);
}

static void e820_has_low_ram_tables_and_high_ram(void **state)
{
	struct boot_params page = page_of(64 * MIB, &elf_kernel, &no_initrd);

	(void)state;
	assert_int_equal(page.e820_entries, 3);
	range_is(&page.e820_table[0], 0, 0x9fc00, 1);
	range_is(&page.e820_table[1], 0x9fc00, 0x100000, 2);
	range_is(&page.e820_table[2], 0x100000, 64 * MIB, 1);
	assert_int_equal(page.e820_table[3].type, 0);
}

static void e820_leaves_the_gap_out(void **state)
{
	struct boot_params page = page_of(3 * GIB, &elf_kernel, &no_initrd);

	(void)state;
	assert_int_equal(page.e820_entries, 3);
	range_is(&page.e820_table[2], 0x100000, 3 * GIB, 1);
	page = page_of(3 * GIB + MIB, &elf_kernel, &no_initrd);
	assert_int_equal(page.e820_entries, 4);
	range_is(&page.e820_table[2], 0x100000, 3 * GIB, 1);
	range_is(&page.e820_table[3], 4 * GIB, 4 * GIB + MIB, 1);
}

static void every_start_has_a_seed_of_its_own(void **state)
{
	struct boot_cmdline line = line_of("");
	uint8_t seeds[2][32];
	struct setup_data head;
	struct err err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct guest_memory memory = ram_create(16 * MIB);

		assert_int_equal(boot_zero_page_write(&memory, &test_places,
						      &elf_kernel, &no_initrd,
						      &line, &err),
				 0);
		ram_read(&memory, 0x21000, &head, sizeof(head));
		assert_int_equal(head.next, 0);
		assert_int_equal(head.type, 9); /* SETUP_RNG_SEED */
		assert_int_equal(head.len, 32);
		ram_read(&memory, 0x21000 + sizeof(head), seeds[i], 32);
		guest_memory_destroy(&memory);
	}
	assert_memory_not_equal(seeds[0], seeds[1], 32);
}

static void a_line_longer_than_the_kernel_takes_is_refused(void **state)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct boot_cmdline line = line_of("12345");
	struct boot_kernel kernel = {.setup_header_len =
					     sizeof(struct setup_header)};
	struct setup_header header = {.cmdline_size = 5};
	struct err err;

	(void)state;
	memcpy(kernel.setup_header, &header, sizeof(header));
	assert_int_equal(boot_zero_page_write(&memory, &test_places, &kernel,
					      &no_initrd, &line, &err),
			 0);
	header.cmdline_size = 4;
	memcpy(kernel.setup_header, &header, sizeof(header));
	assert_int_equal(boot_zero_page_write(&memory, &test_places, &kernel,
					      &no_initrd, &line, &err),
			 -E2BIG);
	assert_string_equal(err.msg, "kernel command line: 5 bytes: this "
				     "kernel takes 4 at the most");
	guest_memory_destroy(&memory);
}

static void places_outside_ram_are_refused(void **state)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct boot_cmdline line = line_of("");
	struct boot_places places = test_places;
	struct err err;

	(void)state;
	places.zero_page = 16 * MIB - 4095;
	assert_int_equal(boot_zero_page_write(&memory, &places, &elf_kernel,
					      &no_initrd, &line, &err),
			 -ENOMEM);
	places = test_places;
	places.setup_data = 16 * MIB - 47;
	assert_int_equal(boot_zero_page_write(&memory, &places, &elf_kernel,
					      &no_initrd, &line, &err),
			 -ENOMEM);
	guest_memory_destroy(&memory);
}

static void one_mib_is_too_little(void **state)
{
	struct guest_memory memory = ram_create(MIB);
	struct boot_cmdline line = line_of("");
	struct err err;

	(void)state;
	assert_int_equal(boot_zero_page_write(&memory, &test_places,
					      &elf_kernel, &no_initrd, &line,
					      &err),
			 -ENOMEM);
	assert_string_equal(err.msg, "guest memory: 1024 KiB: more than 1024 "
				     "KiB are needed");
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_elf_kernel_gets_a_header_made_up),
		cmocka_unit_test(the_initrd_is_pointed_to),
		cmocka_unit_test(a_bzimage_keeps_its_header),
		cmocka_unit_test(e820_has_low_ram_tables_and_high_ram),
		cmocka_unit_test(e820_leaves_the_gap_out),
		cmocka_unit_test(every_start_has_a_seed_of_its_own),
		cmocka_unit_test(
			a_line_longer_than_the_kernel_takes_is_refused),
		cmocka_unit_test(places_outside_ram_are_refused),
		cmocka_unit_test(one_mib_is_too_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
