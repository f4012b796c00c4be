/* SPDX-License-Identifier: Apache-2.0 */
/* A confined thread that oversteps ends the process, and the line says how. */
#include "core/confine.h"

#include "launch/exit_status.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child does once it is confined; all by bare calls, since a sanitizer
 * or libc may need more than the policy allows. */
typedef void (*child_fn)(void);

struct outcome {
	int status; /* of waitpid() */
	char text[256];
};

static void run_child(const char *thread, enum machine_seccomp mode,
		      child_fn act, int error_fd)
{
	struct err err;

	(void)dup2(error_fd, STDERR_FILENO);
	if (confine_install_handler(&err) < 0 ||
	    confine_thread(thread, mode, &err) < 0)
		_exit(99);
	act();
	(void)syscall(SYS_exit_group, 0);
}

static void confined(const char *thread, enum machine_seccomp mode,
		     child_fn act, struct outcome *ret_outcome)
{
	int ends[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_child(thread, mode, act, ends[1]);
	(void)close(ends[1]);
	n = read(ends[0], ret_outcome->text, sizeof(ret_outcome->text) - 1);
	assert_true(n >= 0);
	ret_outcome->text[n] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &ret_outcome->status, 0), pid);
}

static void ask_parent(void)
{
	(void)syscall(SYS_getppid);
}

static void write_nothing(void)
{
	(void)syscall(SYS_write, 1, NULL, 0);
}

static void block_signals_and_ask(void)
{
	uint64_t all = UINT64_MAX;

	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8);
	(void)syscall(SYS_getppid);
}

static void denied_call_is_named(void **state)
{
	struct outcome outcome;
	char wanted[64];

	(void)state;
	confined("vcpu", SECCOMP_ON, ask_parent, &outcome);
	assert_true(WIFEXITED(outcome.status));
	assert_int_equal(WEXITSTATUS(outcome.status), EXIT_STATUS_BAD_SYSCALL);
	(void)snprintf(wanted, sizeof(wanted),
		       "kiln-vmm: denied: syscall %d in thread vcpu at ip 0x",
		       SYS_getppid);
	assert_memory_equal(outcome.text, wanted, strlen(wanted));
	assert_int_equal(outcome.text[strlen(outcome.text) - 1], '\n');
}

static void allowed_call_passes(void **state)
{
	struct outcome outcome;

	(void)state;
	confined("loop", SECCOMP_ON, write_nothing, &outcome);
	assert_true(WIFEXITED(outcome.status));
	assert_int_equal(WEXITSTATUS(outcome.status), 0);
	assert_string_equal(outcome.text, "");
}

static void blocked_handler_is_death_by_signal(void **state)
{
	struct outcome outcome;

	(void)state;
	confined("vcpu", SECCOMP_ON, block_signals_and_ask, &outcome);
	assert_true(WIFSIGNALED(outcome.status));
	assert_int_equal(WTERMSIG(outcome.status), SIGSYS);
}

static void log_and_off_let_it_pass(void **state)
{
	struct outcome outcome;

	(void)state;
	confined("vcpu", SECCOMP_LOG, ask_parent, &outcome);
	assert_int_equal(outcome.status, 0);
	confined("vcpu", SECCOMP_OFF, ask_parent, &outcome);
	assert_int_equal(outcome.status, 0);
}

static void unknown_thread_is_refused(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(confine_thread("nobody", SECCOMP_ON, &err), -ENOENT);
	assert_string_equal(err.msg, "no seccomp policy for thread 'nobody'");
	assert_int_equal(prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(denied_call_is_named),
		cmocka_unit_test(allowed_call_passes),
		cmocka_unit_test(blocked_handler_is_death_by_signal),
		cmocka_unit_test(log_and_off_let_it_pass),
		cmocka_unit_test(unknown_thread_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
