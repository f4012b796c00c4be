/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of policy "launch": what kiln-vmm needs from its first
 * instruction until each of its threads has a narrower one.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/exit_status.h"
#include "seccomp_filters.h"

#define POLICY "launch"

static int seccomp_plan(struct plan *plan, struct err *err)
{
	uint32_t mode = plan->config->machine.confine.seccomp;
	const struct seccomp_program *program;

	if (mode == SECCOMP_OFF)
		return 0;
	program = seccomp_program_find(POLICY, mode == SECCOMP_LOG);
	if (program == NULL)
		return err_say(err, ENOENT, "no seccomp policy '" POLICY "'");
	plan->filter.len = program->count;
	/* seccomp(2) only reads it; the struct has no room to say so. */
	plan->filter.filter = (struct sock_filter *)(uintptr_t)program->insns;
	return 0;
}

static int seccomp_enter(struct jail *jail, const char **what)
{
	if (jail->plan->filter.len == 0)
		return 0;
	*what = "load the filter";
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0UL,
		       &jail->plan->filter) < 0
		       ? -errno
		       : 0;
}

static void seccomp_describe(const struct plan *plan, struct buf *out)
{
	static const char *const words[] = {
		[SECCOMP_ON] = "what it does not allow ends the VMM",
		[SECCOMP_LOG] = "what it does not allow is logged, and runs",
		[SECCOMP_OFF] = "",
	};
	uint32_t mode = plan->config->machine.confine.seccomp;

	if (plan->filter.len == 0)
		buf_puts(out, "no seccomp filter: turned off\n");
	else
		buf_printf(out,
			   "seccomp policy '" POLICY "', %u instructions: "
			   "%s\n",
			   plan->filter.len, words[mode]);
}

const struct jail_step step_seccomp = {
	.name = "seccomp",
	.status = EXIT_STATUS_JAIL,
	.plan = seccomp_plan,
	.enter = seccomp_enter,
	.describe = seccomp_describe,
};
