/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/pic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/state.h"

#define EOI 0x20

struct fixture {
	struct pic pic;
	unsigned ready;
};

static struct fixture f;

static void count_ready(void *owner)
{
	struct fixture *fixture = owner;

	fixture->ready++;
}

static void out(uint16_t port, uint8_t value)
{
	const struct bus_ops *ops = port < PIC_PORT_SLAVE ? &pic_master_bus_ops
							  : &pic_slave_bus_ops;

	ops->write(&f.pic, port & 1, &value, 1);
}

static uint8_t in(uint16_t port)
{
	const struct bus_ops *ops = port < PIC_PORT_SLAVE ? &pic_master_bus_ops
							  : &pic_slave_bus_ops;
	uint8_t value = 0xee;

	ops->read(&f.pic, port & 1, &value, 1);
	return value;
}

/* As a PC's kernel does it: vectors 0x20 and 0x28, cascade, 8086 mode. */
static void initialize(uint8_t icw4)
{
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x28);
	out(0xa1, 0x02);
	out(0xa1, icw4);
}

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	pic_init(&f.pic);
	f.pic.ready = count_ready;
	f.pic.owner = &f;
	return 0;
}

static int setup_running(void **state)
{
	(void)setup(state);
	initialize(0x01);
	return 0;
}

static void nothing_comes_before_initialization(void **state)
{
	(void)state;
	assert_int_equal(in(0x21), 0xff);
	assert_int_equal(in(0xa1), 0xff);
	for (uint32_t line = 0; line < 16; line++)
		pic_raise(&f.pic, line);
	assert_false(f.pic.pending);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	assert_int_equal(f.ready, 0);
}

static void an_edge_becomes_one_vector(void **state)
{
	(void)state;
	assert_int_equal(in(0x21), 0);
	pic_raise(&f.pic, 4);
	assert_true(f.pic.pending);
	assert_int_equal(f.ready, 1);
	assert_int_equal(in(0x20), 1 << 4); /* IRR */
	assert_int_equal(pic_take_vector(&f.pic), 0x24);
	assert_false(f.pic.pending);
	assert_int_equal(in(0x20), 0);
	out(0x20, 0x0b); /* OCW3: read ISR */
	assert_int_equal(in(0x20), 1 << 4);
	out(0x20, EOI);
	assert_int_equal(in(0x20), 0);
	out(0x20, 0x0a);
	assert_int_equal(pic_take_vector(&f.pic), -1);
}

static void an_edge_on_a_masked_line_waits(void **state)
{
	(void)state;
	out(0x21, 1 << 4);
	pic_raise(&f.pic, 4);
	assert_false(f.pic.pending);
	assert_int_equal(f.ready, 0);
	out(0x21, 0);
	assert_int_equal(f.ready, 1);
	assert_int_equal(pic_take_vector(&f.pic), 0x24);
}

static void lower_lines_go_first_and_interrupt_higher_ones(void **state)
{
	(void)state;
	pic_raise(&f.pic, 4);
	pic_raise(&f.pic, 1);
	pic_raise(&f.pic, 7);
	assert_int_equal(pic_take_vector(&f.pic), 0x21);
	assert_int_equal(pic_take_vector(&f.pic), -1); /* 1 is in service */
	pic_raise(&f.pic, 0);
	assert_int_equal(pic_take_vector(&f.pic), 0x20);
	out(0x20, EOI); /* the highest: 0 */
	assert_int_equal(pic_take_vector(&f.pic), -1);
	out(0x20, EOI);
	assert_int_equal(pic_take_vector(&f.pic), 0x24);
	out(0x20, 0x60 | 4); /* of line 4 by name */
	assert_int_equal(pic_take_vector(&f.pic), 0x27);
}

static void a_named_end_ends_that_line_alone(void **state)
{
	(void)state;
	pic_raise(&f.pic, 4);
	assert_int_equal(pic_take_vector(&f.pic), 0x24);
	pic_raise(&f.pic, 1);
	assert_int_equal(pic_take_vector(&f.pic), 0x21);
	out(0x20, 0x60 | 4);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 1 << 1);
	out(0x20, 0x40); /* no EOI bit: nothing ends */
	assert_int_equal(in(0x20), 1 << 1);
}

static void the_slave_comes_through_line_2(void **state)
{
	(void)state;
	pic_raise(&f.pic, 12);
	assert_int_equal(in(0x20), 1 << 2);
	assert_int_equal(in(0xa0), 1 << 4);
	assert_int_equal(pic_take_vector(&f.pic), 0x2c);
	pic_raise(&f.pic, 9);
	/* Line 2 is in service at the master. */
	assert_int_equal(pic_take_vector(&f.pic), -1);
	pic_raise(&f.pic, 3);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	out(0xa0, EOI);
	out(0x20, EOI);
	assert_int_equal(pic_take_vector(&f.pic), 0x29);
	out(0xa0, EOI);
	out(0x20, EOI);
	assert_int_equal(pic_take_vector(&f.pic), 0x23);
}

/* The cascade is a line of its own and can be masked. */
static void the_slave_waits_behind_a_masked_cascade(void **state)
{
	(void)state;
	out(0x21, 1 << 2);
	pic_raise(&f.pic, 12);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	out(0xa1, 1 << 4);
	out(0x21, 0);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	assert_int_equal(in(0x20), 0);
	out(0xa1, 0);
	assert_int_equal(pic_take_vector(&f.pic), 0x2c);
}

