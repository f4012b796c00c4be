/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - the subcommands of kiln, one cmd_NAME.c each. argv[0] is the
 * subcommand's name. Each prints its own errors, once, and returns the exit
 * status (launch/exit_status.h).
 */
#ifndef KILN_JAILER_COMMANDS_H
#define KILN_JAILER_COMMANDS_H

struct command {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *usage; /* what follows "kiln NAME" */
	const char *help;  /* one line */
};

/* The table, in the order of the help; ends in a row without a name. */
extern const struct command command_table[];

/* command_find - NULL when there is no such subcommand. */
const struct command *command_find(const char *name);

int cmd_run(int argc, char *argv[]);
int cmd_check(int argc, char *argv[]);
int cmd_explain(int argc, char *argv[]);
int cmd_doctor(int argc, char *argv[]);
int cmd_help(int argc, char *argv[]);

#endif
