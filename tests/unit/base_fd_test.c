/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void closing_forgets(void **state)
{
	int fd = dup(STDERR_FILENO);
	int kept = fd;

	(void)state;
	assert_true(is_open(kept));
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_false(is_open(kept));
	fd_close(&fd);
	fd_cleanup(&fd);
}

static int leave_scope(bool steal)
{
	cleanup_fd int fd = dup(STDERR_FILENO);
	int number = fd;

	if (steal)
		return fd_steal(&fd);
	return number;
}

static void scope_closes_what_was_not_stolen(void **state)
{
	int fd = leave_scope(true);

	(void)state;
	assert_true(is_open(fd));
	fd_close(&fd);
	assert_false(is_open(leave_scope(false)));
}

static void whole_or_failure(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	char text[8] = {0};
	int ends[2];

	(void)state;
	assert_int_equal(fd_write_full(fd, "abcdef", 6), 0);
	assert_int_equal(fd_pread_full(fd, text, 4, 2), 0);
	assert_string_equal(text, "cdef");
	assert_int_equal(fd_pread_full(fd, text, 0, 100), 0);
	assert_int_equal(fd_pread_full(fd, text, 5, 2), -EPIPE);
	assert_int_equal(fd_pread_full(-1, text, 1, 0), -EBADF);
	assert_int_equal(fd_write_full(-1, text, 1), -EBADF);
	assert_int_equal(fd_read_full(-1, text, 1), -EBADF);
	fd_close(&fd);

	/* What comes in pieces is put together. */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_write_full(ends[1], "ab", 2), 0);
	assert_int_equal(fd_write_full(ends[1], "cd", 2), 0);
	memset(text, 0, sizeof(text));
	assert_int_equal(fd_read_full(ends[0], text, 3), 0);
	assert_string_equal(text, "abc");
	fd_close(&ends[1]);
	assert_int_equal(fd_read_full(ends[0], text, 2), -EPIPE);
	fd_close(&ends[0]);
}

static void flags_are_added(void **state)
{
	int ends[2];
	int waiting = -1;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_set_cloexec(ends[0]), 0);
	assert_int_equal(fcntl(ends[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(ends[1], F_GETFD) & FD_CLOEXEC, 0);
	assert_int_equal(fd_set_nonblocking(ends[0]), 0);
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fd_ioctl(ends[0], FIONREAD, &waiting), 0);
	assert_int_equal(waiting, 0);
	assert_int_equal(fd_ioctl(ends[0], 0, NULL), -ENOTTY);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	assert_int_equal(fd_ioctl_number(-1, FIONREAD, 0), -EBADF);
	assert_int_equal(fd_set_cloexec(-1), -EBADF);
	assert_int_equal(fd_set_nonblocking(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing_forgets),
		cmocka_unit_test(scope_closes_what_was_not_stolen),
		cmocka_unit_test(whole_or_failure),
		cmocka_unit_test(flags_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
