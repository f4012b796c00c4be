/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <errno.h>
#include <fcntl.h>

#include "boot/initrd.h"

static const struct boot_kernel usual = {
	.start = 16 * MIB, .end = 24 * MIB, .initrd_end_max = 4 * GIB};

static int load(uint64_t ram, size_t size, const struct boot_kernel *kernel,
		struct boot_initrd *initrd, struct err *err)
{
	struct guest_memory memory = ram_create(ram);
	int fd = file_of("", 0);
	int r;

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	r = boot_load_initrd(&memory, fd, &test_places, kernel, initrd, err);
	close(fd);
	guest_memory_destroy(&memory);
	return r;
}

static void lands_page_aligned_at_the_end_of_ram(void **state)
{
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	assert_int_equal(load(64 * MIB, 5000, &usual, &initrd, &err), 0);
	assert_int_equal(initrd.start, 64 * MIB - 8192);
	assert_int_equal(initrd.size_bytes, 5000);
	assert_int_equal(load(64 * MIB, 4096, &usual, &initrd, &err), 0);
	assert_int_equal(initrd.start, 64 * MIB - 4096);
	assert_int_equal(load(64 * MIB, 1, &usual, &initrd, &err), 0);
	assert_int_equal(initrd.start, 64 * MIB - 4096);
}

static void its_bytes_arrive(void **state)
{
	struct guest_memory memory = ram_create(32 * MIB);
	int fd = file_of("070701 and so on", 16);
	struct boot_initrd initrd;
	char got[17];
	struct err err;

	(void)state;
	assert_int_equal(boot_load_initrd(&memory, fd, &test_places, &usual,
					  &initrd, &err),
			 0);
	ram_read(&memory, initrd.start, got, sizeof(got));
	assert_memory_equal(got, "070701 and so on", 17);
	close(fd);
	guest_memory_destroy(&memory);
}

static void stays_below_the_gap(void **state)
{
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	assert_int_equal(load(3 * GIB, 4096, &usual, &initrd, &err), 0);
	assert_int_equal(initrd.start, 3 * GIB - 4096);
	assert_int_equal(load(8 * GIB, 4096, &usual, &initrd, &err), 0);
	assert_int_equal(initrd.start, 3 * GIB - 4096);
}

static void obeys_the_kernel_s_limit(void **state)
{
	struct boot_kernel kernel = usual;
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	kernel.initrd_end_max = 0x38000000;
	assert_int_equal(load(2 * GIB, 4097, &kernel, &initrd, &err), 0);
	assert_int_equal(initrd.start, 0x38000000 - 8192);
	kernel.initrd_end_max = 0x37ffffff + 2; /* not on a page boundary */
	assert_int_equal(load(2 * GIB, 4096, &kernel, &initrd, &err), 0);
	assert_int_equal(initrd.start, 0x38000000 - 4096);
	kernel.initrd_end_max = 1;
	assert_int_equal(load(2 * GIB, 4096, &kernel, &initrd, &err), -ENOMEM);
}

static void may_touch_the_kernel_but_not_overlap_it(void **state)
{
	struct boot_kernel kernel = usual;
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	assert_int_equal(load(32 * MIB, 8 * MIB, &usual, &initrd, &err), 0);
	assert_int_equal(initrd.start, usual.end);
	assert_int_equal(load(32 * MIB, 8 * MIB + 1, &usual, &initrd, &err),
			 -ENOMEM);
	/* fits by its bytes, but not on a page boundary */
	kernel.end += 1;
	assert_int_equal(load(32 * MIB, 8 * MIB - 1, &kernel, &initrd, &err),
			 -ENOMEM);
	assert_int_equal(load(32 * MIB, 8 * MIB - 4096, &kernel, &initrd, &err),
			 0);
}

static void lies_below_a_kernel_above_its_limit(void **state)
{
	struct boot_kernel kernel = {.start = 512 * MIB,
				     .end = 520 * MIB,
				     .initrd_end_max = 256 * MIB};
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	assert_int_equal(load(GIB, 255 * MIB, &kernel, &initrd, &err), 0);
	assert_int_equal(initrd.start, 1 * MIB);
	assert_int_equal(load(GIB, 255 * MIB + 1, &kernel, &initrd, &err),
			 -ENOMEM);
}

static void bigger_than_ram_is_refused_with_both_sizes(void **state)
{
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	assert_int_equal(load(32 * MIB, 100 * MIB, &usual, &initrd, &err),
			 -ENOMEM);
	assert_string_equal(err.msg, "initrd: 104857600 bytes do not fit: the "
				     "guest has 32 MiB of memory, 8388608 "
				     "bytes of it free beside the kernel");
	assert_int_equal(load(32 * MIB, (size_t)1 << 62, &usual, &initrd, &err),
			 -ENOMEM);
}

static void what_is_no_file_is_refused(void **state)
{
	struct guest_memory memory = ram_create(32 * MIB);
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct boot_initrd initrd;
	struct err err;

	(void)state;
	assert_int_equal(boot_load_initrd(&memory, fd, &test_places, &usual,
					  &initrd, &err),
			 -EINVAL);
	assert_string_equal(err.msg, "initrd: this is a directory: a regular "
				     "file is needed");
	close(fd);
	assert_int_equal(load(32 * MIB, 0, &usual, &initrd, &err), -ENOEXEC);
	assert_string_equal(err.msg, "initrd: the file is empty");
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lands_page_aligned_at_the_end_of_ram),
		cmocka_unit_test(its_bytes_arrive),
		cmocka_unit_test(stays_below_the_gap),
		cmocka_unit_test(obeys_the_kernel_s_limit),
		cmocka_unit_test(may_touch_the_kernel_but_not_overlap_it),
		cmocka_unit_test(lies_below_a_kernel_above_its_limit),
		cmocka_unit_test(bigger_than_ram_is_refused_with_both_sizes),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
