/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every row of tests/policies on the running kernel: a child installs the
 * filter and makes the call. What the simulator believes, the kernel must do.
 *
 * The child notes in shared memory how far it came, because any call it could
 * report with may be denied. "Allowed" means that the filter did not stop it:
 * the arguments are nonsense on purpose and the call itself fails, or ends the
 * child in its own way. Rows of another architecture are counted as skipped.
 */
#include "seccomp_filters.h"
#include "seccomp_rows.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof(*(array)))

/* A child that hangs is ended by this, which fails its row. */
#define CHILD_CPU_S   5
#define CHILD_ALARM_S 30

enum progress {
	PROGRESS_NONE,
	PROGRESS_CONFINED,
	PROGRESS_TRAPPED,
	PROGRESS_PASSED,
	PROGRESS_COUNT
};

static _Atomic enum progress *progress;

struct tally {
	unsigned run;
	unsigned foreign; /* rows of another architecture */
	unsigned nolive;
	unsigned failed;
};

#if defined(__x86_64__)
static const enum policy_arch native = POLICY_X86_64;
#else
static const enum policy_arch native = POLICY_AARCH64;
#endif

static void trapped(int signo)
{
	(void)signo;
	atomic_store(progress, PROGRESS_TRAPPED);
	(void)syscall(SYS_exit_group, 0);
}

#if defined(__x86_64__)
static void call_i386(const struct seccomp_data *data)
{
	long result = data->nr;

	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(data->args[0]), "c"(data->args[1]),
			   "d"(data->args[2])
			 : "memory");
}
#else
static void call_i386(const struct seccomp_data *data)
{
	(void)data;
}
#endif

static void confine_child(const struct seccomp_program *program)
{
	struct sock_fprog filter = {
		.len = program->count,
		.filter = (struct sock_filter *)(uintptr_t)program->insns,
	};
	const struct rlimit cpu = {CHILD_CPU_S, CHILD_CPU_S};
	const struct rlimit core = {0, 0};
	const struct sigaction action = {.sa_handler = trapped};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_CORE, &core);
	(void)alarm(CHILD_ALARM_S);
	(void)sigaction(SIGSYS, &action, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0L, &filter) < 0)
		_exit(99);
	atomic_store(progress, PROGRESS_CONFINED);
}

static void make_call(const struct seccomp_row *row)
{
	const __u64 *args = row->data.args;

	if (row->foreign && row->data.arch == AUDIT_ARCH_I386)
		call_i386(&row->data);
	else
		(void)syscall((long)row->data.nr, args[0], args[1], args[2],
			      args[3], args[4], args[5]);
	atomic_store(progress, PROGRESS_PASSED);
	(void)syscall(SYS_exit_group, 0);
}

/* What the kernel did, in the words of a row. */
static uint32_t verdict(int status)
{
	enum progress reached = atomic_load(progress);

	if (reached == PROGRESS_TRAPPED)
		return SECCOMP_RET_TRAP;
	if (reached == PROGRESS_CONFINED && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGSYS)
		return SECCOMP_RET_KILL_PROCESS;
	if (reached == PROGRESS_NONE ||
	    (WIFSIGNALED(status) &&
	     (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU)))
		return UINT32_MAX;
	return SECCOMP_RET_ALLOW;
}

static uint32_t try_row(const struct seccomp_row *row)
{
	const struct seccomp_program *program =
		seccomp_program_find(row->thread, row->log);
	int status;
	pid_t pid;

	assert_non_null(program);
	atomic_store(progress, PROGRESS_NONE);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		confine_child(program);
		make_call(row);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return verdict(status);
}

static void check_row(const struct seccomp_row *row, void *arg)
{
	struct tally *tally = arg;
	/* A logged call runs, as an allowed one does. */
	uint32_t wanted = row->action == SECCOMP_RET_LOG ? SECCOMP_RET_ALLOW
							 : row->action;
	uint32_t got;

	if (row->arch != native) {
		tally->foreign++;
		return;
	}
	if (row->nolive) {
		tally->nolive++;
		return;
	}
	tally->run++;
	got = try_row(row);
	if (got == wanted)
		return;
	print_error("%s:%u: the kernel says %s, %s expected\n", row->file,
		    row->line, seccomp_action_name(got),
		    seccomp_action_name(row->action));
	tally->failed++;
}

static void the_kernel_agrees_with_every_row(void **state)
{
	static const char *const paths[] = {
		"tests/policies/launch.rows",
		"tests/policies/loop.rows",
		"tests/policies/vcpu.rows",
	};
	struct tally tally = {0};
	struct policy_set set = {0};

	(void)state;
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(progress, MAP_FAILED);
	assert_int_equal(seccomp_policies_load(&set), 0);
	for (size_t i = 0; i < LEN(paths); i++)
		assert_true(seccomp_rows_visit(&set, paths[i], check_row,
					       &tally) > 0);
	print_message("%u rows live; %u skipped: another architecture; %u "
		      "skipped: the call would hang or break the child\n",
		      tally.run, tally.foreign, tally.nolive);
	assert_true(tally.run > 100);
	assert_int_equal(tally.failed, 0);
	policy_set_destroy(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_agrees_with_every_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
