/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line each: the VMM's uid and gid, mapped to themselves. The child starts
 * as kiln's uid, which may have no mapping; it becomes the mapped one before
 * anything else, since a tmpfs cannot be mounted by nobody. No uid is 0 in
 * there, so the change costs it none of the new namespace's capabilities.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "launch/exit_status.h"

static int write_file(const struct jail *jail, const char *name,
		      const char *text, struct err *err)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)jail->pid, name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open %s", path);
	r = fd_write_full(fd, text, strlen(text));
	return r < 0 ? err_set(err, -r, "write '%s' to %s", text, path) : 0;
}

static int id_maps_apply(struct jail *jail, struct err *err)
{
	const struct plan_identity *identity = &jail->plan->identity;
	char map[32];
	int r = 0;

	/* user_namespaces(7): a gid map of one's own wants this first. */
	if (!identity->foreign)
		r = write_file(jail, "setgroups", "deny", err);
	(void)snprintf(map, sizeof(map), "%u %u 1", (unsigned)identity->uid,
		       (unsigned)identity->uid);
	if (r == 0)
		r = write_file(jail, "uid_map", map, err);
	(void)snprintf(map, sizeof(map), "%u %u 1", (unsigned)identity->gid,
		       (unsigned)identity->gid);
	if (r == 0)
		r = write_file(jail, "gid_map", map, err);
	if (r < 0)
		return r;
	r = fd_write_full(jail->go[1], "", 1);
	fd_close(&jail->go[1]);
	return r < 0 ? err_set(err, -r, "release the child") : 0;
}

/* The C library would synchronise threads that are not there. */
static int become(const struct plan_identity *identity, const char **what)
{
	*what = "setgroups";
	if (identity->foreign && syscall(SYS_setgroups, 0, NULL) < 0)
		return -errno;
	*what = "setresgid";
	if (syscall(SYS_setresgid, identity->gid, identity->gid,
		    identity->gid) < 0)
		return -errno;
	*what = "setresuid";
	if (syscall(SYS_setresuid, identity->uid, identity->uid,
		    identity->uid) < 0)
		return -errno;
	return 0;
}

/* End of file instead of the byte: kiln is gone. */
static int id_maps_enter(struct jail *jail, const char **what)
{
	char byte;
	int r;

	(void)close(jail->go[1]);
	*what = "wait for the id maps";
	r = fd_read_full(jail->go[0], &byte, 1);
	return r < 0 ? r : become(&jail->plan->identity, what);
}

static void id_maps_describe(const struct plan *plan, struct buf *out)
{
	const struct plan_identity *identity = &plan->identity;

	buf_printf(out, "map uid %u to %u, gid %u to %u, nothing else; %s\n",
		   (unsigned)identity->uid, (unsigned)identity->uid,
		   (unsigned)identity->gid, (unsigned)identity->gid,
		   identity->foreign ? "no supplementary group"
				     : "setgroups denied");
}

const struct jail_step step_id_maps = {
	.name = "id-maps",
	.status = EXIT_STATUS_JAIL,
	.apply = id_maps_apply,
	.enter = id_maps_enter,
	.describe = id_maps_describe,
};
