/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "jailer/commands.h"
#include "jailer/nearest.h"
#include "launch/exit_status.h"

static int say_unknown(const char *word)
{
	struct nearest nearest;

	nearest_start(&nearest, word);
	for (const struct command *c = command_table; c->name != NULL; c++)
		nearest_offer(&nearest, c->name);
	(void)fprintf(stderr, "kiln: unknown %s '%s'%s%s%s\n",
		      word[0] == '-' ? "option" : "subcommand", word,
		      nearest.best == NULL ? "" : "; did you mean '",
		      nearest.best == NULL ? "" : nearest.best,
		      nearest.best == NULL ? "" : "'?");
	(void)fprintf(stderr, "kiln: 'kiln help' lists them\n");
	return EXIT_STATUS_USAGE;
}

static int no_subcommand(void)
{
	(void)fprintf(stderr, "kiln: which subcommand? 'kiln help' lists "
			      "them\n");
	return EXIT_STATUS_USAGE;
}

int main(int argc, char *argv[])
{
	static char help[] = "help";
	static char *help_argv[] = {help, NULL};
	const struct command *command;

	if (argc < 2)
		return no_subcommand();
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("kiln %s\n", KILN_VERSION);
		return EXIT_STATUS_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cmd_help(1, help_argv);
	command = command_find(argv[1]);
	if (command == NULL)
		return say_unknown(argv[1]);
	return command->run(argc - 1, argv + 1);
}
