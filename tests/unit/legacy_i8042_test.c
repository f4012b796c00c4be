/* SPDX-License-Identifier: Apache-2.0 */
#include "legacy/i8042.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/fd.h"
#include "core/event.h"
#include "core/state.h"

enum {
	OUTPUT_FULL = 0x01,
	INPUT_FULL = 0x02,
	AUX_DATA = 0x20,
};

struct fixture {
	struct i8042 *i8042;
	int irq_fd;
	unsigned resets;
};

static void count_reset(void *owner)
{
	struct fixture *f = owner;

	f->resets++;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct i8042_setup setup = {.reset = count_reset, .owner = f};

	f->irq_fd = event_notifier_create();
	setup.irq = (struct irq_line){.event_fd = f->irq_fd, .gsi = I8042_GSI};
	assert_int_equal(i8042_create(&setup, &f->i8042, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	i8042_ops.destroy(f->i8042);
	i8042_ops.destroy(NULL);
	fd_close(&f->irq_fd);
	free(f);
	return 0;
}

static uint8_t status(const struct fixture *f)
{
	uint8_t value = 0xee;

	i8042_command_bus_ops.read(f->i8042, 0, &value, 1);
	return value;
}

static uint8_t data(const struct fixture *f)
{
	uint8_t value = 0xee;

	i8042_data_bus_ops.read(f->i8042, 0, &value, 1);
	return value;
}

static void command(const struct fixture *f, uint8_t value)
{
	i8042_command_bus_ops.write(f->i8042, 0, &value, 1);
}

static void data_out(const struct fixture *f, uint8_t value)
{
	i8042_data_bus_ops.write(f->i8042, 0, &value, 1);
}

static uint64_t irqs(const struct fixture *f)
{
	uint64_t count = 0;

	return read(f->irq_fd, &count, sizeof(count)) == sizeof(count) ? count
								       : 0;
}

/* What the driver waits for must be there when it first looks. */
static uint8_t answer(const struct fixture *f)
{
	assert_true(status(f) & OUTPUT_FULL);
	assert_false(status(f) & INPUT_FULL);
	return data(f);
}

static void expect_answers(const struct fixture *f, const uint8_t *bytes,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(answer(f), bytes[i]);
	assert_false(status(f) & OUTPUT_FULL);
}

static uint8_t ctr_get(const struct fixture *f)
{
	command(f, 0x20);
	return answer(f);
}

static void ctr_set(const struct fixture *f, uint8_t ctr)
{
	command(f, 0x60);
	data_out(f, ctr);
}

/* In the order of Linux's drivers/input/serio/i8042.c. */
static void linux_gets_every_answer_at_once(void **state)
{
	const struct fixture *f = *state;
	uint8_t ctr;

	assert_false(status(f) & OUTPUT_FULL);
	command(f, 0xaa);
	assert_int_equal(answer(f), 0x55);
	ctr = ctr_get(f);
	assert_int_equal(ctr, 0x05);
	assert_int_equal(ctr_get(f), ctr);
	assert_true(status(f) & 0x10); /* no key lock */
	ctr_set(f, (uint8_t)((ctr | 0x10) & ~0x01));
	assert_int_equal(ctr_get(f), 0x14);
	/* There is no mouse: the loop-back is not from one, the wire fails. */
	command(f, 0xd3);
	data_out(f, 0x5a);
	assert_true(status(f) & OUTPUT_FULL);
	assert_false(status(f) & AUX_DATA);
	command(f, 0xa9);
	assert_int_equal(answer(f), 0x01);
	assert_false(status(f) & OUTPUT_FULL); /* the 0x5a is gone */
	command(f, 0xa7);
	assert_true(ctr_get(f) & 0x20);
	command(f, 0xa8);
	assert_false(ctr_get(f) & 0x20);
	command(f, 0xab);
	assert_int_equal(answer(f), 0x00);
	command(f, 0xad);
	assert_true(ctr_get(f) & 0x10);
	command(f, 0xae);
	assert_false(ctr_get(f) & 0x10);
	ctr_set(f, 0x05);
	assert_int_equal(irqs(f), 0);
	assert_int_equal(f->resets, 0);
}

static void ports_of_the_controller_read_back(void **state)
{
	const struct fixture *f = *state;

	command(f, 0xc0);
	assert_int_equal(answer(f), 0x80);
	command(f, 0xd0);
	assert_int_equal(answer(f), 0x03);
	command(f, 0xd1);
	data_out(f, 0x01);
	command(f, 0xd0);
	assert_int_equal(answer(f), 0x01);
	command(f, 0xd2);
	data_out(f, 0x99);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(answer(f), 0x99);
	command(f, 0xd4);
	data_out(f, 0xff);
	assert_true(status(f) & AUX_DATA);
	assert_int_equal(answer(f), 0xfe);
	command(f, 0x42); /* nobody's */
	assert_false(status(f) & OUTPUT_FULL);
	assert_int_equal(f->resets, 0);
}

static void status_tells_where_the_last_write_went(void **state)
{
	const struct fixture *f = *state;

	command(f, 0xae);
	assert_int_equal(status(f), 0x1c);
	data_out(f, 0xee);
	assert_int_equal(status(f), 0x15);
	assert_int_equal(data(f), 0xee);
	assert_int_equal(data(f), 0xee); /* an empty register keeps it */
	ctr_set(f, 0x01);
	assert_int_equal(status(f), 0x10);
}

static void pulsing_the_reset_line_resets(void **state)
{
	const struct fixture *f = *state;

	command(f, 0xfe);
	assert_int_equal(f->resets, 1);
	command(f, 0xf0);
	assert_int_equal(f->resets, 2);
	command(f, 0xff); /* pulses nothing */
	command(f, 0xd1);
	data_out(f, 0x03);
	assert_int_equal(f->resets, 2);
	command(f, 0xd1);
	data_out(f, 0x02);
	assert_int_equal(f->resets, 3);
	data_out(f, 0xfe); /* to the keyboard: resend */
	assert_int_equal(f->resets, 3);
}

static void the_keyboard_acknowledges_everything(void **state)
{
	static const struct {
		uint8_t sent;
		uint8_t count;
		uint8_t answers[3];
	} cases[] = {
		{0xff, 2, {0xfa, 0xaa}}, {0xf2, 3, {0xfa, 0xab, 0x83}},
		{0xee, 1, {0xee}},       {0xf4, 1, {0xfa}},
		{0xf5, 1, {0xfa}},       {0xed, 1, {0xfa}},
		{0xff, 1, {0xfa}}, /* LEDs, not a reset */
		{0xf3, 1, {0xfa}},       {0x00, 1, {0xfa}},
		{0xf0, 1, {0xfa}},       {0x00, 2, {0xfa, 0x02}},
		{0xf0, 1, {0xfa}},       {0x02, 1, {0xfa}},
		{0x00, 1, {0xfa}},
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		data_out(f, cases[i].sent);
		assert_int_equal(irqs(f), 1);
		expect_answers(f, cases[i].answers, cases[i].count);
		assert_int_equal(irqs(f), cases[i].count - 1);
	}
}

static void talking_to_the_keyboard_enables_it(void **state)
{
	const struct fixture *f = *state;

	ctr_set(f, 0x15);
	data_out(f, 0xf4);
	assert_int_equal(answer(f), 0xfa);
	assert_int_equal(ctr_get(f), 0x05);
}

static void ctrl_alt_del_comes_with_an_interrupt_a_byte(void **state)
{
	static const uint8_t keys[] = {0x14, 0x11, 0xe0, 0x71};
	const struct fixture *f = *state;

	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(irqs(f), 1);
		assert_int_equal(answer(f), keys[i]);
	}
	assert_int_equal(irqs(f), 0);
	assert_false(status(f) & OUTPUT_FULL);
}

static void ctrl_alt_del_is_translated_when_asked_for(void **state)
{
	static const uint8_t keys[] = {0x1d, 0x38, 0xe0, 0x53};
	const struct fixture *f = *state;

	ctr_set(f, 0x45);
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	expect_answers(f, keys, ARRAY_LEN(keys));
}

static void a_guest_that_does_not_read_fills_the_buffer(void **state)
{
	const struct fixture *f = *state;
	struct err err = {0};

	for (int i = 0; i < 4; i++)
		assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, &err), -ENOBUFS);
	assert_string_equal(err.msg, "i8042 internal buffer full");
	assert_int_equal(irqs(f), 1);
	assert_int_equal(answer(f), 0x14);
	/* three of room are not enough for four keys, and none is taken */
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), -ENOBUFS);
	for (int i = 0; i < 3; i++)
		(void)answer(f);
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	for (int i = 0; i < 16; i++)
		(void)answer(f);
	assert_false(status(f) & OUTPUT_FULL);
}

