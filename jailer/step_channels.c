/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the VMM speaks through: its own words (descriptors 1 and 2), status
 * lines, and the guest's serial port. All are pipes. The VMM's ends that it
 * writes to never block: a stopped terminal or a slow reader costs output that
 * no longer fits, not the guest's time.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "launch/exit_status.h"

static int channels_plan(struct plan *plan, struct err *err)
{
	int r = handoff_add(&plan->handoff, plan->launch_fd++, "status");

	(void)err;
	if (r < 0 || !plan->config->machine.serial.enabled)
		return r;
	r = handoff_add(&plan->handoff, plan->launch_fd++, "console-in");
	if (r == 0)
		r = handoff_add(&plan->handoff, plan->launch_fd++,
				"console-out");
	return r;
}

/* O_NONBLOCK belongs to an end, not to the pipe: both are set here. */
static int make_pipe(int *ret_read, int *ret_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

static int make_console(struct jail *jail)
{
	int theirs = -1;
	int r = make_pipe(&theirs, &jail->channels.console_in);

	if (r == 0)
		r = jail_give(jail, theirs, "console-in");
	if (r == 0)
		r = make_pipe(&jail->channels.console_out, &theirs);
	if (r == 0)
		r = jail_give(jail, theirs, "console-out");
	return r;
}

static int channels_apply(struct jail *jail, struct err *err)
{
	int theirs = -1;
	int r;

	jail->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (jail->null_fd < 0)
		return err_set(err, errno, "open /dev/null");
	r = make_pipe(&jail->channels.log, &jail->log_fd);
	if (r == 0)
		r = make_pipe(&jail->channels.status, &theirs);
	if (r == 0)
		r = jail_give(jail, theirs, "status");
	if (r == 0 && jail->plan->config->machine.serial.enabled)
		r = make_console(jail);
	return r < 0 ? err_set(err, -r, "make a pipe") : 0;
}

static void channels_describe(const struct plan *plan, struct buf *out)
{
	buf_puts(out, "make pipes for the VMM's messages and its status");
	if (plan->config->machine.serial.enabled)
		buf_puts(out, ", and two for the guest's serial port, relayed "
			      "to stdin and stdout");
	buf_puts(out, "\n");
}

const struct jail_step step_channels = {
	.name = "channels",
	.status = EXIT_STATUS_HOST,
	.plan = channels_plan,
	.apply = channels_apply,
	.describe = channels_describe,
};
