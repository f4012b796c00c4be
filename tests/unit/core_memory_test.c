/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"

#include <errno.h>
#include <stdlib.h>

#include "guest_ram.h"

static const struct memory_range two_ranges[] = {{0, 4 * MIB},
						 {16 * MIB, 4 * MIB}};

static struct guest_memory create(uint64_t size_bytes)
{
	struct guest_memory memory;

	assert_int_equal(guest_memory_create(size_bytes, PAGES_SMALL,
					     two_ranges, 2, &memory, NULL),
			 0);
	return memory;
}

static void ranges_are_filled_in_order(void **state)
{
	struct guest_memory memory = create(3 * MIB);

	(void)state;
	assert_int_equal(memory.region_count, 1);
	assert_int_equal(guest_memory_size(&memory), 3 * MIB);
	guest_memory_destroy(&memory);
	assert_int_equal(memory.region_count, 0);

	memory = create(4 * MIB);
	assert_int_equal(memory.region_count, 1);
	guest_memory_destroy(&memory);

	memory = create(5 * MIB);
	assert_int_equal(memory.region_count, 2);
	assert_int_equal(memory.regions[1].base, 16 * MIB);
	assert_int_equal(memory.regions[1].size_bytes, MIB);
	assert_int_equal(guest_memory_size(&memory), 5 * MIB);
	guest_memory_destroy(&memory);
	guest_memory_destroy(NULL);
}

static void more_than_the_board_holds_is_refused(void **state)
{
	struct guest_memory memory = {.region_count = 77};
	struct err err = {0};

	(void)state;
	assert_int_equal(guest_memory_create(9 * MIB, PAGES_SMALL, two_ranges,
					     2, &memory, &err),
			 -E2BIG);
	assert_says(&err, "1 MiB more than the board has room for");
	assert_int_equal(memory.region_count, 77);
}

/* KVM maps 2 MiB pages only where both addresses agree modulo 2 MiB. */
static void memory_is_zero_and_lies_on_a_large_page(void **state)
{
	struct guest_memory memory = create(5 * MIB);
	uint64_t value = 1;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal((uintptr_t)memory.regions[i].host % (2 * MIB),
				 0);
	assert_int_equal(guest_read(&memory, 16 * MIB, &value, 8), 0);
	assert_int_equal(value, 0);
	guest_memory_destroy(&memory);
}

/* Huge pages that are not there must be an error now, not a SIGBUS later. */
static void huge_pages_are_reserved(void **state)
{
	static const struct memory_range wide[] = {{0, UINT64_C(1) << 40}};
	struct guest_memory memory;
	struct err err = {0};

	(void)state;
	assert_int_equal(guest_memory_create(UINT64_C(1) << 40, PAGES_HUGE,
					     wide, 1, &memory, &err),
			 -ENOMEM);
	assert_says(&err, "map 1048576 MiB of guest memory");
}

struct slice_row {
	gpa_t gpa;
	size_t len;
	bool there;
};

static void a_slice_is_all_ram_or_nothing(void **state)
{
	static const struct slice_row rows[] = {
		{0, 1, true},
		{0, 4 * MIB, true},
		{4 * MIB - 1, 1, true},
		{4 * MIB - 8, 8, true},
		{16 * MIB, MIB, true},
		{17 * MIB - 1, 1, true},
		{0, 0, false},
		{0, 4 * MIB + 1, false},
		{4 * MIB - 1, 2, false},
		{4 * MIB, 1, false},
		{16 * MIB - 1, 1, false},
		{16 * MIB - 1, 2, false},
		{17 * MIB, 1, false},
		{17 * MIB - 1, 2, false},
		{0, SIZE_MAX, false},
		{1, SIZE_MAX, false},
		{UINT64_MAX, 1, false},
		{UINT64_MAX, SIZE_MAX, false},
		{16 * MIB, SIZE_MAX - 16 * MIB + 1, false}, /* wraps to 0 */
	};
	struct guest_memory memory = create(5 * MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *host = &memory;
		int r = guest_slice(&memory, rows[i].gpa, rows[i].len, &host);

		print_message("# row %zu\n", i);
		assert_int_equal(r, rows[i].there ? 0 : -EFAULT);
		if (r < 0)
			assert_ptr_equal(host, &memory);
	}
	guest_memory_destroy(&memory);
}

static void copies_reach_ram_and_nothing_else(void **state)
{
	struct guest_memory memory = create(5 * MIB);
	char text[8] = "unmoved";

	(void)state;
	assert_int_equal(guest_write(&memory, 4 * MIB - 3, "abc", 3), 0);
	assert_int_equal(guest_write(&memory, 4 * MIB - 3, "defg", 4), -EFAULT);
	assert_int_equal(guest_read(&memory, 4 * MIB - 3, text, 4), -EFAULT);
	assert_string_equal(text, "unmoved");
	assert_int_equal(guest_read(&memory, 4 * MIB - 3, text, 3), 0);
	assert_memory_equal(text, "abcoved", 7);
	assert_int_equal(guest_read(&memory, UINT64_MAX, text, 0), 0);
	assert_int_equal(guest_write(&memory, UINT64_MAX, text, 0), 0);
	guest_memory_destroy(&memory);
}

static void files_are_read_whole(void **state)
{
	struct guest_memory memory = create(5 * MIB);
	int fd = file_of("0123456789", 10);
	char text[11] = "";

	(void)state;
	assert_int_equal(guest_read_file(&memory, 100, fd, 2, 8), 0);
	ram_read(&memory, 100, text, 8);
	assert_string_equal(text, "23456789");
	assert_int_equal(guest_read_file(&memory, 100, fd, 2, 9), -EPIPE);
	assert_int_equal(guest_read_file(&memory, 100, fd, 11, 1), -EPIPE);
	assert_int_equal(guest_read_file(&memory, 5 * MIB, fd, 0, 1), -EFAULT);
	assert_int_equal(guest_read_file(&memory, 100, fd, 0, UINT64_MAX),
			 -EFAULT);
	assert_int_equal(guest_read_file(&memory, UINT64_MAX, fd, 0, 0), 0);
	close(fd);
	assert_int_equal(guest_read_file(&memory, 100, -1, 0, 1), -EBADF);
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_filled_in_order),
		cmocka_unit_test(more_than_the_board_holds_is_refused),
		cmocka_unit_test(memory_is_zero_and_lies_on_a_large_page),
		cmocka_unit_test(huge_pages_are_reserved),
		cmocka_unit_test(a_slice_is_all_ram_or_nothing),
		cmocka_unit_test(copies_reach_ram_and_nothing_else),
		cmocka_unit_test(files_are_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