static void a_disabled_keyboard_waits(void **state)
{
	const struct fixture *f = *state;

	ctr_set(f, 0x15);
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	assert_false(status(f) & OUTPUT_FULL);
	assert_int_equal(irqs(f), 0);
	command(f, 0xae);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(answer(f), 0x14);
	assert_int_equal(irqs(f), 1);
	ctr_set(f, 0x04); /* heard, but by polling */
	(void)answer(f);
	assert_int_equal(irqs(f), 0);
	ctr_set(f, 0x05);
	assert_int_equal(irqs(f), 1);
}

static void an_answer_of_the_controller_comes_before_keys(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(ctr_get(f), 0x05);
	assert_int_equal(irqs(f), 1); /* the key is in front again */
	assert_int_equal(answer(f), 0x14);
	for (int i = 0; i < 3; i++)
		(void)answer(f);
	(void)irqs(f);
	command(f, 0x20);
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	assert_int_equal(irqs(f), 0); /* not its turn yet */
	assert_int_equal(answer(f), 0x05);
	assert_int_equal(irqs(f), 1);
}

static void a_wide_read_is_one_byte(void **state)
{
	const struct fixture *f = *state;
	uint8_t wide[4] = {1, 1, 1, 1};

	i8042_command_bus_ops.read(f->i8042, 0, wide, 4);
	assert_int_equal(wide[0], 0x14);
	assert_int_equal(wide[1] | wide[2] | wide[3], 0);
}

