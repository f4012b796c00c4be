/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "virtio_driver.h"

static int set_up(void **state)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	struct rng *rng = NULL;

	assert_int_equal(rng_create(&rng, NULL), 0);
	driver_open(driver, &rng_ops, rng);
	assert_true(driver_start(
		driver, VIRTIO_F_VERSION_1 | VIRTIO_QUEUE_FEATURES, 256));
	(void)driver_pump(driver);
	*state = driver;
	return 0;
}

static int tear_down(void **state)
{
	driver_close(*state);
	free(*state);
	return 0;
}

static uint32_t serve(struct driver *driver)
{
	struct driver_used used = {0};

	driver_kick(driver, 0);
	(void)driver_pump(driver);
	assert_true(driver_take_used(&driver->queues[0], &used));
	return used.len;
}

/* 64 bytes of zero come with a chance of 2^-512. */
static bool is_zero(const struct driver *driver, gpa_t gpa)
{
	static const uint8_t zero[64];
	uint8_t got[64];

	assert_int_equal(guest_read(&driver->memory, gpa, got, 64), 0);
	return memcmp(got, zero, 64) == 0;
}

static void buffers_are_filled_to_the_end(void **state)
{
	struct driver *driver = *state;
	const struct driver_part parts[] = {
		{DRIVER_DATA, 64, true},
		{DRIVER_HIGH, 1000, true},
	};

	(void)driver_add(&driver->queues[0], parts, 2);
	assert_int_equal(serve(driver), 1064);
	assert_false(is_zero(driver, DRIVER_DATA));
	assert_true(is_zero(driver, DRIVER_DATA + 64));
	assert_false(is_zero(driver, DRIVER_HIGH + 936));
	assert_true(is_zero(driver, DRIVER_HIGH + 1000));
	assert_int_equal(driver_irqs(driver), 1);
}

static void a_request_gives_64_kib_at_the_most(void **state)
{
	struct driver *driver = *state;
	const struct driver_part parts[] = {
		{DRIVER_DATA, 0xff00, true},
		{DRIVER_HIGH, 0x1000, true},
	};
	const struct driver_part one = {DRIVER_HIGH, 0x80000, true};

	(void)driver_add(&driver->queues[0], parts, 2);
	assert_int_equal(serve(driver), 65536);
	assert_false(is_zero(driver, DRIVER_HIGH + 0x100 - 64));
	assert_true(is_zero(driver, DRIVER_HIGH + 0x100));
	(void)driver_add(&driver->queues[0], &one, 1);
	assert_int_equal(serve(driver), 65536);
	assert_true(is_zero(driver, DRIVER_HIGH + 0x10000));
}

static void nothing_to_write_comes_back_empty(void **state)
{
	struct driver *driver = *state;
	const struct driver_part parts[] = {
		{DRIVER_DATA, 64, false},
		{DRIVER_DATA, 0, true},
	};

	(void)driver_add(&driver->queues[0], parts, 1);
	assert_int_equal(serve(driver), 0);
	(void)driver_add(&driver->queues[0], parts, 2);
	assert_int_equal(serve(driver), 0);
	assert_true(is_zero(driver, DRIVER_DATA));
}

static void a_turn_has_a_budget(void **state)
{
	struct driver *driver = *state;
	const struct driver_part part = {DRIVER_DATA, 1, true};
	struct driver_used used;

	for (unsigned i = 0; i < 256; i++)
		(void)driver_add(&driver->queues[0], &part, 1);
	driver_kick(driver, 0);
	assert_in_range(driver_pump(driver), 32, 34);
	for (unsigned i = 0; i < 256; i++)
		assert_true(driver_take_used(&driver->queues[0], &used));
}

static void a_bad_chain_is_a_fault(void **state)
{
	struct driver *driver = *state;
	const struct driver_part part = {DRIVER_LOW_BYTES, 64, true};

	(void)driver_add(&driver->queues[0], &part, 1);
	driver_kick(driver, 0);
	(void)driver_pump(driver);
	assert_int_equal(driver_reg(driver, REG_STATUS), 15 | 64);
}

static void it_is_an_entropy_device(void **state)
{
	struct driver *driver = *state;
	uint32_t config = UINT32_MAX;

	assert_int_equal(driver_reg(driver, REG_DEVICE_ID), 4);
	assert_true(driver_features(driver) ==
		    (VIRTIO_F_VERSION_1 | VIRTIO_QUEUE_FEATURES));
	driver_config(driver, 0, &config, 4); /* it has none */
	assert_int_equal(config, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(buffers_are_filled_to_the_end),
		TEST(a_request_gives_64_kib_at_the_most),
		TEST(nothing_to_write_comes_back_empty),
		TEST(a_turn_has_a_budget),
		TEST(a_bad_chain_is_a_fault),
		TEST(it_is_an_entropy_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
