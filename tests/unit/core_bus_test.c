/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct witness {
	unsigned reads, writes;
	uint64_t offset;
	size_t len;
	uint8_t data[8];
};

static void witness_read(void *device, uint64_t offset, void *data, size_t len)
{
	struct witness *w = device;

	w->reads++;
	w->offset = offset;
	w->len = len;
	memset(data, 0xa5, len);
}

static void witness_write(void *device, uint64_t offset, const void *data,
			  size_t len)
{
	struct witness *w = device;

	w->writes++;
	w->offset = offset;
	w->len = len;
	memcpy(w->data, data, len);
}

static const struct bus_ops ops = {witness_read, witness_write};

static void an_access_reaches_its_device(void **state)
{
	struct bus bus = {.slot_count = 0};
	struct witness low = {0};
	struct witness high = {0};
	uint32_t value = 0;

	(void)state;
	assert_int_equal(bus_add(&bus, 0x1000, 0x10, &ops, &low), 0);
	assert_int_equal(bus_add(&bus, 0x1010, 0x10, &ops, &high), 0);
	assert_true(bus_read(&bus, 0x100c, &value, 4));
	assert_int_equal(value, 0xa5a5a5a5);
	assert_int_equal(low.offset, 0xc);
	assert_int_equal(low.len, 4);
	value = 0x11223344;
	assert_true(bus_write(&bus, 0x1010, &value, 4));
	assert_int_equal(high.offset, 0);
	assert_memory_equal(high.data, &value, 4);
	assert_int_equal(low.writes, 0);
}

/* Half inside is outside: a device never sees bytes that are not its own. */
static void an_access_over_an_edge_reaches_nobody(void **state)
{
	struct bus bus = {.slot_count = 0};
	struct witness low = {0};
	struct witness high = {0};
	uint64_t value = UINT64_MAX;

	(void)state;
	assert_int_equal(bus_add(&bus, 0x1000, 0x10, &ops, &low), 0);
	assert_int_equal(bus_add(&bus, 0x1010, 0x10, &ops, &high), 0);
	assert_false(bus_read(&bus, 0x100d, &value, 4));
	assert_int_equal((uint32_t)value, 0);
	assert_false(bus_write(&bus, 0xfff, &value, 2));
	assert_false(bus_write(&bus, 0x101f, &value, 2));
	assert_false(bus_write(&bus, 0x1020, &value, 1));
	assert_false(bus_read(&bus, UINT64_MAX, &value, 8));
	assert_int_equal(value, 0);
	assert_int_equal(low.reads + low.writes + high.reads + high.writes, 0);
}

static void the_last_bytes_of_the_address_space(void **state)
{
	struct bus bus = {.slot_count = 0};
	struct witness w = {0};
	uint64_t value = 1;

	(void)state;
	assert_int_equal(bus_add(&bus, UINT64_MAX - 8, 8, &ops, &w), 0);
	assert_true(bus_write(&bus, UINT64_MAX - 4, &value, 4));
	assert_false(bus_write(&bus, UINT64_MAX - 4, &value, 8));
	assert_int_equal(w.writes, 1);
}

static void ranges_do_not_overlap(void **state)
{
	struct bus bus = {.slot_count = 0};
	struct witness w = {0};

	(void)state;
	assert_int_equal(bus_add(&bus, 0x100, 0x10, &ops, &w), 0);
	assert_int_equal(bus_add(&bus, 0x100, 0x10, &ops, &w), -EEXIST);
	assert_int_equal(bus_add(&bus, 0x10f, 1, &ops, &w), -EEXIST);
	assert_int_equal(bus_add(&bus, 0xff, 2, &ops, &w), -EEXIST);
	assert_int_equal(bus_add(&bus, 0x0, 0x1000, &ops, &w), -EEXIST);
	assert_int_equal(bus_add(&bus, 0xff, 1, &ops, &w), 0);
	assert_int_equal(bus_add(&bus, 0x110, 1, &ops, &w), 0);
	assert_int_equal(bus.slot_count, 3);
}

static void slots_are_bounded(void **state)
{
	struct bus bus = {.slot_count = 0};
	struct witness w = {0};

	(void)state;
	for (uint64_t i = 0; i < BUS_SLOTS_MAX; i++)
		assert_int_equal(bus_add(&bus, 16 * i, 16, &ops, &w), 0);
	assert_int_equal(bus_add(&bus, 16 * BUS_SLOTS_MAX, 16, &ops, &w),
			 -ENOSPC);
	assert_int_equal(bus.slot_count, BUS_SLOTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_access_reaches_its_device),
		cmocka_unit_test(an_access_over_an_edge_reaches_nobody),
		cmocka_unit_test(the_last_bytes_of_the_address_space),
		cmocka_unit_test(ranges_do_not_overlap),
		cmocka_unit_test(slots_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
