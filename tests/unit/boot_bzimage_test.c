/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <errno.h>

#include "base/array.h"
#include "base/le.h"
#include "boot/kernel.h"
#include "boot/setup_header.h"

#define SECTS          2
#define PROGRAM_OFFSET ((SECTS + 1) * 512)
#define PROGRAM_BYTES  1024
#define FILE_BYTES     (PROGRAM_OFFSET + PROGRAM_BYTES + 100)

struct image {
	uint8_t bytes[FILE_BYTES]; /* 100 bytes of signature at the end */
};

static struct image good_image(void)
{
	struct image image = {{0}};
	uint8_t *at = image.bytes;

	memset(at + PROGRAM_OFFSET, 0xc0, PROGRAM_BYTES);
	memset(at + PROGRAM_OFFSET + PROGRAM_BYTES, 0x51, 100);
	le16_store(at, 0x5a4d); /* MZ */
	at[SETUP_SETUP_SECTS] = SECTS;
	le32_store(at + SETUP_SYSSIZE, PROGRAM_BYTES / 16);
	le16_store(at + SETUP_BOOT_FLAG, 0xaa55);
	at[SETUP_JUMP_LENGTH] = 0x6c - 2;
	le32_store(at + SETUP_HEADER_MAGIC, 0x53726448); /* HdrS */
	le16_store(at + SETUP_VERSION, 0x20f);
	at[SETUP_LOADFLAGS] = 1;
	le32_store(at + SETUP_INITRD_ADDR_MAX, 0x7fffffff);
	le32_store(at + SETUP_KERNEL_ALIGNMENT, 0x200000);
	at[SETUP_RELOCATABLE_KERNEL] = 1;
	le16_store(at + SETUP_XLOADFLAGS, 0x3f);
	le32_store(at + SETUP_CMDLINE_SIZE, 2047);
	le64_store(at + SETUP_PREF_ADDRESS, 0x1000000);
	le32_store(at + SETUP_INIT_SIZE, 0x800000);
	return image;
}

static int load_bytes(const void *bytes, size_t len, uint64_t ram,
		      struct boot_kernel *kernel, struct err *err)
{
	struct guest_memory memory = ram_create(ram);
	int fd = file_of(bytes, len);
	int r = boot_load_kernel(&memory, fd, &test_places, kernel, err);

	close(fd);
	guest_memory_destroy(&memory);
	return r;
}

static int load(const struct image *image, uint64_t ram,
		struct boot_kernel *kernel, struct err *err)
{
	return load_bytes(image, sizeof(*image), ram, kernel, err);
}

static void loads_where_it_prefers(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.protocol, BOOT_LINUX64);
	assert_int_equal(kernel.start, 0x1000000);
	assert_int_equal(kernel.entry, 0x1000200);
	assert_int_equal(kernel.end, 0x1800000);
	assert_int_equal(kernel.initrd_end_max, 0x80000000);
	assert_int_equal(kernel.setup_header_len, 0x26c - 0x1f1);
	assert_memory_equal(kernel.setup_header, image.bytes + 0x1f1,
			    kernel.setup_header_len);
}

static void only_the_program_is_loaded(void **state)
{
	struct image image = good_image();
	struct guest_memory memory = ram_create(64 * MIB);
	int fd = file_of(&image, sizeof(image));
	struct boot_kernel kernel;
	uint8_t got[PROGRAM_BYTES + 1];
	struct err err;

	(void)state;
	assert_int_equal(
		boot_load_kernel(&memory, fd, &test_places, &kernel, &err), 0);
	ram_read(&memory, kernel.start, got, sizeof(got));
	assert_memory_equal(got, image.bytes + PROGRAM_OFFSET, PROGRAM_BYTES);
	assert_int_equal(got[PROGRAM_BYTES], 0);
	close(fd);
	guest_memory_destroy(&memory);
}

