/* SPDX-License-Identifier: Apache-2.0 */
/* What a VMM says, hostile or not, and what becomes of it on standard error,
 * which is a file for the time of a test. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "jailer/report.h"
#include "launch/exit_status.h"

static struct report report;
static char printed[1 << 20];
static int saved_stderr, capture;

static int start(void **state)
{
	(void)state;
	report_init(&report, "web");
	(void)fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	capture = memfd_create("stderr", 0);
	return dup2(capture, STDERR_FILENO) < 0 ? -1 : 0;
}

static const char *output(void)
{
	(void)fflush(stderr);
	ssize_t n = pread(capture, printed, sizeof(printed) - 1, 0);
	printed[n < 0 ? 0 : n] = '\0';
	return printed;
}

static int stop(void **state)
{
	(void)state;
	(void)fflush(stderr);
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	return close(capture);
}

/* Through a pipe, in pieces of `piece` bytes. */
static void feed(bool (*take)(struct report *, int), const char *text,
		 size_t piece)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	for (size_t len = strlen(text); len > 0;) {
		size_t n = len < piece ? len : piece;

		assert_int_equal(write(ends[1], text, n), (ssize_t)n);
		(void)take(&report, ends[0]);
		text += n;
		len -= n;
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int finish(int code)
{
	const struct report_end end = {.code = code};

	return report_finish(&report, &end);
}

static void lines_are_whole_whatever_the_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 9; piece++)
		feed(report_log, "one\ntwo\n\n", piece);
	assert_int_equal(finish(0), 0);
	const char *at = output();
	for (int i = 0; i < 8; i++) {
		static const char both[] = "kiln: web: vmm: one\n"
					   "kiln: web: vmm: two\n";

		assert_memory_equal(at, both, sizeof(both) - 1);
		at += sizeof(both) - 1;
	}
	assert_string_equal(at, "");
}

static void control_bytes_are_shown(void **state)
{
	(void)state;
	feed(report_log, "a\033[2Jb\x80\r\n", 100);
	assert_string_equal(output(), "kiln: web: vmm: a\\x1b[2Jb\\x80\\x0d\n");
}

static void long_lines_are_split_and_the_rest_is_dropped(void **state)
{
	static char block[1001];

	(void)state;
	memset(block, 'x', 1000);
	for (int i = 0; i < 200; i++)
		feed(report_log, block, 1000);
	(void)finish(0);
	assert_true(strlen(output()) < 2 * REPORT_TOTAL_MAX);
	assert_non_null(strstr(printed, "too many messages"));
}

static void the_reason_is_printed_once(void **state)
{
	(void)state;
	feed(report_log, "kiln-vmm: no such thing\n", 100);
	feed(report_status, "exit 1 no such thing\n", 100);
	assert_int_equal(finish(1), 1);
	assert_string_equal(output(), "kiln: web: no such thing\n");
}

static void a_held_message_that_is_not_the_reason_is_not_lost(void **state)
{
	(void)state;
	feed(report_log, "kiln-vmm: warning\n", 100);
	feed(report_status, "exit 1 reason\n", 100);
	assert_int_equal(finish(1), 1);
	assert_string_equal(output(), "kiln: web: vmm: kiln-vmm: warning\n"
				      "kiln: web: reason\n");
}

static void a_denied_call_has_its_name(void **state)
{
	(void)state;
	feed(report_log,
	     "kiln-vmm: denied: syscall 1 in thread loop at ip 0x7f\n", 100);
	assert_int_equal(finish(EXIT_STATUS_BAD_SYSCALL),
			 EXIT_STATUS_BAD_SYSCALL);
#ifdef __x86_64__
	assert_string_equal(output(),
			    "kiln: web: seccomp: the VMM called write(1) in "
			    "thread loop at ip 0x7f, which its policy "
			    "denies\n");
#endif
}

static void a_denial_without_sense_is_a_message(void **state)
{
	(void)state;
	feed(report_log, "kiln-vmm: denied: syscall 99999999999 x\n", 100);
	assert_int_equal(finish(EXIT_STATUS_BAD_SYSCALL),
			 EXIT_STATUS_BAD_SYSCALL);
	assert_non_null(strstr(output(), "vmm: kiln-vmm: denied"));
	assert_non_null(strstr(printed, "broke its seccomp policy"));
}

