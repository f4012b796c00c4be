/* SPDX-License-Identifier: Apache-2.0 */
#include "core/state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sample {
	uint8_t a;
	uint16_t b;
	uint32_t c;
	uint64_t d;
	bool e;
	char f[3];
};

static int pass(struct sample *s, struct state *state)
{
	state_u8(state, &s->a);
	state_u16(state, &s->b);
	state_u32(state, &s->c);
	state_u64(state, &s->d);
	state_bool(state, &s->e);
	state_bytes(state, s->f, sizeof(s->f));
	return state_status(state);
}

#define SAMPLE_BYTES (1 + 2 + 4 + 8 + 1 + 3)

static void what_is_saved_comes_back(void **state)
{
	struct sample saved = {1,          0x0203,
			       0x04050607, 0x08090a0b0c0d0e0f,
			       true,       {'x', 'y', 'z'}};
	struct sample restored = {0};
	uint8_t data[SAMPLE_BYTES];
	struct state cursor = {
		.data = data, .size_bytes = sizeof(data), .saving = true};

	(void)state;
	assert_int_equal(pass(&saved, &cursor), 0);
	assert_int_equal(cursor.at, SAMPLE_BYTES);
	assert_memory_equal(data, "\x01\x03\x02\x07\x06\x05\x04\x0f", 8);
	cursor = (struct state){.data = data, .size_bytes = sizeof(data)};
	assert_int_equal(pass(&restored, &cursor), 0);
	assert_int_equal(restored.a, saved.a);
	assert_int_equal(restored.b, saved.b);
	assert_int_equal(restored.c, saved.c);
	assert_int_equal(restored.d, saved.d);
	assert_true(restored.e);
	assert_memory_equal(restored.f, saved.f, 3);
}

/* Cut at any byte: no byte beyond is touched, in either direction. */
static void a_short_state_fails_for_good(void **state)
{
	(void)state;
	for (size_t len = 0; len < SAMPLE_BYTES; len++) {
		uint8_t *data = malloc(len == 0 ? 1 : len);
		struct sample sample = {.d = 7};
		struct state cursor = {
			.data = data, .size_bytes = len, .saving = true};

		assert_int_equal(pass(&sample, &cursor), -EINVAL);
		assert_true(cursor.at <= len);
		memset(data, 1, len == 0 ? 1 : len);
		cursor = (struct state){.data = data, .size_bytes = len};
		assert_int_equal(pass(&sample, &cursor), -EINVAL);
		if (len < 15)
			assert_int_equal(sample.d, 7);
		free(data);
	}
}

static void after_a_failure_nothing_is_read(void **state)
{
	uint8_t data[4] = {1, 2, 3, 4};
	struct state cursor = {.data = data, .size_bytes = sizeof(data)};
	uint64_t large = 5;
	uint8_t small = 6;

	(void)state;
	state_u64(&cursor, &large);
	state_u8(&cursor, &small);
	assert_int_equal(large, 5);
	assert_int_equal(small, 6);
	assert_int_equal(state_status(&cursor), -EINVAL);
}

static void a_bool_is_zero_or_one(void **state)
{
	uint8_t data[3] = {0, 2, 1};
	struct state cursor = {.data = data, .size_bytes = sizeof(data)};
	bool value = true;

	(void)state;
	state_bool(&cursor, &value);
	assert_false(value);
	state_bool(&cursor, &value);
	assert_false(value);
	assert_int_equal(state_status(&cursor), -EINVAL);
}

static void a_device_can_refuse(void **state)
{
	struct state cursor = {.data = NULL};

	(void)state;
	assert_int_equal(state_status(&cursor), 0);
	state_refuse(&cursor);
	assert_int_equal(state_status(&cursor), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_comes_back),
		cmocka_unit_test(a_short_state_fails_for_good),
		cmocka_unit_test(after_a_failure_nothing_is_read),
		cmocka_unit_test(a_bool_is_zero_or_one),
		cmocka_unit_test(a_device_can_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