static void small_ram_moves_a_relocatable_kernel_down(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	/* it just fits: 16 + 8 MiB */
	assert_int_equal(load(&image, 24 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, 0x1000000);
	/* lowest address with its alignment: 2 MiB, up to 10 MiB */
	assert_int_equal(load(&image, 22 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, 0x200000);
	assert_int_equal(kernel.entry, 0x200200);
	assert_int_equal(load(&image, 10 * MIB, &kernel, &err), 0);
	assert_int_equal(load(&image, 8 * MIB, &kernel, &err), -ENOMEM);
	assert_says(&err, "kernel: the kernel needs 8192 KiB at 0x1000000 or "
			  "lower: the guest has 8192 KiB");
}

static void a_fixed_kernel_stays_where_it_must(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.bytes[SETUP_RELOCATABLE_KERNEL] = 0;
	le32_store(image.bytes + SETUP_KERNEL_ALIGNMENT, 0);
	assert_int_equal(load(&image, 24 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, 0x1000000);
	assert_int_equal(load(&image, 22 * MIB, &kernel, &err), -ENOMEM);
	le64_store(image.bytes + SETUP_PREF_ADDRESS, 0x100000);
	assert_int_equal(load(&image, 22 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, 0x100000);
}

static void preferred_addresses_out_of_reach_are_not_used(void **state)
{
	static const uint64_t addresses[] = {0,
					     0x90000,
					     0xfffff,
					     GIB,
					     GIB - 8 * MIB + 1,
					     UINT64_MAX,
					     UINT64_MAX - 0x7fffff,
					     4 * GIB};
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		le64_store(image.bytes + SETUP_PREF_ADDRESS, addresses[i]);
		assert_int_equal(load(&image, 5 * GIB, &kernel, &err), 0);
		assert_int_equal(kernel.start, 0x200000);
	}
	/* the last one whose end is mapped 1:1 */
	le64_store(image.bytes + SETUP_PREF_ADDRESS, GIB - 8 * MIB);
	assert_int_equal(load(&image, 5 * GIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, GIB - 8 * MIB);
	assert_int_equal(kernel.end, GIB);
}

static void run_address_is_aligned_up(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	le64_store(image.bytes + SETUP_PREF_ADDRESS, 0x1000000 + 0x1000);
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, 0x1001000);
	assert_int_equal(kernel.end, 0x1200000 + 0x800000);
}

static void program_counts_when_init_size_does_not(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	le32_store(image.bytes + SETUP_INIT_SIZE, 0);
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.end, 0x1000000 + PROGRAM_BYTES);
}

static void no_setup_sectors_means_four(void **state)
{
	static uint8_t file[5 * 512 + PROGRAM_BYTES];
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.bytes[SETUP_SETUP_SECTS] = 0;
	memcpy(file, image.bytes, PROGRAM_OFFSET);
	assert_int_equal(
		load_bytes(file, sizeof(file), 64 * MIB, &kernel, &err), 0);
	assert_int_equal(
		load_bytes(file, sizeof(file) - 1, 64 * MIB, &kernel, &err),
		-ENOEXEC);
}

static void a_header_may_fill_the_zero_page_s_room(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.bytes[SETUP_JUMP_LENGTH] = 0x290 - 0x202;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.setup_header_len, SETUP_HEADER_MAX);
}

static const struct {
	size_t offset;
	size_t bytes;
	uint64_t value;
	int code;
	const char *message;
} spoils[] = {
	{SETUP_BOOT_FLAG, 2, 0x55aa, -ENOEXEC, "damaged boot sector"},
	{SETUP_VERSION, 2, 0x20b, -ENOEXEC,
	 "boot protocol 2.11: 2.12 is needed"},
	{SETUP_VERSION, 2, 0, -ENOEXEC, "boot protocol 0.00"},
	{SETUP_XLOADFLAGS, 2, 0x3e, -ENOEXEC, "no 64-bit entry point"},
	{SETUP_LOADFLAGS, 1, 0, -ENOEXEC, "a zImage"},
	{SETUP_JUMP_LENGTH, 1, 0x65, -ENOEXEC, "setup header of 118 bytes"},
	{SETUP_JUMP_LENGTH, 1, 0, -ENOEXEC, "setup header of 17 bytes"},
	{SETUP_JUMP_LENGTH, 1, 0x8f, -ENOEXEC, "setup header of 160 bytes"},
	{SETUP_JUMP_LENGTH, 1, 0xff, -ENOEXEC, "setup header of 272 bytes"},
	{SETUP_SYSSIZE, 4, 0, -ENOEXEC, "only 0 bytes of program"},
	{SETUP_SYSSIZE, 4, 0x20, -ENOEXEC, "only 512 bytes of program"},
	{SETUP_SYSSIZE, 4, 0xffffffff, -ENOEXEC, "truncated: a bzImage of "},
	{SETUP_SYSSIZE, 4, PROGRAM_BYTES / 16 + 7, -ENOEXEC, "truncated"},
	{SETUP_SETUP_SECTS, 1, 0xff, -ENOEXEC, "truncated"},
	{SETUP_SETUP_SECTS, 1, 0, -ENOEXEC, "truncated"},
	{SETUP_KERNEL_ALIGNMENT, 4, 0, -ENOEXEC, "wants an alignment of 0"},
	{SETUP_KERNEL_ALIGNMENT, 4, 0x300000, -ENOEXEC,
	 "wants an alignment of 0x300000"},
	{SETUP_KERNEL_ALIGNMENT, 4, 0x80000000, -ENOEXEC,
	 "wants an alignment of 0x80000000"},
	{SETUP_INIT_SIZE, 4, 0xffffffff, -ENOMEM, "the kernel needs 4194303"},
	{SETUP_INIT_SIZE, 4, 0x3e00001, -ENOMEM, "the guest has 65536 KiB"},
};

static void spoiled_images_are_refused(void **state)
{
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spoils); i++) {
		struct image image = good_image();

		memcpy(image.bytes + spoils[i].offset, &spoils[i].value,
		       spoils[i].bytes);
		assert_int_equal(load(&image, 64 * MIB, &kernel, &err),
				 spoils[i].code);
		assert_says(&err, spoils[i].message);
		assert_says(&err, "kernel: ");
	}
}

static void every_truncation_is_refused(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	for (size_t len = SETUP_HEADER_MAGIC + 4;
	     len < PROGRAM_OFFSET + PROGRAM_BYTES; len++) {
		assert_int_equal(
			load_bytes(&image, len, 64 * MIB, &kernel, &err),
			-ENOEXEC);
		assert_says(&err, "truncated");
	}
	/* what follows the program is not needed */
	assert_int_equal(load_bytes(&image, PROGRAM_OFFSET + PROGRAM_BYTES,
				    64 * MIB, &kernel, &err),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_where_it_prefers),
		cmocka_unit_test(only_the_program_is_loaded),
		cmocka_unit_test(small_ram_moves_a_relocatable_kernel_down),
		cmocka_unit_test(a_fixed_kernel_stays_where_it_must),
		cmocka_unit_test(preferred_addresses_out_of_reach_are_not_used),
		cmocka_unit_test(run_address_is_aligned_up),
		cmocka_unit_test(program_counts_when_init_size_does_not),
		cmocka_unit_test(no_setup_sectors_means_four),
		cmocka_unit_test(a_header_may_fill_the_zero_page_s_room),
		cmocka_unit_test(spoiled_images_are_refused),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
