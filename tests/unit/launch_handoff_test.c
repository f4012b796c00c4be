/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiver compares its list with every descriptor that is open, so each
 * receive happens in a child that has closed what does not belong.
 */
#include "launch/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/fd.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#define MEMFD_AT 9
#define VM       "\"vm\":{\"id\":\"a\"}"
#define FDS                                                                    \
	"\"fds\":[{\"role\":\"kvm\",\"fd\":3},{\"role\":\"kernel\",\"fd\":4}]"
#define DOCUMENT "{\"version\":1," VM "," FDS "}"

static struct handoff handoff;

struct outcome {
	int result;
	struct err err;
	unsigned fd_count;
	char id[8];
	int kvm;
	int kvm_flags;
	bool memfd_open;
};

static int memfd_of(const void *text, size_t len, int seals)
{
	int fd = memfd_create("launch", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, len), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* Child: open_count descriptors from 3 on, the memfd, and nothing else. */
static void child(int memfd, int open_count, int outcome_fd)
{
	static struct outcome outcome;
	/* The tightest that a jail may be. */
	const struct rlimit tight = {64, 64};
	int null = open("/dev/null", O_RDWR);

	/* Far above the numbers at which the receiver looks. */
	null = dup2(null, 400);
	memfd = dup2(memfd, 401);
	outcome_fd = dup2(outcome_fd, 402);
	for (int i = 3; i < 400; i++)
		(void)close(i);
	for (int i = 0; i < open_count; i++)
		(void)dup2(null, 3 + i);
	memfd = dup2(memfd, MEMFD_AT);
	(void)setrlimit(RLIMIT_NOFILE, &tight);
	outcome.result = handoff_receive(memfd, &handoff, &outcome.err);
	outcome.fd_count = handoff.fd_count;
	memcpy(outcome.id, handoff.machine.id, sizeof(outcome.id) - 1);
	outcome.memfd_open = fcntl(MEMFD_AT, F_GETFD) >= 0;
	outcome.kvm = handoff_take(&handoff, "%s", "kvm");
	outcome.kvm_flags = fcntl(outcome.kvm, F_GETFD);
	(void)fd_write_full(outcome_fd, &outcome, sizeof(outcome));
	_exit(0);
}

static struct outcome receive(int memfd, int open_count)
{
	struct outcome outcome;
	int ends[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(memfd, open_count, ends[1]);
	(void)close(ends[1]);
	assert_int_equal(fd_read_full(ends[0], &outcome, sizeof(outcome)), 0);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return outcome;
}

static struct outcome receive_text(const char *text, int open_count)
{
	int memfd = memfd_of(text, strlen(text), SEALS);
	struct outcome outcome = receive(memfd, open_count);

	(void)close(memfd);
	return outcome;
}

static void assert_refused(const struct outcome *outcome, const char *says)
{
	assert_true(outcome->result < 0);
	if (strstr(outcome->err.msg, says) == NULL)
		fail_msg("wanted \"%s\" in \"%s\"", says, outcome->err.msg);
}

static void a_machine_arrives(void **state)
{
	struct outcome outcome = receive_text(DOCUMENT, 2);

	(void)state;
	assert_string_equal(outcome.err.msg, "");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.fd_count, 2);
	assert_string_equal(outcome.id, "a");
	assert_int_equal(outcome.kvm, 3);
	assert_int_equal(outcome.kvm_flags, FD_CLOEXEC);
	assert_false(outcome.memfd_open);
}

static void what_is_sent_is_received(void **state)
{
	struct handoff sent = {.fd_count = 0};
	struct outcome outcome;
	struct err err = {0};
	int memfd = -1;

	(void)state;
	machine_default(&sent.machine);
	strcpy(sent.machine.id, "a");
	assert_int_equal(handoff_add(&sent, 3, "%s", "kvm"), 0);
	assert_int_equal(handoff_add(&sent, 4, "drive:%s", "root"), 0);
	assert_int_equal(handoff_send(&sent, &memfd, &err), 0);
	assert_int_equal(fcntl(memfd, F_GET_SEALS) & SEALS, SEALS);
	assert_int_equal(fcntl(memfd, F_GETFD), FD_CLOEXEC);
	outcome = receive(memfd, 2);
	assert_string_equal(outcome.err.msg, "");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.fd_count, 2);
	(void)close(memfd);
}

static void a_memfd_that_could_change_is_refused(void **state)
{
	static const int all[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW,
				  F_SEAL_WRITE};
	struct outcome outcome;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		fd = memfd_of(DOCUMENT, strlen(DOCUMENT), SEALS & ~all[i]);
		outcome = receive(fd, 2);
		assert_refused(&outcome, "launch memfd is not sealed");
		(void)close(fd);
	}
	fd = open("/dev/null", O_RDWR);
	outcome = receive(fd, 2);
	assert_refused(&outcome, "launch descriptor 9 is no sealed memfd");
	(void)close(fd);
}

static void its_size_is_bounded(void **state)
{
	static char text[HANDOFF_JSON_MAX + 1];
	struct outcome outcome;
	int fd = memfd_of("", 0, SEALS);

	(void)state;
	outcome = receive(fd, 2);
	assert_refused(&outcome, "launch description of 0 bytes");
	(void)close(fd);
	memset(text, ' ', sizeof(text));
	memcpy(text, DOCUMENT, sizeof(DOCUMENT) - 1);
	fd = memfd_of(text, sizeof(text), SEALS);
	outcome = receive(fd, 2);
	assert_refused(&outcome, "launch description of 32769 bytes");
	(void)close(fd);
	fd = memfd_of(text, sizeof(text) - 1, SEALS);
	outcome = receive(fd, 2);
	assert_int_equal(outcome.result, 0);
	(void)close(fd);
}

