/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every descriptor to the number that the description names, and none besides.
 *
 *	0 /dev/null   1, 2 messages   3 .. launch_fd by role, launch_fd
 *	launch_fd + 1 the program, + 2 the failure pipe: closed by execveat()
 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "launch/exit_status.h"

/*
 * A source may lie at a number that another role is about to get, so all move
 * above the targets first.
 */
static int move_up(int fd, int above)
{
	int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, above);

	if (fd >= 0)
		return moved < 0 ? -errno : moved;
	return -EBADF;
}

static int place(int fd, int number, int flags)
{
	return dup3(fd, number, flags) < 0 ? -errno : 0;
}

static int place_roles(const struct jail *jail, const int *sources,
		       const char **what)
{
	const struct handoff *handoff = &jail->plan->handoff;
	int r = 0;

	for (unsigned i = 0; i < handoff->fd_count && r == 0; i++) {
		*what = handoff->fds[i].role;
		r = place(sources[i], handoff->fds[i].fd, 0);
	}
	return r;
}

struct fixed {
	int source;
	int number;
	int flags;
};

static int place_fixed(const struct fixed *rows, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = place(rows[i].source, rows[i].number, rows[i].flags);
	return r;
}

/* The child's own two: a failure is still reported, by whatever number. */
static void move_own(struct jail *jail, int above)
{
	jail->failure[1] = move_up(jail->failure[1], above);
	jail->vmm_fd = move_up(jail->vmm_fd, above);
}

static int place_own(struct jail *jail, int first)
{
	const struct fixed rows[] = {
		{jail->vmm_fd, first, O_CLOEXEC},
		{jail->failure[1], first + 1, O_CLOEXEC},
	};
	int r = place_fixed(rows, ARRAY_LEN(rows));

	jail->vmm_fd = first;
	jail->failure[1] = first + 1;
	return r;
}

static int descriptors_enter(struct jail *jail, const char **what)
{
	const struct plan *plan = jail->plan;
	const int above = plan->launch_fd + 3;
	const struct fixed rows[] = {
		{move_up(jail->launch_memfd, above), plan->launch_fd, 0},
		{move_up(jail->null_fd, above), 0, 0},
		{move_up(jail->log_fd, above), 1, 0},
		{move_up(jail->log_fd, above), 2, 0},
	};
	int sources[HANDOFF_FDS_MAX];
	int r;

	*what = "move descriptors";
	for (unsigned i = 0; i < plan->handoff.fd_count; i++)
		sources[i] = move_up(jail->sources[i], above);
	move_own(jail, above);
	r = place_fixed(rows, ARRAY_LEN(rows));
	if (r == 0)
		r = place_roles(jail, sources, what);
	if (r == 0)
		r = place_own(jail, plan->launch_fd + 1);
	*what = r == 0 ? "close_range" : *what;
	if (r == 0 && syscall(SYS_close_range, (unsigned)above, ~0U, 0U) < 0)
		r = -errno;
	return r;
}

static void descriptors_describe(const struct plan *plan, struct buf *out)
{
	const struct handoff *handoff = &plan->handoff;

	buf_puts(out, "0 /dev/null\n1 messages\n2 messages\n");
	for (unsigned i = 0; i < handoff->fd_count; i++)
		buf_printf(out, "%d %s\n", handoff->fds[i].fd,
			   handoff->fds[i].role);
	buf_printf(out, "%d description\nall others closed\n", plan->launch_fd);
}

const struct jail_step step_descriptors = {
	.name = "descriptors",
	.status = EXIT_STATUS_JAIL,
	.enter = descriptors_enter,
	.describe = descriptors_describe,
};
