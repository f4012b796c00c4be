/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry that claims the id, and what an earlier owner left behind. A kiln
 * that was killed took its VMM along (the parent-death signal), but neither
 * cgroup nor interface; the entry names both, because it is written before
 * either is made.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "base/fd.h"
#include "base/parse.h"
#include "jailer/cgroup.h"
#include "jailer/tap.h"
#include "launch/exit_status.h"

#define DEATH_WAIT_MS  1000
#define TAPS_BYTES_MAX (MACHINE_NETS_MAX * (IFNAMSIZ + PATH_MAX + 2))

static int registry_plan(struct plan *plan, struct err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *parent = "/run";

	(void)snprintf(plan->run_base, sizeof(plan->run_base), "kiln");
	if (plan->rootless && runtime != NULL && runtime[0] == '/') {
		parent = runtime;
	} else if (plan->rootless) {
		parent = "/tmp";
		(void)snprintf(plan->run_base, sizeof(plan->run_base),
			       "kiln-%u", (unsigned)geteuid());
	}
	if (strlen(parent) >= sizeof(plan->run_parent))
		return err_say(err, ENAMETOOLONG, "XDG_RUNTIME_DIR too long");
	(void)snprintf(plan->run_parent, sizeof(plan->run_parent), "%s",
		       parent);
	return 0;
}

/* The first process of a pid namespace below ours, as every VMM is. */
static bool is_namespace_init(pid_t pid)
{
	char path[32];
	char text[4096];
	const char *line;
	unsigned outer;
	unsigned inner;
	char more;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "\nNSpid:");
	return line != NULL &&
	       // NOLINTNEXTLINE(cert-err34-c): the kernel wrote it
	       sscanf(line, "\nNSpid: %u %u%c", &outer, &inner, &more) == 3 &&
	       inner == 1 && more == '\n';
}

/*
 * The old VMM is dying already; its drives are free when it is gone. It is
 * only waited for: by now its number could belong to somebody else.
 */
static void wait_for_death(const struct registry *registry)
{
	char text[16];
	uint64_t pid = 0;

	(void)registry_read(registry, "vmm_pid", text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	if (parse_u64(text, &pid) < 0 || pid <= 1 || pid > INT_MAX)
		return;
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	if (pidfd >= 0 && is_namespace_init((pid_t)pid))
		(void)poll(&poll_fd, 1, DEATH_WAIT_MS);
}

static void sweep_taps(char *lines)
{
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *netns = strchr(line, ' ');

		if (netns == NULL)
			continue;
		*netns++ = '\0';
		(void)tap_remove(netns, line, 0, NULL);
	}
}

static void sweep(const struct registry *registry)
{
	static char text[TAPS_BYTES_MAX];

	if (registry_read(registry, "cgroup", text, PATH_MAX) == 0 &&
	    text[0] == '/') {
		text[strcspn(text, "\n")] = '\0';
		cgroup_remove(text);
	}
	wait_for_death(registry);
	if (registry_read(registry, "taps", text, sizeof(text)) == 0)
		sweep_taps(text);
}

/* Empty when there is none to remove. */
static void list_taps(const struct plan *plan, struct buf *out)
{
	for (unsigned i = 0; i < plan->config->machine.net_count; i++) {
		if (plan->taps[i].create)
			buf_printf(out, "%s %s\n", plan->taps[i].name,
				   plan->config->nets[i].netns);
	}
}

static int write_entry(const struct jail *jail, struct err *err)
{
	static char text[TAPS_BYTES_MAX];
	const struct plan *plan = jail->plan;
	struct buf taps;
	int r = 0;

	if (plan->cgroup.leaf[0] != '\0')
		r = registry_write(&jail->registry, "cgroup",
				   plan->cgroup.leaf);
	buf_init(&taps, text, sizeof(text));
	list_taps(plan, &taps);
	if (r == 0)
		r = buf_status(&taps);
	if (r == 0 && taps.len > 0)
		r = registry_write(&jail->registry, "taps", text);
	return r < 0 ? err_set(err, -r, "write the entry '%s'",
			       plan->config->machine.id)
		     : 0;
}

static int registry_apply(struct jail *jail, struct err *err)
{
	const struct plan *plan = jail->plan;
	int r = registry_claim(&jail->registry, plan->run_parent,
			       plan->run_base, plan->config->machine.id, err);

	if (r < 0)
		return r;
	if (jail->registry.stale)
		sweep(&jail->registry);
	r = registry_clear(&jail->registry, err);
	if (r == 0)
		r = write_entry(jail, err);
	if (r < 0)
		registry_release(&jail->registry);
	return r;
}

static void registry_undo(struct jail *jail)
{
	registry_release(&jail->registry);
}

static void registry_describe(const struct plan *plan, struct buf *out)
{
	buf_printf(out,
		   "claim %s/%s/%s with a lock, sweep what a killed kiln "
		   "left there\n",
		   plan->run_parent, plan->run_base, plan->config->machine.id);
}

const struct jail_step step_registry = {
	.name = "registry",
	.status = EXIT_STATUS_CREATE,
	.plan = registry_plan,
	.apply = registry_apply,
	.undo = registry_undo,
	.describe = registry_describe,
};
