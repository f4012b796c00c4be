/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/ioapic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/state.h"

#define MASKED  0x10000u
#define LEVEL   0x8000u
#define LOGICAL 0x800u

struct fixture {
	struct ioapic ioapic;
	struct ioapic_route routes[IOAPIC_PINS]; /* as told last */
	unsigned changes;
};

static struct fixture f;

static void remember(void *owner, const struct ioapic_route *routes)
{
	struct fixture *fixture = owner;

	memcpy(fixture->routes, routes, sizeof(fixture->routes));
	fixture->changes++;
}

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	ioapic_init(&f.ioapic);
	f.ioapic.routes_changed = remember;
	f.ioapic.owner = &f;
	return 0;
}

static void write_reg(uint64_t offset, uint32_t value)
{
	ioapic_bus_ops.write(&f.ioapic, offset, &value, 4);
}

static uint32_t read_reg(uint64_t offset)
{
	uint32_t value = 0xeeeeeeee;

	ioapic_bus_ops.read(&f.ioapic, offset, &value, 4);
	return value;
}

static void set(unsigned index, uint32_t value)
{
	write_reg(0x00, index);
	write_reg(0x10, value);
}

static uint32_t get(unsigned index)
{
	write_reg(0x00, index);
	return read_reg(0x10);
}

static void it_is_an_ioapic_with_24_pins(void **state)
{
	(void)state;
	assert_int_equal(get(1), 23 << 16 | 0x20);
	assert_int_equal(get(0), 0);
	set(0, 0xff000000);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(2), 0x0f000000); /* arbitration follows the id */
	set(1, 0);
	assert_int_equal(get(1), 23 << 16 | 0x20);
	assert_int_equal(read_reg(0x00), 1);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(get(0x10 + 2 * pin), MASKED);
		assert_int_equal(get(0x11 + 2 * pin), 0);
	}
	assert_int_equal(f.changes, 0);
}

static void indices_without_a_register(void **state)
{
	(void)state;
	for (unsigned index = 3; index < 0x100; index++) {
		if (index >= 0x10 && index < 0x40)
			continue;
		set(index, UINT32_MAX);
		assert_int_equal(get(index), 0);
	}
	assert_int_equal(read_reg(0x20), 0);
	assert_int_equal(read_reg(0xffc), 0);
	write_reg(0xffc, 1);
	assert_int_equal(f.changes, 0);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		assert_int_equal(get(0x10 + 2 * pin), MASKED);
}

static void an_entry_keeps_what_it_may(void **state)
{
	(void)state;
	set(0x10, UINT32_MAX);
	assert_int_equal(get(0x10), 0x1afff); /* not status, remote IRR */
	set(0x11, UINT32_MAX);
	assert_int_equal(get(0x11), 0xff000000);
	assert_int_equal(f.changes, 0); /* masked all the time */
}

static void an_open_pin_has_a_route(void **state)
{
	(void)state;
	set(0x11 + 2 * 5, 3u << 24);
	set(0x10 + 2 * 5, 0x31);
	assert_int_equal(f.changes, 1);
	assert_int_equal(f.routes[5].address, 0xfee03000);
	assert_int_equal(f.routes[5].data, 0x4031);
	set(0x10 + 2 * 5, LOGICAL | 0x100 | LEVEL | 0x32);
	assert_int_equal(f.routes[5].address, 0xfee03004);
	assert_int_equal(f.routes[5].data, 0xc132);
	set(0x11 + 2 * 5, 0xff000000);
	assert_int_equal(f.routes[5].address, 0xfeeff004);
	assert_int_equal(f.changes, 3);
	set(0x10 + 2 * 5, MASKED | 0x32);
	assert_int_equal(f.routes[5].address, 0);
	assert_int_equal(f.changes, 4);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		assert_int_equal(f.routes[pin].address, 0);
}

