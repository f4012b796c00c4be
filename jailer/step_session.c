/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cut the ties that a process inherits: signals, terminal, keyring, names. The
 * parent-death signal is set after the change of ids, which would clear it
 * (prctl(2)); giving up capabilities later does not.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "launch/exit_status.h"

#define HOST_NAME "kiln"

/* clone3() resets what was caught, not what was ignored; and both that and a
 * blocked signal would pass on through execveat(). */
static int reset_signals(const char **what)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++) {
		/* KILL and STOP, and two that the C library keeps. */
		(void)sigaction(i, &standard, NULL);
	}
	(void)sigemptyset(&none);
	*what = "sigprocmask";
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* A kernel without keyrings has no session keyring to leave behind. */
static int leave_keyring(const char **what)
{
	*what = "keyctl";
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS)
		return -errno;
	return 0;
}

static bool parent_is_gone(struct jail *jail)
{
	struct pollfd poll_fd = {.fd = jail->failure[1]};

	fd_close(&jail->failure[0]);
	return poll(&poll_fd, 1, 0) != 0;
}

static int session_enter(struct jail *jail, const char **what)
{
	int r = reset_signals(what);

	if (r < 0)
		return r;
	*what = "set the parent-death signal";
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL) < 0)
		return -errno;
	/* It was too late for a kiln that died before; getppid() is 0 in
	 * here, but nobody reads the failure pipe any more. */
	*what = "kiln is gone";
	if (parent_is_gone(jail))
		return -ESRCH;
	*what = "setsid";
	if (setsid() < 0)
		return -errno;
	(void)umask(077);
	*what = "sethostname";
	if (sethostname(HOST_NAME, sizeof(HOST_NAME) - 1) < 0 ||
	    setdomainname("", 0) < 0)
		return -errno;
	*what = "make the cgroup namespace";
	if (jail->cgroup_fd >= 0 && unshare(CLONE_NEWCGROUP) < 0)
		return -errno;
	return leave_keyring(what);
}

static void session_describe(const struct plan *plan, struct buf *out)
{
	(void)plan;
	buf_puts(out, "SIGKILL when kiln dies; signals as at boot; a new "
		      "session without a terminal; umask 077; hostname "
		      "'" HOST_NAME "'; a new cgroup namespace; an empty "
		      "session keyring\n");
}

const struct jail_step step_session = {
	.name = "session",
	.status = EXIT_STATUS_JAIL,
	.enter = session_enter,
	.describe = session_describe,
};
