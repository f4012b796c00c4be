/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules over more than one key. Each looks at the whole configuration and
 * reports every breach at the line that made it; none looks at the host.
 */
#include <string.h>

#include "base/array.h"
#include "jailer/config_load.h"
#include "jailer/config_report.h"

struct rule_context {
	const struct kiln_config *config;
	struct config_report *report;
};

/* An error with one key of one object. */
#define ERROR_IN(section_name, key_name, index)                                \
	(&(const struct report_subject){CONFIG_ERROR, (section_name),          \
					(key_name), (index)})

static void check_kernel(const struct rule_context *c)
{
	if (c->config->kernel.image[0] == '\0')
		report_at(c->report, c->config, ERROR_IN("kernel", "image", 0),
			  "is required: the kernel to boot");
}

static void check_drive_paths(const struct rule_context *c)
{
	for (unsigned i = 0; i < c->config->machine.drive_count; i++) {
		if (c->config->drives[i].path[0] == '\0')
			report_at(c->report, c->config,
				  ERROR_IN("drive", "path", i),
				  "is required: the file behind the drive");
	}
}

/* Two writers, or a reader and a writer, without a cluster file system. */
static void check_drive_sharing(const struct rule_context *c)
{
	const struct machine *machine = &c->config->machine;
	const struct config_drive *drives = c->config->drives;

	for (unsigned i = 0; i < machine->drive_count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (drives[i].path[0] == '\0' ||
			    strcmp(drives[i].path, drives[k].path) != 0 ||
			    (machine->drives[i].read_only &&
			     machine->drives[k].read_only))
				continue;
			report_at(c->report, c->config,
				  ERROR_IN("drive", "path", i),
				  "drive '%s' has the same file; sharing needs "
				  "read_only = yes on both",
				  machine->drives[k].id);
		}
	}
}

static void check_net_twice(const struct rule_context *c)
{
	const struct machine *machine = &c->config->machine;
	const struct config_net *nets = c->config->nets;

	for (unsigned i = 0; i < machine->net_count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(nets[i].tap, "auto") != 0 &&
			    strcmp(nets[i].tap, nets[k].tap) == 0 &&
			    strcmp(nets[i].netns, nets[k].netns) == 0)
				report_at(c->report, c->config,
					  ERROR_IN("net", "tap", i),
					  "net '%s' has it already",
					  machine->nets[k].id);
			if (nets[i].address[0] != '\0' &&
			    strcmp(nets[i].address, nets[k].address) == 0 &&
			    strcmp(nets[i].netns, nets[k].netns) == 0)
				report_at(c->report, c->config,
					  ERROR_IN("net", "address", i),
					  "net '%s' has it already",
					  machine->nets[k].id);
		}
	}
}

static void check_net_address(const struct rule_context *c)
{
	for (unsigned i = 0; i < c->config->machine.net_count; i++) {
		const struct config_net *net = &c->config->nets[i];

		if (net->address[0] != '\0' && strcmp(net->tap, "auto") != 0)
			report_at(c->report, c->config,
				  ERROR_IN("net", "address", i),
				  "is for tap = auto; '%s' is there already "
				  "and keeps its own",
				  net->tap);
	}
}

static void check_jail_user(const struct rule_context *c)
{
	const struct config_jail *jail = &c->config->jail;
	bool root = strcmp(jail->user, "root") == 0 ||
		    (jail->user[0] != '\0' &&
		     jail->user[strspn(jail->user, "0")] == '\0');

	if (root && !jail->allow_root)
		report_at(c->report, c->config, ERROR_IN("jail", "user", 0),
			  "a VMM as root gives up half of the jail; say "
			  "allow_root = yes as well if it must be");
	if (jail->mode != CONFIG_MODE_ROOTLESS)
		return;
	if (jail->user[0] != '\0')
		report_at(c->report, c->config, ERROR_IN("jail", "user", 0),
			  "cannot be chosen with mode = rootless");
	if (jail->group[0] != '\0')
		report_at(c->report, c->config, ERROR_IN("jail", "group", 0),
			  "cannot be chosen with mode = rootless");
}

static void check_cgroup_memory(const struct rule_context *c)
{
	uint64_t guest = c->config->machine.board.memory_bytes;
	uint64_t limit = c->config->cgroup.memory_bytes;

	if (limit == 0 || limit >= guest)
		return;
	report_at(c->report, c->config,
		  &(const struct report_subject){CONFIG_WARNING, "cgroup",
						 "memory", 0},
		  "%llu MiB for a guest of %llu MiB: it will be killed if it "
		  "uses what it was given",
		  (unsigned long long)limit >> 20,
		  (unsigned long long)guest >> 20);
}

/* One limit, said in two ways. */
static void check_cgroup_twice(const struct rule_context *c)
{
	const struct config_cgroup *cgroup = &c->config->cgroup;
	const struct {
		const char *key, *file;
		bool set;
	} rows[] = {
		{"cpu", "cpu.max", cgroup->cpu_percent != 0},
		{"memory", "memory.max", cgroup->memory_bytes != 0},
		{"pids", "pids.max", cgroup->pids != 0},
	};

	for (unsigned i = 0; i < cgroup->raw_count; i++) {
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			if (!rows[k].set || cgroup->raw[i].value[0] == '\0' ||
			    strcmp(cgroup->raw[i].name, rows[k].file) != 0)
				continue;
			report_at(c->report, c->config,
				  ERROR_IN("cgroup", rows[k].key, 0),
				  "is set by '%s' as well; one of them must go",
				  rows[k].file);
		}
	}
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* The machine's own rules, but for the first: the id, which has no section. */
static void check_machine(const struct rule_context *c)
{
	const struct machine_rule *rule;

	for (unsigned i = 1; (rule = machine_rule_at(i)) != NULL; i++) {
		unsigned element = 0;
		struct err err;

		if (rule->check(&c->config->machine, &element, &err) == 0)
			continue;
		report_at(c->report, c->config,
			  ERROR_IN(or_empty(rule->section), or_empty(rule->key),
				   element),
			  "%s", err.msg);
	}
}

void config_check_rules(const struct kiln_config *config,
			struct config_report *report)
{
	static void (*const rules[])(const struct rule_context *c) = {
		check_machine,       check_kernel,        check_drive_paths,
		check_drive_sharing, check_net_twice,     check_net_address,
		check_jail_user,     check_cgroup_memory, check_cgroup_twice,
	};
	const struct rule_context context = {config, report};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i](&context);
}