struct refusal {
	const char *text, *says;
};

static void check_refusals(const struct refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome = receive_text(rows[i].text, 2);

		print_message("# %s\n", rows[i].text);
		assert_refused(&outcome, rows[i].says);
	}
}

static void the_frame_is_strict(void **state)
{
	static const struct refusal rows[] = {
		{"[]", "expected an object, found an array"},
		{"{}", "wants the members version, vm and fds"},
		{"{\"version\":2," VM "," FDS "}", "version is not 1"},
		{"{\"version\":\"1\"," VM "," FDS "}", "version is not 1"},
		{"{" VM "," FDS "}", "wants the members"},
		{"{\"version\":1," FDS "}", "wants the members"},
		{"{\"version\":1," VM "}", "wants the members"},
		{"{\"version\":1,\"more\":1," VM "," FDS "}",
		 "unknown member 'more'"},
		{"{\"version\":1,\"\\u0076ersion\":1," VM "}",
		 "key occurs twice"},
		{"{\"version\":1,\"vm\":[]," FDS "}", "expected an object"},
		{"{\"version\":1,\"vm\":{\"id\":\"../a\"}," FDS "}", "id"},
		{"{\"version\":1,\"vm\":{}," FDS "}", "id"},
		{DOCUMENT "x", "more input after the value"},
	};

	(void)state;
	check_refusals(rows, ARRAY_LEN(rows));
}

#define WITH_FDS(list) "{\"version\":1," VM ",\"fds\":" list "}"

static void the_list_of_descriptors_is_strict(void **state)
{
	static const struct refusal rows[] = {
		{WITH_FDS("{}"), "expected an array"},
		{WITH_FDS("[1]"), "expected objects"},
		{WITH_FDS("[{}]"), "needs a descriptor from 3 to 255"},
		{WITH_FDS("[{\"role\":\"kvm\"}]"), "role 'kvm' needs"},
		{WITH_FDS("[{\"fd\":3}]"), "role '' needs"},
		{WITH_FDS("[{\"role\":\"\",\"fd\":3}]"), "role '' needs"},
		{WITH_FDS("[{\"role\":1,\"fd\":3}]"), "an entry is"},
		{WITH_FDS("[{\"role\":\"kvm\",\"fd\":\"3\"}]"), "an entry is"},
		{WITH_FDS("[{\"role\":\"kvm\",\"fd\":3,\"x\":1}]"),
		 "an entry is"},
		{WITH_FDS("[{\"role\":\"kvm\",\"fd\":2}]"), "needs"},
		{WITH_FDS("[{\"role\":\"kvm\",\"fd\":256}]"), "needs"},
		{WITH_FDS("[{\"role\":\"kvm\",\"fd\":-3}]"), "an entry is"},
		{WITH_FDS("[{\"role\":\"kvm\",\"fd\":4294967299}]"), "needs"},
		{WITH_FDS("[{\"role\":\"a\",\"fd\":3},"
			  "{\"role\":\"a\",\"fd\":4}]"),
		 "role 'a' occurs twice"},
		{WITH_FDS("[{\"role\":\"a\",\"fd\":3},"
			  "{\"role\":\"b\",\"fd\":3}]"),
		 "descriptor 3 occurs twice"},
		{WITH_FDS("[{\"role\":\"a\",\"fd\":3}]"),
		 "descriptor 4 is open but not listed"},
		{WITH_FDS("[{\"role\":\"a\",\"fd\":3},{\"role\":\"b\",\"fd\":4}"
			  ",{\"role\":\"c\",\"fd\":5}]"),
		 "descriptor 5 with role 'c' is not open"},
	};

	(void)state;
	check_refusals(rows, ARRAY_LEN(rows));
}

static void roles_are_taken_once(void **state)
{
	struct handoff h = {.fd_count = 0};
	struct err err = {0};

	(void)state;
	assert_int_equal(handoff_add(&h, 3, "kvm"), 0);
	assert_int_equal(handoff_add(&h, 4, "net:%s", "eth0"), 0);
	assert_int_equal(handoff_take(&h, "net:%s", "eth"), -1);
	assert_int_equal(handoff_take(&h, "kvm"), 3);
	assert_int_equal(handoff_take(&h, "kvm"), -1);
	assert_int_equal(handoff_finish(&h, &err), -EINVAL);
	assert_string_equal(
		err.msg,
		"descriptor 4 with role 'net:eth0' belongs to no device");
	assert_int_equal(handoff_take(&h, "net:%s", "eth0"), 4);
	assert_int_equal(handoff_finish(&h, &err), 0);
}

static void the_list_is_bounded(void **state)
{
	struct handoff h = {.fd_count = 0};
	char role[HANDOFF_ROLE_MAX + 1];

	(void)state;
	memset(role, 'x', sizeof(role) - 1);
	role[HANDOFF_ROLE_MAX] = '\0';
	assert_int_equal(handoff_add(&h, 3, "%s", role), -ENAMETOOLONG);
	assert_int_equal(h.fd_count, 0);
	for (int i = 0; i < HANDOFF_FDS_MAX; i++)
		assert_int_equal(handoff_add(&h, 3 + i, "role:%d", i), 0);
	assert_int_equal(handoff_add(&h, 99, "one more"), -E2BIG);
	assert_int_equal(h.fd_count, HANDOFF_FDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_arrives),
		cmocka_unit_test(what_is_sent_is_received),
		cmocka_unit_test(a_memfd_that_could_change_is_refused),
		cmocka_unit_test(its_size_is_bounded),
		cmocka_unit_test(the_frame_is_strict),
		cmocka_unit_test(the_list_of_descriptors_is_strict),
		cmocka_unit_test(roles_are_taken_once),
		cmocka_unit_test(the_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
