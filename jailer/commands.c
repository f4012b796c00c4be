/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/commands.h"

#include <stddef.h>
#include <string.h>

const struct command command_table[] = {
	{"run", cmd_run, "FILE [--set SECTION.KEY=VALUE]... [--id ID]",
	 "build the jail, boot the microVM in it, wait for its end"},
	{"check", cmd_check, "FILE... [--set SECTION.KEY=VALUE]... [--json]",
	 "check configurations, print every error, do nothing"},
	{"explain", cmd_explain, "FILE [--set SECTION.KEY=VALUE]... [--json]",
	 "print what run would do, do nothing"},
	{"doctor", cmd_doctor, "[--json | --probe CHECK]",
	 "say what this host can do and what it lacks"},
	{"help", cmd_help, "[SUBCOMMAND | keys [--raw]]",
	 "print help: on a subcommand, or every key of a configuration"},
	{NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = command_table; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}
