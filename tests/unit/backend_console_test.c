/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/console.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

#define PIPE_BYTES 4096

struct fixture {
	struct console *console;
	int to_input; /* what the outside writes */
	int from_output;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int in[2];
	int out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(fcntl(out[1], F_SETPIPE_SZ, PIPE_BYTES), PIPE_BYTES);
	assert_int_equal(console_create(in[0], out[1], &f->console, NULL), 0);
	f->to_input = in[1];
	f->from_output = out[0];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	console_destroy(f->console);
	fd_close(&f->to_input);
	fd_close(&f->from_output);
	free(f);
	return 0;
}

static uint8_t nth_byte(unsigned n)
{
	return (uint8_t)(n * 7 + n / 251);
}

static void put_bytes(struct console *console, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++)
		(void)console_put(console, nth_byte(n));
}

static void expect_bytes(int fd, unsigned from, unsigned to)
{
	static uint8_t bytes[CONSOLE_RING_BYTES];

	assert_int_equal(fd_read_full(fd, bytes, to - from), 0);
	for (unsigned n = from; n < to; n++)
		assert_int_equal(bytes[n - from], nth_byte(n));
}

static void what_is_put_comes_out_in_order(void **state)
{
	struct fixture *f = *state;

	put_bytes(f->console, 0, 1000);
	assert_int_equal(console_drain(f->console), 0);
	expect_bytes(f->from_output, 0, 1000);
}

static void only_the_first_byte_asks_for_a_drain(void **state)
{
	struct fixture *f = *state;

	assert_true(console_put(f->console, 'a'));
	assert_false(console_put(f->console, 'b'));
	assert_int_equal(console_drain(f->console), 0);
	assert_true(console_put(f->console, 'c'));
}

static void a_full_ring_drops_the_newest_and_counts(void **state)
{
	struct fixture *f = *state;
	struct console_counters counters;

	put_bytes(f->console, 0, CONSOLE_RING_BYTES + 10);
	console_read_counters(f->console, &counters);
	assert_int_equal(counters.dropped_bytes, 10);
	assert_int_equal(console_drain(f->console), -EAGAIN);
	expect_bytes(f->from_output, 0, PIPE_BYTES);
}

/* What the pipe holds now, which should go on at `from`. */
static unsigned expect_some(int fd, unsigned from)
{
	uint8_t bytes[PIPE_BYTES];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	assert_true(n > 0);
	for (unsigned i = 0; i < (size_t)n; i++)
		assert_int_equal(bytes[i], nth_byte(from + i));
	return (unsigned)n;
}

static void a_slow_reader_gets_all_of_it_around_the_rings_end(void **state)
{
	struct fixture *f = *state;
	const unsigned total = 3 * CONSOLE_RING_BYTES;
	struct console_counters counters;
	unsigned put = 100; /* so that the ring's end falls into a write */
	unsigned got = 0;

	put_bytes(f->console, 0, put);
	while (got < total) {
		(void)console_drain(f->console);
		got += expect_some(f->from_output, got);
		for (; put < total && put < got + 60000; put++)
			(void)console_put(f->console, nth_byte(put));
	}
	console_read_counters(f->console, &counters);
	assert_int_equal(counters.dropped_bytes, 0);
	assert_int_equal(counters.written_bytes, total);
}

static void a_flush_gives_up_on_a_stuck_reader(void **state)
{
	struct fixture *f = *state;

	put_bytes(f->console, 0, PIPE_BYTES + 1);
	assert_int_equal(console_flush(f->console, 20), -ETIMEDOUT);
	expect_bytes(f->from_output, 0, PIPE_BYTES);
	assert_int_equal(console_flush(f->console, 20), 0);
	expect_bytes(f->from_output, PIPE_BYTES, PIPE_BYTES + 1);
}

static void a_reader_that_is_gone_loses_bytes_not_the_console(void **state)
{
	struct fixture *f = *state;
	struct console_counters counters;

	fd_close(&f->from_output);
	put_bytes(f->console, 0, 100);
	assert_int_equal(console_drain(f->console), 0);
	assert_int_equal(console_flush(f->console, 20), 0);
	console_read_counters(f->console, &counters);
	assert_int_equal(counters.dropped_bytes, 100);
	assert_int_equal(counters.written_bytes, 0);
}

static void without_descriptors_output_is_dropped(void **state)
{
	struct console *console = NULL;
	struct console_counters counters;

	(void)state;
	assert_int_equal(console_create(-1, -1, &console, NULL), 0);
	assert_int_equal(console_in_fd(console), -1);
	assert_int_equal(console_out_fd(console), -1);
	assert_false(console_put(console, 'x'));
	assert_int_equal(console_drain(console), 0);
	console_read_counters(console, &counters);
	assert_int_equal(counters.dropped_bytes, 1);
	console_destroy(console);
	console_destroy(NULL);
}

static void input_is_read_until_its_end(void **state)
{
	struct fixture *f = *state;
	char bytes[8];

	assert_int_equal(console_read(f->console, bytes, 8), -EAGAIN);
	assert_int_equal(fd_write_full(f->to_input, "hello", 5), 0);
	assert_int_equal(console_read(f->console, bytes, 3), 3);
	assert_memory_equal(bytes, "hel", 3);
	assert_int_equal(console_read(f->console, bytes, 8), 2);
	fd_close(&f->to_input);
	assert_int_equal(console_read(f->console, bytes, 8), 0);
}

static void a_closed_descriptor_is_refused_by_name(void **state)
{
	struct console *console = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(console_create(-1, 9999, &console, &err), -EBADF);
	assert_string_equal(err.msg, "console output: Bad file descriptor");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_comes_out_in_order),
		TEST(only_the_first_byte_asks_for_a_drain),
		TEST(a_full_ring_drops_the_newest_and_counts),
		TEST(a_slow_reader_gets_all_of_it_around_the_rings_end),
		TEST(a_flush_gives_up_on_a_stuck_reader),
		TEST(a_reader_that_is_gone_loses_bytes_not_the_console),
		cmocka_unit_test(without_descriptors_output_is_dropped),
		TEST(input_is_read_until_its_end),
		cmocka_unit_test(a_closed_descriptor_is_refused_by_name),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
