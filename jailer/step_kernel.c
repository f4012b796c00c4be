/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "launch/exit_status.h"

static int kernel_plan(struct plan *plan, struct err *err)
{
	int r = handoff_add(&plan->handoff, plan->launch_fd++, "kernel");

	(void)err;
	if (r == 0 && plan->config->kernel.initrd[0] != '\0')
		r = handoff_add(&plan->handoff, plan->launch_fd++, "initrd");
	return r;
}

static int open_image(struct jail *jail, const char *role, const char *path,
		      struct err *err)
{
	struct stat st;
	/* A named pipe in place of the image must not hold kiln up. */
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set(err, errno, "open %s '%s'", role, path);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s '%s'", role, path);
	if (!S_ISREG(st.st_mode))
		return err_say(err, EINVAL, "%s '%s' is not a regular file",
			       role, path);
	return jail_give(jail, fd_steal(&fd), "%s", role);
}

static int kernel_apply(struct jail *jail, struct err *err)
{
	const struct config_kernel *kernel = &jail->plan->config->kernel;
	int r = open_image(jail, "kernel", kernel->image, err);

	if (r == 0 && kernel->initrd[0] != '\0')
		r = open_image(jail, "initrd", kernel->initrd, err);
	return r;
}

static void kernel_describe(const struct plan *plan, struct buf *out)
{
	const struct config_kernel *kernel = &plan->config->kernel;

	buf_printf(out, "open kernel '%s' for reading\n", kernel->image);
	if (kernel->initrd[0] != '\0')
		buf_printf(out, "open initrd '%s' for reading\n",
			   kernel->initrd);
}

const struct jail_step step_kernel = {
	.name = "kernel",
	.status = EXIT_STATUS_NO_INPUT,
	.plan = kernel_plan,
	.apply = kernel_apply,
	.describe = kernel_describe,
};
