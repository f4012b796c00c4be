/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>

#include "launch/exit_status.h"

static void add_limit(struct plan *plan, int resource, const char *name,
		      rlim_t limit)
{
	plan->rlimits[plan->rlimit_count++] =
		(struct plan_rlimit){resource, name, limit};
}

static bool has_writable_drive(const struct machine *machine)
{
	for (unsigned i = 0; i < machine->drive_count; i++) {
		if (!machine->drives[i].read_only)
			return true;
	}
	return false;
}

static int limits_plan(struct plan *plan, struct err *err)
{
	const struct config_jail *jail = &plan->config->jail;
	struct rlimit now;

	/* Numbers below that are the hand-over's; and while descriptors move
	 * to theirs, the child holds each of them twice. */
	if (jail->rlimit_nofile < HANDOFF_FD_LIMIT)
		return err_say(err, EINVAL, "[jail] rlimit_nofile: at least %d",
			       HANDOFF_FD_LIMIT);
	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return err_set(err, errno, "getrlimit");
	if (now.rlim_max < jail->rlimit_nofile)
		return err_say(err, EPERM,
			       "[jail] rlimit_nofile: kiln itself may have "
			       "only %llu (ulimit -Hn)",
			       (unsigned long long)now.rlim_max);
	add_limit(plan, RLIMIT_NOFILE, "nofile", jail->rlimit_nofile);
	/* Guest memory has no business in a core file. */
	add_limit(plan, RLIMIT_CORE, "core", jail->rlimit_core_bytes);
	if (jail->rlimit_fsize_bytes != 0)
		add_limit(plan, RLIMIT_FSIZE, "fsize",
			  jail->rlimit_fsize_bytes);
	else if (!has_writable_drive(&plan->config->machine))
		add_limit(plan, RLIMIT_FSIZE, "fsize", 0);
	return 0;
}

static int limits_enter(struct jail *jail, const char **what)
{
	const struct plan *plan = jail->plan;

	for (unsigned i = 0; i < plan->rlimit_count; i++) {
		const struct plan_rlimit *row = &plan->rlimits[i];
		const struct rlimit limit = {row->limit, row->limit};

		*what = row->name;
		if (setrlimit((unsigned)row->resource, &limit) < 0)
			return -errno;
	}
	return 0;
}

static void limits_describe(const struct plan *plan, struct buf *out)
{
	for (unsigned i = 0; i < plan->rlimit_count; i++)
		buf_printf(out, "rlimit %s = %llu\n", plan->rlimits[i].name,
			   (unsigned long long)plan->rlimits[i].limit);
}

const struct jail_step step_limits = {
	.name = "limits",
	.status = EXIT_STATUS_JAIL,
	.plan = limits_plan,
	.enter = limits_enter,
	.describe = limits_describe,
};
