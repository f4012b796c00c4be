/* SPDX-License-Identifier: Apache-2.0 */
#include "core/confine.h"

#include "launch/exit_status.h"

#include "seccomp_filters.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Longer than the longest line: a thread's name has at most 15 letters. */
#define LINE_MAX_BYTES 128

/* What confine_thread() was told, for the handler: nothing else knows it. */
static _Thread_local const char *thread_name = "unknown";

/* One line, composed without stdio, which no signal handler may call. */
struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
};

static void line_add(struct line *line, const char *text)
{
	while (*text != '\0' && line->len < sizeof(line->text))
		line->text[line->len++] = *text++;
}

static void line_add_number(struct line *line, uintptr_t value, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	char text[sizeof(value) * 8 + 1];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = digits[value % base];
		value /= base;
	} while (value != 0);
	line_add(line, &text[at]);
}

/*
 * Every policy whose default is trap allows the two calls made here. A call of
 * a foreign ABI never gets here: it kills without a signal to catch.
 */
static void report(int signo, siginfo_t *info, void *context)
{
	struct line line = {.len = 0};

	(void)signo;
	(void)context;
	line_add(&line, "kiln-vmm: denied: syscall ");
	line_add_number(&line, (unsigned)info->si_syscall, 10);
	line_add(&line, " in thread ");
	line_add(&line, thread_name);
	line_add(&line, " at ip 0x");
	line_add_number(&line, (uintptr_t)info->si_call_addr, 16);
	line_add(&line, "\n");
	/* Nobody is left to tell when this fails. */
	(void)!write(STDERR_FILENO, line.text, line.len);
	/* Not _exit(): a sanitizer makes calls of its own in front of it. */
	for (;;)
		(void)syscall(SYS_exit_group, EXIT_STATUS_BAD_SYSCALL);
}

int confine_install_handler(struct err *err)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO};

	action.sa_sigaction = report;
	/* A second signal must not interrupt the line. */
	(void)sigfillset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) < 0)
		return err_set(err, errno, "install the SIGSYS handler");
	return 0;
}

int confine_thread(const char *thread, enum machine_seccomp mode,
		   struct err *err)
{
	const struct seccomp_program *program =
		seccomp_program_find(thread, mode == SECCOMP_LOG);
	struct sock_fprog filter;

	if (mode == SECCOMP_OFF)
		return 0;
	if (program == NULL)
		return err_say(err, ENOENT, "no seccomp policy for thread '%s'",
			       thread);
	filter.len = program->count;
	/* The kernel only reads them; its struct has no const. */
	filter.filter = (struct sock_filter *)(uintptr_t)program->insns;
	thread_name = program->name;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return err_set(err, errno, "set no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0L, &filter) < 0)
		return err_set(err, errno,
			       "install the seccomp filter of thread '%s'",
			       thread);
	return 0;
}
