/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the VMM runs as. A caller that may change ids (root, or a service with
 * CAP_SETUID and CAP_SETGID) gives it a user of its own; any other caller only
 * has itself. The VMM is inside a user namespace either way, so that nothing
 * it holds counts for anything on the host.
 */
#include "jailer/steps.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jailer/identity.h"
#include "launch/exit_status.h"

/* What an administrator makes for kiln, and what every system has. */
#define DEFAULT_USER  "kiln"
#define FALLBACK_USER "nobody"
#define FALLBACK_ID   65534

static bool may_change_ids(void)
{
	return geteuid() == 0 ||
	       (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID));
}

static void default_user(struct identity_user *user, const char **ret_name)
{
	*ret_name = DEFAULT_USER;
	if (identity_user(IDENTITY_PASSWD, DEFAULT_USER, user) == 0)
		return;
	*ret_name = FALLBACK_USER;
	if (identity_user(IDENTITY_PASSWD, FALLBACK_USER, user) < 0)
		*user = (struct identity_user){FALLBACK_ID, FALLBACK_ID};
}

static int find_foreign(struct plan *plan, struct err *err)
{
	const struct config_jail *jail = &plan->config->jail;
	struct plan_identity *identity = &plan->identity;
	const char *name = jail->user;
	struct identity_user user = {0};

	identity->foreign = true;
	if (jail->user[0] == '\0')
		default_user(&user, &name);
	else if (identity_user(IDENTITY_PASSWD, jail->user, &user) < 0)
		return err_say(err, ENOENT, "[jail] user: no user '%s' in %s",
			       jail->user, IDENTITY_PASSWD);
	if (jail->group[0] != '\0' &&
	    identity_group(IDENTITY_GROUP, jail->group, &user.gid) < 0)
		return err_say(err, ENOENT, "[jail] group: no group '%s' in %s",
			       jail->group, IDENTITY_GROUP);
	identity->uid = user.uid;
	identity->gid = user.gid;
	(void)snprintf(identity->user, sizeof(identity->user), "%s", name);
	return 0;
}

static int find_own(struct plan *plan, struct err *err)
{
	const struct config_jail *jail = &plan->config->jail;
	struct identity_user user = {geteuid(), getegid()};
	gid_t gid = user.gid;

	if (jail->user[0] != '\0' &&
	    (identity_user(IDENTITY_PASSWD, jail->user, &user) < 0 ||
	     user.uid != geteuid()))
		return err_say(err, EPERM,
			       "[jail] user: uid %u cannot become '%s'; run as "
			       "root, or give kiln CAP_SETUID and CAP_SETGID",
			       (unsigned)geteuid(), jail->user);
	if (jail->group[0] != '\0' &&
	    (identity_group(IDENTITY_GROUP, jail->group, &gid) < 0 ||
	     gid != getegid()))
		return err_say(err, EPERM,
			       "[jail] group: gid %u cannot become '%s'; run "
			       "as root, or give kiln CAP_SETUID and "
			       "CAP_SETGID",
			       (unsigned)getegid(), jail->group);
	plan->identity = (struct plan_identity){
		.uid = geteuid(), .gid = getegid(), .user = "the caller"};
	return 0;
}

static int identity_plan(struct plan *plan, struct err *err)
{
	const struct config_jail *jail = &plan->config->jail;
	int r;

	plan->rootless = jail->mode == CONFIG_MODE_ROOTLESS ||
			 (jail->mode == CONFIG_MODE_AUTO && geteuid() != 0);
	if (jail->mode == CONFIG_MODE_ROOT && geteuid() != 0)
		return err_say(err, EPERM,
			       "[jail] mode: 'root' needs root, this is uid %u",
			       (unsigned)geteuid());
	if (!plan->rootless || (jail->user[0] != '\0' && may_change_ids()))
		r = find_foreign(plan, err);
	else
		r = find_own(plan, err);
	if (r < 0)
		return r;
	identity_group_name(IDENTITY_GROUP, plan->identity.gid,
			    plan->identity.group, sizeof(plan->identity.group));
	if (plan->identity.uid == 0 && !jail->allow_root)
		return err_say(err, EPERM,
			       "[jail] user: the VMM would run as uid 0; name "
			       "another user, or set allow_root = yes");
	return 0;
}

static void identity_describe(const struct plan *plan, struct buf *out)
{
	const struct plan_identity *identity = &plan->identity;

	buf_printf(out, "run the VMM as %s (uid %u), group %s (gid %u), %s\n",
		   identity->user, (unsigned)identity->uid, identity->group,
		   (unsigned)identity->gid,
		   plan->rootless ? "rootless" : "started by root");
	if (!identity->foreign)
		buf_puts(out, "the caller's supplementary groups stay, since "
			      "only a privileged caller can drop them; inside "
			      "they map to nobody\n");
}

const struct jail_step step_identity = {
	.name = "identity",
	.status = EXIT_STATUS_CONFIG,
	.plan = identity_plan,
	.describe = identity_describe,
};