static void phases_and_only_the_first_end_are_kept(void **state)
{
	(void)state;
	feed(report_status,
	     "phase main 5\nphase other 6\nexit 3 first\nexit 4 second\n", 7);
	assert_int_equal(report.phase_us[STATUS_MAIN], 5);
	assert_int_equal(finish(3), 3);
	assert_string_equal(output(), "kiln: web: first\n");
}

static void status_lines_have_an_end(void **state)
{
	(void)state;
	for (int i = 0; i < STATUS_LINES_MAX; i++)
		feed(report_status, "phase main 5\n", 100);
	feed(report_status, "phase main 6\n", 100);
	assert_int_equal(report.phase_us[STATUS_MAIN], 5);
}

static void a_status_of_kiln_s_own_is_not_the_vmm_s_to_give(void **state)
{
	static const int forged[] = {64, 78, 125, 137, 255};

	(void)state;
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
		assert_int_equal(finish(forged[i]), EXIT_STATUS_VMM);
	assert_non_null(strstr(output(), "the VMM ended with status 137"));
	assert_int_equal(finish(63), 63);
}

/* Number in the row of --timings that starts so; -1: no such row. */
static long long row_us(const char *start)
{
	const char *row = strstr(output(), start);

	return row == NULL ? -1 : strtoll(row + strlen(start), NULL, 10);
}

static void timings_count_the_guest_s_time(void **state)
{
	static const struct jail jail = {.started_us = 1000};
	const struct rusage usage = {0};

	(void)state;
	report.phase_us[STATUS_STARTED] = 1500;
	report.ended_us = 4500;
	report_timings(&report, &jail, 900, &usage);
	assert_int_equal(row_us("  guest ran "), 3000);
	assert_int_equal(row_us("        total "), 3600);
}

static void the_guest_ran_until_its_exit_line(void **state)
{
	(void)state;
	feed(report_status, "phase started 5\nexit 0 power-off\n", 100);
	uint64_t at_us = report.ended_us;
	assert_int_not_equal(at_us, 0);
	assert_int_equal(finish(0), 0);
	assert_int_equal(report.ended_us, at_us);
}

static void a_guest_that_never_ran_has_no_row(void **state)
{
	static const struct jail jail = {.started_us = 1000};
	const struct rusage usage = {0};

	(void)state;
	assert_int_equal(finish(5), 5);
	report_timings(&report, &jail, 900, &usage);
	assert_int_equal(row_us("  guest ran "), -1);
}

static void an_end_by_signal_says_which(void **state)
{
	const struct report_end segv = {.killed = true, .code = SIGSEGV};
	const struct report_end oom = {
		.killed = true, .code = SIGKILL, .oom_kills = 1};

	(void)state;
	assert_int_equal(report_finish(&report, &segv), 128 + SIGSEGV);
	assert_non_null(strstr(output(), "signal 11 (SIGSEGV)"));
	assert_int_equal(report_finish(&report, &oom), 128 + SIGKILL);
	assert_non_null(strstr(output(), "out of the memory"));
}

static void no_word_about_a_clean_end(void **state)
{
	(void)state;
	feed(report_status, "exit 0 power-off\n", 100);
	assert_int_equal(finish(0), 0);
	assert_string_equal(output(), "");
}

int main(void)
{
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, start, stop)
	const struct CMUnitTest tests[] = {
		CAPTURED(lines_are_whole_whatever_the_pieces),
		CAPTURED(control_bytes_are_shown),
		CAPTURED(long_lines_are_split_and_the_rest_is_dropped),
		CAPTURED(the_reason_is_printed_once),
		CAPTURED(a_held_message_that_is_not_the_reason_is_not_lost),
		CAPTURED(a_denied_call_has_its_name),
		CAPTURED(a_denial_without_sense_is_a_message),
		CAPTURED(phases_and_only_the_first_end_are_kept),
		CAPTURED(status_lines_have_an_end),
		CAPTURED(a_status_of_kiln_s_own_is_not_the_vmm_s_to_give),
		CAPTURED(timings_count_the_guest_s_time),
		CAPTURED(the_guest_ran_until_its_exit_line),
		CAPTURED(a_guest_that_never_ran_has_no_row),
		CAPTURED(an_end_by_signal_says_which),
		CAPTURED(no_word_about_a_clean_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
