/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One clone3() makes the child, its namespaces, its place in the cgroup and a
 * pidfd for it. The user namespace is there for root as well: it owns the
 * others, so that no capability the VMM ever holds counts on the host. The
 * cgroup namespace is left to the child: made here, its root would be kiln's
 * own group and not the leaf.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "jailer/netns.h"
#include "launch/exit_status.h"

#define NAMESPACES                                                             \
	((uint64_t)(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |               \
		    CLONE_NEWIPC | CLONE_NEWUTS))

/* [jail] netns: "none" is a new and empty one, else a path. */
static const char *netns_path(const struct plan *plan)
{
	const char *netns = plan->config->jail.netns;

	return strcmp(netns, "none") == 0 ? "" : netns;
}

static uint64_t clone_flags(const struct plan *plan)
{
	uint64_t flags =
		NAMESPACES | (uint64_t)CLONE_PIDFD | CLONE_CLEAR_SIGHAND;

	return netns_path(plan)[0] == '\0' ? flags | (uint64_t)CLONE_NEWNET
					   : flags;
}

static int explain_clone(int errnum, struct err *err)
{
	switch (errnum) {
	case EPERM:
		return err_say(err, errnum,
			       "user namespaces are refused here (sysctl "
			       "kernel.unprivileged_userns_clone or "
			       "kernel.apparmor_restrict_unprivileged_userns, "
			       "a chroot, or a container's seccomp policy)");
	case ENOSPC:
	case EUSERS:
		return err_say(err, errnum,
			       "no more namespaces: see the limits in "
			       "/proc/sys/user/");
	case EACCES:
		return err_say(err, errnum,
			       "the cgroup lies outside of what is delegated "
			       "to kiln; start kiln inside of it");
	default:
		return err_set(err, errnum, "make the namespaces");
	}
}

/* Like fork(): the child returns 0 with a copy of everything. */
static pid_t clone_child(struct jail *jail, uint64_t flags)
{
	struct clone_args args = {
		.flags = flags,
		.pidfd = (uint64_t)(uintptr_t)&jail->pidfd,
		.exit_signal = SIGCHLD,
	};

	if (jail->cgroup_fd >= 0) {
		args.flags |= (uint64_t)CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)jail->cgroup_fd;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int start_child(struct jail *jail, struct err *err)
{
	const struct plan *plan = jail->plan;
	int home;
	int r = netns_enter(netns_path(plan), &home, err);

	if (r < 0)
		return r;
	pid_t pid = clone_child(jail, clone_flags(plan));
	if (pid < 0 && errno == EACCES && !plan->cgroup.required &&
	    jail->cgroup_fd >= 0) {
		/* A group that nobody asked for is no reason to fail. */
		(void)rmdir(plan->cgroup.leaf);
		fd_close(&jail->cgroup_fd);
		pid = clone_child(jail, clone_flags(plan));
	}
	int saved = errno;
	if (pid == 0)
		jail_child_main(jail);
	netns_leave(home);
	if (pid < 0)
		return explain_clone(saved, err);
	jail->pid = pid;
	return 0;
}

static int namespaces_apply(struct jail *jail, struct err *err)
{
	if (pipe2(jail->go, O_CLOEXEC) < 0 ||
	    pipe2(jail->failure, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	int r = start_child(jail, err);
	fd_close(&jail->go[0]);
	return r;
}

/* Nothing to do after a life that was waited for. */
static void namespaces_undo(struct jail *jail)
{
	if (jail->pid > 0) {
		(void)syscall(SYS_pidfd_send_signal, jail->pidfd, SIGKILL, NULL,
			      0);
		while (waitpid(jail->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	jail->pid = 0;
	fd_close(&jail->pidfd);
}

static void namespaces_describe(const struct plan *plan, struct buf *out)
{
	const char *netns = netns_path(plan);

	buf_printf(out,
		   "clone3 into new user, mount, pid, %sipc and uts "
		   "namespaces%s\n",
		   netns[0] == '\0' ? "net (empty), " : "",
		   plan->cgroup.leaf[0] != '\0' ? ", straight into the cgroup"
						: "");
	if (netns[0] != '\0')
		buf_printf(out, "network namespace %s, as it is\n", netns);
}

const struct jail_step step_namespaces = {
	.name = "namespaces",
	.status = EXIT_STATUS_JAIL,
	.apply = namespaces_apply,
	.undo = namespaces_undo,
	.describe = namespaces_describe,
};
