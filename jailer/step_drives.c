/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives, and the locks that keep two microVMs from writing one disk. The lock
 * belongs to the open file (fcntl(2), open file description locks): it goes
 * with the descriptor into the VMM and lasts exactly as long as somebody there
 * can write. kiln closes its own copy.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "launch/exit_status.h"

static int drives_plan(struct plan *plan, struct err *err)
{
	const struct machine *machine = &plan->config->machine;
	int r = 0;

	for (unsigned i = 0; i < machine->drive_count && r == 0; i++)
		r = handoff_add(&plan->handoff, plan->launch_fd++, "drive:%s",
				machine->drives[i].id);
	return r < 0 ? err_set(err, -r, "too many descriptors") : 0;
}

static int open_drive(struct jail *jail, unsigned i, struct err *err)
{
	const struct kiln_config *config = jail->plan->config;
	const struct machine_drive *drive = &config->machine.drives[i];
	const char *path = config->drives[i].path;
	int mode = drive->read_only ? O_RDONLY : O_RDWR;
	struct stat st;
	cleanup_fd int fd =
		open(path, mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set(err, errno, "drive '%s': open '%s'", drive->id,
			       path);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "drive '%s': '%s'", drive->id, path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_say(err, EINVAL,
			       "drive '%s': '%s' is neither a regular file "
			       "nor a block device",
			       drive->id, path);
	/* It kept a named pipe from holding kiln up; the VMM wants none. */
	if (fcntl(fd, F_SETFL, mode) < 0)
		return err_set(err, errno, "drive '%s'", drive->id);
	return jail_give(jail, fd_steal(&fd), "drive:%s", drive->id);
}

static int drives_apply(struct jail *jail, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < jail->plan->config->machine.drive_count; i++) {
		r = open_drive(jail, i, err);
		if (r < 0)
			break;
	}
	return r;
}

static void drives_describe(const struct plan *plan, struct buf *out)
{
	const struct kiln_config *config = plan->config;

	if (config->machine.drive_count == 0)
		buf_puts(out, "no drive\n");
	for (unsigned i = 0; i < config->machine.drive_count; i++)
		buf_printf(out, "open drive '%s' = '%s' for %s\n",
			   config->machine.drives[i].id, config->drives[i].path,
			   config->machine.drives[i].read_only
				   ? "reading"
				   : "reading and writing");
}

const struct jail_step step_drives = {
	.name = "drives",
	.status = EXIT_STATUS_NO_INPUT,
	.plan = drives_plan,
	.apply = drives_apply,
	.describe = drives_describe,
};

static int source_of(const struct jail *jail, const char *prefix,
		     const char *id)
{
	char role[HANDOFF_ROLE_MAX];
	struct buf text;

	buf_init(&text, role, sizeof(role));
	buf_printf(&text, "%s%s", prefix, id);
	return jail_source(jail, role);
}

static int lock_drive(const struct jail *jail, unsigned i, struct err *err)
{
	const struct kiln_config *config = jail->plan->config;
	const struct machine_drive *drive = &config->machine.drives[i];
	struct flock lock = {
		.l_type = drive->read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (fcntl(source_of(jail, "drive:", drive->id), F_OFD_SETLK, &lock) ==
	    0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return err_set(err, errno, "drive '%s': lock '%s'", drive->id,
			       config->drives[i].path);
	return err_say(err, EBUSY,
		       "drive '%s': '%s' is in use by another microVM or "
		       "program (%s lock refused)",
		       drive->id, config->drives[i].path,
		       drive->read_only ? "shared" : "exclusive");
}

static int locks_apply(struct jail *jail, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < jail->plan->config->machine.drive_count; i++) {
		r = lock_drive(jail, i, err);
		if (r < 0)
			break;
	}
	return r;
}

static void locks_describe(const struct plan *plan, struct buf *out)
{
	const struct machine *machine = &plan->config->machine;

	if (machine->drive_count == 0)
		buf_puts(out, "no drive to lock\n");
	for (unsigned i = 0; i < machine->drive_count; i++)
		buf_printf(out, "lock drive '%s' %s\n", machine->drives[i].id,
			   machine->drives[i].read_only
				   ? "shared, against writers"
				   : "exclusively");
}

const struct jail_step step_locks = {
	.name = "locks",
	.status = EXIT_STATUS_NO_INPUT,
	.apply = locks_apply,
	.describe = locks_describe,
};
