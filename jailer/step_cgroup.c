/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/fd.h"
#include "jailer/cgroup.h"
#include "launch/exit_status.h"

#define CPU_PERIOD_US 100000 /* the kernel's default for cpu.max */

static void need_controller(struct plan_cgroup *cgroup, const char *file)
{
	size_t len = strcspn(file, ".");
	char name[sizeof(cgroup->controllers[0])];

	if (len >= sizeof(name) ||
	    cgroup->controller_count >= ARRAY_LEN(cgroup->controllers))
		return;
	memcpy(name, file, len);
	name[len] = '\0';
	if (strcmp(name, "cgroup") == 0) /* there without any controller */
		return;
	for (unsigned i = 0; i < cgroup->controller_count; i++) {
		if (strcmp(cgroup->controllers[i], name) == 0)
			return;
	}
	memcpy(cgroup->controllers[cgroup->controller_count++], name, len + 1);
}

static void add_write(struct plan_cgroup *cgroup, const char *file,
		      const char *value)
{
	struct plan_cgroup_write *w = &cgroup->writes[cgroup->write_count];

	if (cgroup->write_count >= ARRAY_LEN(cgroup->writes))
		return; /* as many as the configuration can hold */
	cgroup->write_count++;
	(void)snprintf(w->file, sizeof(w->file), "%s", file);
	(void)snprintf(w->value, sizeof(w->value), "%s", value);
	need_controller(cgroup, file);
}

static void plan_writes(struct plan_cgroup *cgroup,
			const struct config_cgroup *config)
{
	char value[64];

	if (config->cpu_percent != 0) {
		(void)snprintf(value, sizeof(value), "%llu %d",
			       (unsigned long long)config->cpu_percent *
				       CPU_PERIOD_US / 100,
			       CPU_PERIOD_US);
		add_write(cgroup, "cpu.max", value);
	}
	if (config->memory_bytes != 0) {
		(void)snprintf(value, sizeof(value), "%llu",
			       (unsigned long long)config->memory_bytes);
		add_write(cgroup, "memory.max", value);
		/* Half a VMM is of no use to anybody. */
		add_write(cgroup, "memory.oom.group", "1");
	}
	if (config->pids != 0) {
		(void)snprintf(value, sizeof(value), "%llu",
			       (unsigned long long)config->pids);
		add_write(cgroup, "pids.max", value);
	}
	for (unsigned i = 0; i < config->raw_count; i++)
		add_write(cgroup, config->raw[i].name, config->raw[i].value);
}

static int plan_parent(struct plan *plan, struct err *err)
{
	struct plan_cgroup *cgroup = &plan->cgroup;
	const char *asked = plan->config->cgroup.parent;
	size_t len;

	if (asked[0] == '\0' && !plan->rootless) {
		(void)snprintf(cgroup->parent, sizeof(cgroup->parent), "/kiln");
		return 0;
	}
	if (asked[0] == '\0')
		return cgroup_own_path(cgroup->parent, sizeof(cgroup->parent),
				       err);
	/* No doubled and no trailing slash: each would look like a level. */
	len = strlen(asked);
	while (len > 0 && asked[len - 1] == '/')
		len--;
	while (len > 0 && asked[0] == '/') {
		asked++;
		len--;
	}
	if (len == 0)
		return 0;
	(void)snprintf(cgroup->parent, sizeof(cgroup->parent), "/%.*s",
		       (int)len, asked);
	return 0;
}

static int plan_leaf(struct plan *plan, struct err *err)
{
	struct plan_cgroup *cgroup = &plan->cgroup;
	int r = plan_parent(plan, err);

	if (r < 0)
		return r;
	if (strstr(cgroup->parent, "//") != NULL ||
	    strstr(cgroup->parent, "/..") != NULL)
		return err_say(err, EINVAL,
			       "[cgroup] parent: '%s' has an empty name or "
			       "'..' in it",
			       cgroup->parent);
	r = snprintf(cgroup->leaf, sizeof(cgroup->leaf), "%s%s/%s",
		     cgroup->root, cgroup->parent, plan->config->machine.id);
	if (r < 0 || (size_t)r >= sizeof(cgroup->leaf))
		return err_say(err, ENAMETOOLONG, "[cgroup] parent: too long");
	return 0;
}

static int cgroup_plan(struct plan *plan, struct err *err)
{
	struct plan_cgroup *cgroup = &plan->cgroup;
	int r;

	plan_writes(cgroup, &plan->config->cgroup);
	cgroup->required = cgroup->write_count > 0 ||
			   plan->config->cgroup.parent[0] != '\0';
	cgroup_find_root(cgroup->root, sizeof(cgroup->root));
	if (cgroup->root[0] == '\0' && cgroup->required)
		return err_say(err, ENOTSUP,
			       "[cgroup]: no cgroup v2 at /sys/fs/cgroup nor "
			       "/sys/fs/cgroup/unified; mount it, or remove "
			       "the section");
	if (cgroup->root[0] == '\0') {
		(void)snprintf(cgroup->without, sizeof(cgroup->without),
			       "no cgroup v2 is mounted");
		return 0;
	}
	r = plan_leaf(plan, err);
	if (r == 0 || cgroup->required)
		return r;
	(void)snprintf(cgroup->without, sizeof(cgroup->without),
		       "kiln is in no cgroup v2");
	cgroup->leaf[0] = '\0';
	return 0;
}

static int cgroup_apply(struct jail *jail, struct err *err)
{
	const struct plan_cgroup *cgroup = &jail->plan->cgroup;
	int r;

	if (cgroup->leaf[0] == '\0')
		return 0;
	r = cgroup_create(cgroup, &jail->cgroup_fd, err);
	if (r == 0 || cgroup->required)
		return r;
	*err = (struct err){0}; /* nothing was asked for */
	return 0;
}

static void cgroup_undo(struct jail *jail)
{
	if (jail->cgroup_fd >= 0)
		cgroup_remove(jail->plan->cgroup.leaf);
	fd_close(&jail->cgroup_fd);
}

static void cgroup_describe(const struct plan *plan, struct buf *out)
{
	const struct plan_cgroup *cgroup = &plan->cgroup;

	if (cgroup->leaf[0] == '\0') {
		buf_printf(out, "no cgroup: %s, and no limit is asked for\n",
			   cgroup->without);
		return;
	}
	buf_printf(out, "make cgroup %s%s\n", cgroup->leaf,
		   cgroup->required ? "" : ", or go without it");
	for (unsigned i = 0; i < cgroup->controller_count; i++)
		buf_printf(out, "pass down controller '%s' from %s to %s%s\n",
			   cgroup->controllers[i], cgroup->root, cgroup->root,
			   cgroup->parent);
	for (unsigned i = 0; i < cgroup->write_count; i++)
		buf_printf(out, "write '%s' to %s\n", cgroup->writes[i].value,
			   cgroup->writes[i].file);
}

const struct jail_step step_cgroup = {
	.name = "cgroup",
	.status = EXIT_STATUS_CREATE,
	.plan = cgroup_plan,
	.apply = cgroup_apply,
	.undo = cgroup_undo,
	.describe = cgroup_describe,
};
