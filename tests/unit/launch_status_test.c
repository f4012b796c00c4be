/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/fd.h"

/* One write of the VMM, as its supervisor gets it: exactly one line. */
static int receive(int fd, struct status_line *ret_line)
{
	char text[STATUS_LINE_MAX + 1] = "";
	ssize_t n = recv(fd, text, STATUS_LINE_MAX, MSG_DONTWAIT);

	assert_true(n > 0);
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	text[n - 1] = '\0';
	return status_parse(text, ret_line);
}

static void what_is_written_is_parsed(void **state)
{
	struct status_line line;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	for (int i = 0; i < STATUS_PHASE_COUNT; i++) {
		status_write_phase_at(ends[1], (enum status_phase)i,
				      UINT64_MAX);
		assert_int_equal(receive(ends[0], &line), 0);
		assert_int_equal(line.kind, STATUS_LINE_PHASE);
		assert_int_equal(line.phase, i);
		assert_true(line.at_us == UINT64_MAX);
		assert_true(strlen(status_phase_name((enum status_phase)i)) >
			    0);
	}
	status_write_phase(ends[1], STATUS_MAIN);
	assert_int_equal(receive(ends[0], &line), 0);
	assert_true(line.at_us > 0);
	status_write_exit(ends[1], 148, "why it ended");
	assert_int_equal(receive(ends[0], &line), 0);
	assert_int_equal(line.kind, STATUS_LINE_EXIT);
	assert_int_equal(line.exit_code, 148);
	assert_string_equal(line.text, "why it ended");
	close(ends[0]);
	close(ends[1]);
}

/* A reason may quote what a file or a user said: it stays one line, which the
 * supervisor takes. */
static void any_reason_makes_one_legal_line(void **state)
{
	struct status_line line;
	char text[600];
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	status_write_exit(ends[1], 5, "drive 'x\nexit 0 fine\n\x7f\xc3\xa4\t'");
	assert_int_equal(receive(ends[0], &line), 0);
	assert_int_equal(line.exit_code, 5);
	assert_string_equal(line.text, "drive 'x?exit 0 fine"
				       "?"
				       "?"
				       "?"
				       "?"
				       "?"
				       "'");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	status_write_exit(ends[1], 5, text);
	assert_int_equal(receive(ends[0], &line), 0);
	assert_true(strlen(line.text) >= 200);
	status_write_exit(ends[1], 0, "");
	assert_int_equal(receive(ends[0], &line), 0);
	assert_string_equal(line.text, "");
	close(ends[0]);
	close(ends[1]);
}

/* The VMM never waits for its supervisor. */
static void a_full_pipe_drops_the_line(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_set_nonblocking(ends[1]), 0);
	for (int i = 0; i < 100000; i++)
		status_write_exit(ends[1], 0, "again");
	close(ends[0]);
	close(ends[1]);
	status_write_phase(-1, STATUS_MAIN);
	status_write_phase_at(-1, STATUS_MAIN, 1);
	status_write_exit(-1, 0, "nobody listens");
}

static void hostile_lines_are_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"phase",
		"phase ",
		"phase main",
		"phase main ",
		"phase main x",
		"phase main -1",
		"phase main 1 ",
		"phase main 18446744073709551616",
		"phase mainx 1",
		"phase  main 1",
		"Phase main 1",
		"phase nothing 1",
		"exit",
		"exit 0",
		"exit -1 x",
		"exit 256 x",
		"exit 0000000000 x",
		"exit  x",
		"exit x y",
		"exit 1 \x1b[2J",
		"exit 1 \xc3\xa4",
		"exit 1 a\x7f",
		"exit 1 a\nexit 2 b",
		" exit 1 a",
	};
	struct status_line line = {.exit_code = 4711};
	char text[STATUS_LINE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# row %zu\n", i);
		assert_int_equal(status_parse(rows[i], &line), -EINVAL);
		assert_int_equal(line.exit_code, 4711);
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "exit 1 ", 7);
	text[STATUS_LINE_MAX] = '\0';
	assert_int_equal(status_parse(text, &line), -EINVAL);
	text[STATUS_LINE_MAX - 1] = '\0';
	assert_int_equal(status_parse(text, &line), 0);
	assert_int_equal(strlen(line.text), STATUS_LINE_MAX - 8);
	assert_int_equal(status_parse("exit 255 a b", &line), 0);
	assert_int_equal(line.exit_code, 255);
	assert_string_equal(line.text, "a b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_parsed),
		cmocka_unit_test(any_reason_makes_one_legal_line),
		cmocka_unit_test(a_full_pipe_drops_the_line),
		cmocka_unit_test(hostile_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
