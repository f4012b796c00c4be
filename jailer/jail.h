/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail - the steps between a plan and a running VMM, all or nothing.
 *
 * One table, in the order of execution. A step acts in kiln (apply), in the
 * child that becomes the VMM (enter), or in both; what it leaves behind on the
 * host is taken back by its undo, at a failure further down and at the end of
 * the microVM's life alike. Undo runs for applied steps only, in reverse.
 *
 *	kiln   plan* ... apply 1..n, clone3, id maps, go ........ wait for exec
 *	child                           | wait for go, enter 1..n, execveat
 *
 * plan and describe change nothing on the host. enter runs in a copy of this
 * process, which has one thread: system calls and data made before, nothing
 * that allocates.
 */
#ifndef KILN_JAILER_JAIL_H
#define KILN_JAILER_JAIL_H

#include "base/buf.h"
#include "base/err.h"
#include "jailer/plan.h"
#include "jailer/registry.h"

#define JAIL_STEPS_MAX 32

/* kiln's ends of what the VMM speaks through. */
struct jail_channels {
	int log;         /* read: the VMM's descriptors 1 and 2 */
	int status;      /* read: launch/status.h */
	int console_in;  /* write: what the guest reads on its serial port */
	int console_out; /* read */
};

struct jail_tap {
	bool created;
	unsigned ifindex;
};

struct jail {
	const struct plan *plan;      /* borrowed */
	int sources[HANDOFF_FDS_MAX]; /* of plan->handoff.fds, by index */
	int vmm_fd, launch_memfd, null_fd, log_fd;
	int go[2];      /* kiln -> child: the id maps are written */
	int failure[2]; /* child -> kiln: struct jail_failure; EOF: executed */
	struct registry registry;
	int cgroup_fd;
	struct jail_tap taps[MACHINE_NETS_MAX];
	struct jail_channels channels;
	pid_t pid; /* of the VMM; 0: none, or reaped */
	int pidfd;
	uint64_t started_us;               /* first step */
	uint64_t ended_us[JAIL_STEPS_MAX]; /* of each step, for --timings */
	bool applied[JAIL_STEPS_MAX];
	const struct jail_step *child_failed; /* NULL: none, as far as known */
};

/* What crosses the failure pipe. */
struct jail_failure {
	unsigned step;
	int errnum;
	char what[64];
};

struct jail_step {
	const char *name;
	int status; /* exit status when it fails; EXIT_STATUS_* */
	int (*plan)(struct plan *plan, struct err *err);
	int (*apply)(struct jail *jail, struct err *err);
	void (*undo)(struct jail *jail);
	/* On the child's copy. Return: 0; -errno, what failed in *what, which
	 * is static. */
	int (*enter)(struct jail *jail, const char **what);
	void (*describe)(const struct plan *plan, struct buf *out);
};

/* jail_step_at - the table; NULL past the last. */
const struct jail_step *jail_step_at(unsigned index);

/*
 * jail_build - every step, or none. On success the VMM has been executed.
 * Return: 0; -errno with *ret_status set and everything undone.
 */
int jail_build(struct jail *jail, const struct plan *plan, int *ret_status,
	       struct err *err);

/* jail_destroy - undo all that was applied; ends the VMM if it still runs. */
void jail_destroy(struct jail *jail);

/* jail_give - the source of a role; takes fd. -ENOENT: no such role. */
int jail_give(struct jail *jail, int fd, const char *role_fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* jail_source - the descriptor that a role was given; -1: none. */
int jail_source(const struct jail *jail, const char *role);

/* jail_child_main - the child's half of the table. Never returns. */
_Noreturn void jail_child_main(struct jail *jail);

/* jail_wait_exec - until the child has executed the VMM or failed. */
int jail_wait_exec(struct jail *jail, struct err *err);

#endif
