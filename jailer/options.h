/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - the command line of the subcommands that take configurations:
 * FILE, --set SECTION.KEY=VALUE, --id ID, and what a subcommand adds with
 * rows of its own. One table drives getopt_long(3) and the help text.
 *
 *	static bool json;
 *	static const struct option_row rows[] = {
 *		{ "json", NULL, &json, NULL, "print the plan as JSON" },
 *		{ "status", "FD", NULL, &status_text, "write status lines" },
 *		{ 0 },
 *	};
 *	r = options_parse(argc, argv, rows, &options);
 */
#ifndef KILN_JAILER_OPTIONS_H
#define KILN_JAILER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "jailer/config.h"

#define OPTIONS_SETS_MAX  64
#define OPTIONS_FILES_MAX 64

struct option_row {
	const char *name;     /* without the dashes; NULL ends the table */
	const char *argument; /* its name for the help; NULL: takes none */
	bool *flag;           /* set true when given; may be NULL */
	const char **text;    /* set to the argument; may be NULL */
	const char *help;
};

struct options {
	const char *files[OPTIONS_FILES_MAX];
	size_t file_count;
	const char *sets[OPTIONS_SETS_MAX];
	size_t set_count;
	const char *id; /* NULL: not given */
};

/*
 * options_parse - argv[0] is the subcommand's name. Prints what is wrong, or
 * the help when --help is given. rows may be NULL. Options end at "--".
 * Return: -1: go on; otherwise the exit status to end with.
 */
int options_parse(int argc, char *argv[], const struct option_row *rows,
		  struct options *ret_options);

/*
 * options_check - load the FILE at index, print nothing. With host:
 * config_check_host() as well.
 * Return: -1: *ret_config is good; otherwise the exit status to end with.
 */
int options_check(const struct options *options, size_t index, bool host,
		  struct kiln_config *ret_config, struct config_report *report);

/*
 * options_load - load the one FILE that options names, print every problem to
 * stderr. With host: config_check_host() as well.
 * Return: -1: *ret_config is good; otherwise the exit status to end with.
 */
int options_load(const struct options *options, bool host,
		 struct kiln_config *ret_config);

#endif
