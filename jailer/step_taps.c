/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "jailer/tap.h"
#include "launch/exit_status.h"

static int plan_tap(struct plan *plan, unsigned i, struct err *err)
{
	const struct config_net *net = &plan->config->nets[i];
	const char *id = plan->config->machine.nets[i].id;
	struct plan_tap *tap = &plan->taps[i];

	tap->create = strcmp(net->tap, "auto") == 0;
	if (tap->create)
		tap_name(plan->config->machine.id, i, tap->name);
	else
		(void)snprintf(tap->name, sizeof(tap->name), "%s", net->tap);
	if (net->address[0] != '\0' && !tap->create)
		return err_say(err, EINVAL,
			       "net '%s': address is for tap = auto; '%s' is "
			       "there already and keeps its own",
			       id, tap->name);
	if (net->address[0] != '\0' &&
	    parse_cidr(net->address, &tap->address, &tap->prefix_bits) < 0)
		return err_say(err, EINVAL, "net '%s': address '%s'", id,
			       net->address);
	return handoff_add(&plan->handoff, plan->launch_fd++, "net:%s", id);
}

static int taps_plan(struct plan *plan, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < plan->config->machine.net_count; i++) {
		r = plan_tap(plan, i, err);
		if (r < 0)
			break;
	}
	return r;
}

static int open_tap(struct jail *jail, unsigned i, struct err *err)
{
	const struct kiln_config *config = jail->plan->config;
	const struct plan_tap *tap = &jail->plan->taps[i];
	const struct tap_settings settings = {
		.name = tap->name,
		.netns = config->nets[i].netns,
		.alias = config->machine.id,
		.address = tap->address,
		.prefix_bits = tap->prefix_bits,
		.mtu = config->machine.nets[i].mtu,
	};
	int fd = -1;
	int r;

	if (tap->create)
		r = tap_create(&settings, &fd, &jail->taps[i].ifindex, err);
	else
		r = tap_attach(settings.netns, tap->name, &fd, err);
	if (r < 0)
		return err_in(err, "net '%s'", config->machine.nets[i].id);
	jail->taps[i].created = tap->create;
	return jail_give(jail, fd, "net:%s", config->machine.nets[i].id);
}

static void taps_undo(struct jail *jail)
{
	const struct kiln_config *config = jail->plan->config;

	for (unsigned i = 0; i < config->machine.net_count; i++) {
		if (!jail->taps[i].created)
			continue;
		(void)tap_remove(config->nets[i].netns,
				 jail->plan->taps[i].name,
				 jail->taps[i].ifindex, NULL);
		jail->taps[i].created = false;
	}
}

static int taps_apply(struct jail *jail, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < jail->plan->config->machine.net_count; i++) {
		r = open_tap(jail, i, err);
		if (r < 0)
			break;
	}
	if (r < 0)
		taps_undo(jail);
	return r;
}

static void describe_tap(const struct plan *plan, unsigned i, struct buf *out)
{
	const struct config_net *net = &plan->config->nets[i];
	const struct plan_tap *tap = &plan->taps[i];

	buf_printf(out, "%s tap %s for net '%s'",
		   tap->create ? "make persistent" : "attach to", tap->name,
		   plan->config->machine.nets[i].id);
	if (net->netns[0] != '\0')
		buf_printf(out, " in network namespace %s", net->netns);
	if (net->address[0] != '\0')
		buf_printf(out, ", address %s", net->address);
	if (tap->create && plan->config->machine.nets[i].mtu != 0)
		buf_printf(
			out, ", mtu %llu",
			(unsigned long long)plan->config->machine.nets[i].mtu);
	buf_puts(out, tap->create ? ", up; removed at the end\n" : "\n");
}

static void taps_describe(const struct plan *plan, struct buf *out)
{
	if (plan->config->machine.net_count == 0)
		buf_puts(out, "no network interface\n");
	for (unsigned i = 0; i < plan->config->machine.net_count; i++)
		describe_tap(plan, i, out);
}

const struct jail_step step_taps = {
	.name = "taps",
	.status = EXIT_STATUS_CREATE,
	.plan = taps_plan,
	.apply = taps_apply,
	.undo = taps_undo,
	.describe = taps_describe,
};
