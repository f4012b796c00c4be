/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/jail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fd.h"
#include "jailer/steps.h"
#include "launch/exit_status.h"

/*
 * Opened first, by the caller's own right; then the entry that claims the id,
 * so that whatever is made from there on is found again after a crash. In the
 * child: who it is before what it mounts (a tmpfs belongs to a mapped uid),
 * capabilities after all that needs them, the filter last.
 */
static const struct jail_step *const steps[] = {
	&step_identity, &step_kvm,         &step_kernel,
	&step_drives,   &step_vmm,         &step_registry,
	&step_locks,    &step_cgroup,      &step_taps,
	&step_channels, &step_description, &step_namespaces,
	&step_id_maps,  &step_session,     &step_root,
	&step_limits,   &step_descriptors, &step_capabilities,
	&step_flags,    &step_seccomp,     &step_exec,
};

_Static_assert(ARRAY_LEN(steps) <= JAIL_STEPS_MAX, "raise JAIL_STEPS_MAX");

const struct jail_step *jail_step_at(unsigned index)
{
	return index < ARRAY_LEN(steps) ? steps[index] : NULL;
}

/* The build for the tests can be told to fail at any step. */
static bool step_fails(const struct jail_step *step)
{
#ifdef KILN_FAIL_STEP
	const char *name = getenv("KILN_FAIL_STEP");

	return name != NULL && strcmp(name, step->name) == 0;
#else
	(void)step;
	return false;
#endif
}

int plan_make(const struct kiln_config *config, const char *vmm_option,
	      struct plan *ret_plan, int *ret_status, struct err *err)
{
	int r = 0;

	memset(ret_plan, 0, sizeof(*ret_plan));
	ret_plan->config = config;
	ret_plan->vmm_option = vmm_option;
	ret_plan->handoff.machine = config->machine;
	ret_plan->launch_fd = 3;
	for (size_t i = 0; i < ARRAY_LEN(steps) && r == 0; i++) {
		if (steps[i]->plan == NULL)
			continue;
		r = steps[i]->plan(ret_plan, err);
		if (r < 0)
			*ret_status = steps[i]->status;
	}
	return r;
}

/* Index of a role in the plan; -ENOENT. */
static int find_role(const struct plan *plan, const char *role)
{
	const struct handoff *handoff = &plan->handoff;

	for (unsigned i = 0; i < handoff->fd_count; i++) {
		if (strcmp(handoff->fds[i].role, role) == 0)
			return (int)i;
	}
	return -ENOENT;
}

int jail_give(struct jail *jail, int fd, const char *role_fmt, ...)
{
	char role[HANDOFF_ROLE_MAX];
	va_list args;

	va_start(args, role_fmt);
	(void)vsnprintf(role, sizeof(role), role_fmt, args);
	va_end(args);
	int i = find_role(jail->plan, role);
	if (i < 0)
		fd_close(&fd);
	else
		jail->sources[i] = fd;
	return i < 0 ? i : 0;
}

int jail_source(const struct jail *jail, const char *role)
{
	int i = find_role(jail->plan, role);

	return i < 0 ? -1 : jail->sources[i];
}

static void jail_init(struct jail *jail, const struct plan *plan)
{
	memset(jail, 0, sizeof(*jail));
	jail->plan = plan;
	for (size_t i = 0; i < ARRAY_LEN(jail->sources); i++)
		jail->sources[i] = -1;
	jail->vmm_fd = jail->launch_memfd = jail->null_fd = jail->log_fd = -1;
	jail->go[0] = jail->go[1] = jail->failure[0] = jail->failure[1] = -1;
	jail->cgroup_fd = jail->pidfd = -1;
	jail->channels = (struct jail_channels){-1, -1, -1, -1};
	registry_init(&jail->registry);
}

/* What only the child needs: it holds its own copies now, and a drive's lock
 * or a tap's queue must not outlive the VMM in this process. */
