/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMM opens nothing, so its file system is nothing: an empty tmpfs that
 * is read-only from the start, with room for one page and two inodes should
 * it ever become writable. pivot_root() and not chroot(): the old tree is
 * detached, there is nothing left to climb to.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/exit_status.h"

/* Exists wherever the id maps could be written; covered, then detached. */
#define MOUNT_PLACE  "/proc"
#define ROOT_OPTIONS "size=4k,nr_inodes=2,mode=0555"
#define ROOT_FLAGS   (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

static int root_enter(struct jail *jail, const char **what)
{
	(void)jail;
	/* Or the detaching below would spread to the host. */
	*what = "make mounts private";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	*what = "mount tmpfs";
	if (mount("kiln", MOUNT_PLACE, "tmpfs", ROOT_FLAGS, ROOT_OPTIONS) < 0)
		return -errno;
	*what = "chdir";
	if (chdir(MOUNT_PLACE) < 0)
		return -errno;
	/* The old root ends up on top of the new one, at the same place. */
	*what = "pivot_root";
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	*what = "detach the old root";
	if (umount2(".", MNT_DETACH) < 0)
		return -errno;
	*what = "chdir";
	return chdir("/") < 0 ? -errno : 0;
}

static void root_describe(const struct plan *plan, struct buf *out)
{
	(void)plan;
	buf_puts(out, "private mounts; root becomes an empty tmpfs "
		      "(ro,nosuid,nodev,noexec," ROOT_OPTIONS
		      "); the host's tree is detached\n");
}

const struct jail_step step_root = {
	.name = "root",
	.status = EXIT_STATUS_JAIL,
	.enter = root_enter,
	.describe = root_describe,
};
