/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/exit_status.h"

/* kiln's half: note the VMM's pid while the child is busy, then wait. */
static int exec_apply(struct jail *jail, struct err *err)
{
	char pid[16];
	int r;

	(void)snprintf(pid, sizeof(pid), "%d\n", (int)jail->pid);
	r = registry_write(&jail->registry, "vmm_pid", pid);
	if (r < 0)
		return err_set(err, -r, "write the VMM's pid");
	return jail_wait_exec(jail, err);
}

/* Decimal without stdio. */
static char *format_number(char *end, int number)
{
	*--end = '\0';
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	return end;
}

static int exec_enter(struct jail *jail, const char **what)
{
	const struct plan *plan = jail->plan;
	static char name[] = "kiln-vmm";
	static char option[] = "--launch-fd";
	char digits[12];
	char *argv[] = {name, option,
			format_number(digits + sizeof(digits), plan->launch_fd),
			NULL};
	char *envp[] = {NULL};

	*what = "execute kiln-vmm";
	(void)syscall(SYS_execveat, jail->vmm_fd, "", argv, envp,
		      AT_EMPTY_PATH);
	return -errno;
}

static void exec_describe(const struct plan *plan, struct buf *out)
{
	buf_printf(out,
		   "execveat kiln-vmm --launch-fd %d, with no environment "
		   "(%s)\n",
		   plan->launch_fd, plan->vmm_path);
}

const struct jail_step step_exec = {
	.name = "exec",
	.status = EXIT_STATUS_EXEC,
	.apply = exec_apply,
	.enter = exec_enter,
	.describe = exec_describe,
};