/* Each change costs KVM a grace period. */
static void only_what_changes_is_told(void **state)
{
	(void)state;
	set(0x10, MASKED | 0x31);
	set(0x11, 1u << 24);
	assert_int_equal(f.changes, 0);
	set(0x10, 0x31);
	set(0x10, 0x31);
	set(0x11, 1u << 24);
	assert_int_equal(f.changes, 1);
	/* Polarity is not part of the message. */
	set(0x10, 0x31 | 1u << 13);
	assert_int_equal(f.changes, 1);
}

/* While a pin moves from one processor to another it has a route at every
 * moment: an edge in between is delivered to the one or the other. */
static void an_open_pin_moves_without_a_gap(void **state)
{
	(void)state;
	set(0x10, 0x31);
	set(0x11, 1u << 24);
	assert_int_equal(f.routes[0].address, 0xfee01000);
	set(0x10, 0x41);
	assert_int_equal(f.routes[0].data, 0x4041);
	assert_int_equal(f.changes, 3);
}

static void the_end_of_a_level_interrupt(void **state)
{
	(void)state;
	f.ioapic.entries[0] = LEVEL | 1u << 14 | 0x31;
	f.ioapic.entries[1] = LEVEL | 1u << 14 | 0x32;
	f.ioapic.entries[2] = 1u << 14 | 0x31; /* edge: never set by hardware */
	ioapic_eoi(&f.ioapic, 0x31);
	assert_int_equal(get(0x10), LEVEL | 0x31);
	assert_int_equal(get(0x12), LEVEL | 1u << 14 | 0x32);
	assert_int_equal(get(0x14), 1u << 14 | 0x31);
	write_reg(0x40, 0x32);
	assert_int_equal(get(0x12), LEVEL | 0x32);
	/* A guest's write does not touch the bit. */
	f.ioapic.entries[1] |= 1u << 14;
	set(0x12, LEVEL | 0x33);
	assert_int_equal(get(0x12), LEVEL | 1u << 14 | 0x33);
}

static void other_widths(void **state)
{
	uint64_t wide = UINT64_MAX;
	uint8_t byte = 0x10;

	(void)state;
	ioapic_bus_ops.write(&f.ioapic, 0, &byte, 1);
	memset(&wide, 0, sizeof(wide));
	ioapic_bus_ops.read(&f.ioapic, 0x10, &wide, 8);
	assert_true(wide == MASKED);
	wide = UINT64_C(0xffffffff00000031);
	ioapic_bus_ops.write(&f.ioapic, 0x10, &wide, 8);
	assert_int_equal(get(0x10), 0x31);
	assert_int_equal(get(0x11), 0);
	byte = 0;
	ioapic_bus_ops.read(&f.ioapic, 0x00, &byte, 1);
	assert_int_equal(byte, 0x11);
}

static void the_state_survives(void **state)
{
	static uint8_t data[256];
	struct state cursor = {
		.data = data, .size_bytes = sizeof(data), .saving = true};
	size_t len;

	(void)state;
	set(0x11 + 2 * 5, 3u << 24);
	set(0x10 + 2 * 5, 0x31);
	set(0, 7u << 24);
	assert_int_equal(ioapic_ops.save(&f.ioapic, &cursor), 0);
	len = cursor.at;
	(void)setup(NULL);
	cursor = (struct state){.data = data, .size_bytes = len};
	assert_int_equal(ioapic_ops.restore(&f.ioapic, &cursor), 0);
	assert_int_equal(f.routes[5].address, 0xfee03000);
	assert_int_equal(f.changes, 1);
	assert_int_equal(get(0), 7u << 24);
	ioapic_ops.reset(&f.ioapic);
	assert_int_equal(f.routes[5].address, 0);
	assert_int_equal(get(0), 0);
	cursor = (struct state){.data = data, .size_bytes = 9};
	assert_int_equal(ioapic_ops.restore(&f.ioapic, &cursor), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_an_ioapic_with_24_pins),
		TEST(indices_without_a_register),
		TEST(an_entry_keeps_what_it_may),
		TEST(an_open_pin_has_a_route),
		TEST(only_what_changes_is_told),
		TEST(an_open_pin_moves_without_a_gap),
		TEST(the_end_of_a_level_interrupt),
		TEST(other_widths),
		TEST(the_state_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