static void automatic_end_leaves_nothing_in_service(void **state)
{
	(void)state;
	initialize(0x03);
	pic_raise(&f.pic, 4);
	assert_int_equal(pic_take_vector(&f.pic), 0x24);
	pic_raise(&f.pic, 5);
	assert_int_equal(pic_take_vector(&f.pic), 0x25);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0);
}

static void initialization_takes_what_icw1_announces(void **state)
{
	(void)state;
	/* No ICW4. */
	out(0x20, 0x10);
	out(0x21, 0x47); /* the low bits are not part of the vector */
	out(0x21, 0x04);
	out(0x21, 0xfe);
	assert_int_equal(in(0x21), 0xfe);
	pic_raise(&f.pic, 0);
	assert_int_equal(pic_take_vector(&f.pic), 0x40);
	/* Alone: no ICW3. */
	out(0x20, 0x13);
	out(0x21, 0x50);
	out(0x21, 0x01);
	out(0x21, 0xfe);
	assert_int_equal(in(0x21), 0xfe);
	out(0x20, 0x12);
	out(0x21, 0x50);
	out(0x21, 0xfe);
	assert_int_equal(in(0x21), 0xfe);
}

/* ICW1 clears mask and requests; until the last ICW nothing is delivered. */
static void initialization_starts_afresh(void **state)
{
	(void)state;
	pic_raise(&f.pic, 4);
	out(0x20, 0x11);
	assert_false(f.pic.pending);
	pic_raise(&f.pic, 3);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	out(0x21, 0x30);
	out(0x21, 0x04);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	out(0x21, 0x01);
	assert_int_equal(pic_take_vector(&f.pic), 0x33);
	/* The slave in the middle of its own. */
	out(0x20, EOI);
	out(0xa0, 0x11);
	pic_raise(&f.pic, 12);
	assert_int_equal(pic_take_vector(&f.pic), -1);
	out(0xa1, 0x38);
	out(0xa1, 0x02);
	out(0xa1, 0x01);
	assert_int_equal(pic_take_vector(&f.pic), 0x3c);
}

static void lines_that_are_not_there(void **state)
{
	(void)state;
	pic_raise(&f.pic, 16);
	pic_raise(&f.pic, UINT32_MAX);
	assert_false(f.pic.pending);
	assert_int_equal(f.ready, 0);
}

/* Every write of every value to every port, with all lines up: what comes out
 * is a vector of one of the two ranges. */
static void no_program_breaks_it(void **state)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1};
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		int vector;

		seed = seed * 1664525u + 1013904223u;
		out(ports[seed >> 30], (uint8_t)(seed >> 16));
		pic_raise(&f.pic, seed >> 8 & 15);
		vector = pic_take_vector(&f.pic);
		assert_true(vector >= -1 && vector <= 0xff);
		assert_true(f.pic.chips[0].init_step <= 4);
	}
}

static void the_state_survives(void **state)
{
	static uint8_t data[64];
	struct state cursor = {
		.data = data, .size_bytes = sizeof(data), .saving = true};
	size_t len;

	(void)state;
	pic_raise(&f.pic, 4);
	pic_raise(&f.pic, 12);
	assert_int_equal(pic_ops.save(&f.pic, &cursor), 0);
	len = cursor.at;
	(void)setup(NULL);
	cursor = (struct state){.data = data, .size_bytes = len};
	assert_int_equal(pic_ops.restore(&f.pic, &cursor), 0);
	assert_int_equal(cursor.at, len);
	assert_true(f.pic.pending); /* or nobody would ask for the vector */
	assert_int_equal(pic_take_vector(&f.pic), 0x2c);
	pic_ops.reset(&f.pic);
	assert_false(f.pic.pending);
	assert_int_equal(in(0x21), 0xff);
	cursor = (struct state){.data = data, .size_bytes = len - 1};
	assert_int_equal(pic_ops.restore(&f.pic, &cursor), -EINVAL);
}

/* A vector is base + line: a base that is not a multiple of 8 passes 255. */
static void an_impossible_state_is_refused(void **state)
{
	static uint8_t data[64];
	struct state cursor = {
		.data = data, .size_bytes = sizeof(data), .saving = true};

	(void)state;
	f.pic.chips[0].base = 0xff;
	assert_int_equal(pic_ops.save(&f.pic, &cursor), -EINVAL);
	cursor = (struct state){.data = data, .size_bytes = sizeof(data)};
	assert_int_equal(pic_ops.restore(&f.pic, &cursor), -EINVAL);
	f.pic.chips[0].base = 0x20;
	f.pic.chips[1].init_step = 5;
	cursor = (struct state){
		.data = data, .size_bytes = sizeof(data), .saving = true};
	assert_int_equal(pic_ops.save(&f.pic, &cursor), -EINVAL);
}

#define RUNNING(test) cmocka_unit_test_setup(test, setup_running)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_comes_before_initialization,
				       setup),
		RUNNING(an_edge_becomes_one_vector),
		RUNNING(an_edge_on_a_masked_line_waits),
		RUNNING(lower_lines_go_first_and_interrupt_higher_ones),
		RUNNING(a_named_end_ends_that_line_alone),
		RUNNING(the_slave_comes_through_line_2),
		RUNNING(the_slave_waits_behind_a_masked_cascade),
		RUNNING(automatic_end_leaves_nothing_in_service),
		RUNNING(initialization_takes_what_icw1_announces),
		RUNNING(initialization_starts_afresh),
		RUNNING(lines_that_are_not_there),
		RUNNING(no_program_breaks_it),
		RUNNING(the_state_survives),
		RUNNING(an_impossible_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