static void state_survives_a_snapshot(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64];
	struct state saving = {
		.data = bytes, .size_bytes = sizeof(bytes), .saving = true};
	struct state loading = {.data = bytes};

	ctr_set(f, 0x45);
	assert_int_equal(i8042_press_ctrl_alt_del(f->i8042, NULL), 0);
	assert_int_equal(answer(f), 0x1d);
	(void)irqs(f);
	assert_int_equal(i8042_ops.save(f->i8042, &saving), 0);
	i8042_ops.reset(f->i8042);
	assert_false(status(f) & OUTPUT_FULL);
	assert_int_equal(ctr_get(f), 0x05);
	loading.size_bytes = saving.at;
	assert_int_equal(i8042_ops.restore(f->i8042, &loading), 0);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(answer(f), 0x38);
	assert_int_equal(ctr_get(f), 0x45);

	loading = (struct state){.data = bytes, .size_bytes = saving.at};
	bytes[8] = I8042_BUFFER_BYTES + 1; /* buffer_count */
	assert_int_equal(i8042_ops.restore(f->i8042, &loading), -EINVAL);
	assert_int_equal(ctr_get(f), 0x45);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_gets_every_answer_at_once),
		TEST(ports_of_the_controller_read_back),
		TEST(status_tells_where_the_last_write_went),
		TEST(pulsing_the_reset_line_resets),
		TEST(the_keyboard_acknowledges_everything),
		TEST(talking_to_the_keyboard_enables_it),
		TEST(ctrl_alt_del_comes_with_an_interrupt_a_byte),
		TEST(ctrl_alt_del_is_translated_when_asked_for),
		TEST(a_guest_that_does_not_read_fills_the_buffer),
		TEST(a_disabled_keyboard_waits),
		TEST(an_answer_of_the_controller_comes_before_keys),
		TEST(a_wide_read_is_one_byte),
		TEST(state_survives_a_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