static void close_sources(struct jail *jail)
{
	for (size_t i = 0; i < ARRAY_LEN(jail->sources); i++)
		fd_close(&jail->sources[i]);
	fd_close(&jail->vmm_fd);
	fd_close(&jail->launch_memfd);
	fd_close(&jail->null_fd);
	fd_close(&jail->log_fd);
	fd_close(&jail->go[0]);
	fd_close(&jail->go[1]);
	fd_close(&jail->failure[0]);
	fd_close(&jail->failure[1]);
}

void jail_destroy(struct jail *jail)
{
	close_sources(jail);
	for (size_t i = ARRAY_LEN(steps); i-- > 0;) {
		if (jail->applied[i] && steps[i]->undo != NULL)
			steps[i]->undo(jail);
		jail->applied[i] = false;
	}
	fd_close(&jail->channels.log);
	fd_close(&jail->channels.status);
	fd_close(&jail->channels.console_in);
	fd_close(&jail->channels.console_out);
}

/* In the jail a refusal means a broken jail, not a missing right. */
static int status_of(const struct jail *jail, const struct jail_step *step,
		     int r)
{
	if (jail->child_failed != NULL)
		return jail->child_failed->status;
	if ((r == -EACCES || r == -EPERM) && step->status != EXIT_STATUS_JAIL &&
	    step->status != EXIT_STATUS_EXEC)
		return EXIT_STATUS_PERMISSION;
	return step->status;
}

static int apply_step(struct jail *jail, size_t i, struct err *err)
{
	int r = 0;

	if (steps[i]->apply != NULL) {
		r = step_fails(steps[i]) ? err_set(err, EIO, "told to fail")
					 : steps[i]->apply(jail, err);
	}
	jail->applied[i] = r == 0;
	jail->ended_us[i] = clock_now_us();
	return r;
}

int jail_build(struct jail *jail, const struct plan *plan, int *ret_status,
	       struct err *err)
{
	size_t i = 0;
	int r = 0;

	jail_init(jail, plan);
	jail->started_us = clock_now_us();
	for (; i < ARRAY_LEN(steps) && r == 0; i++) {
		r = apply_step(jail, i, err);
		if (r < 0)
			*ret_status = status_of(jail, steps[i], r);
	}
	if (r < 0)
		jail_destroy(jail);
	else
		close_sources(jail);
	return r;
}

/* No stdio, no allocation: this is the copy of kiln that becomes the VMM. */
static void report_failure(const struct jail *jail, unsigned step, int errnum,
			   const char *what)
{
	struct jail_failure failure = {.step = step, .errnum = errnum};

	for (size_t i = 0; i + 1 < sizeof(failure.what) && what[i] != '\0'; i++)
		failure.what[i] = what[i];
	(void)!write(jail->failure[1], &failure, sizeof(failure));
}

_Noreturn void jail_child_main(struct jail *jail)
{
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		const char *what = "told to fail";
		int r = -EIO;

		if (steps[i]->enter == NULL)
			continue;
		if (!step_fails(steps[i]))
			r = steps[i]->enter(jail, &what);
		if (r == 0)
			continue;
		report_failure(jail, i, -r, what);
		break;
	}
	_exit(EXIT_STATUS_JAIL);
}

int jail_wait_exec(struct jail *jail, struct err *err)
{
	struct jail_failure failure;
	int r;

	fd_close(&jail->failure[1]);
	r = fd_read_full(jail->failure[0], &failure, sizeof(failure));
	if (r == -EPIPE)
		return 0; /* closed by execveat() */
	if (r < 0)
		return err_set(err, -r, "wait for kiln-vmm");
	if (failure.step >= ARRAY_LEN(steps))
		return err_say(err, EPROTO, "the child failed out of order");
	jail->child_failed = steps[failure.step];
	failure.what[sizeof(failure.what) - 1] = '\0';
	return err_set(err, failure.errnum, "jail: step '%s': %s",
		       steps[failure.step]->name, failure.what);
}
