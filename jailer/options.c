/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "jailer/commands.h"
#include "jailer/nearest.h"
#include "launch/exit_status.h"

#define ROWS_MAX 16 /* rows of a subcommand */

/* What every subcommand with configurations takes. */
static const struct option_row shared_rows[] = {
	{"set", "SECTION.KEY=VALUE", NULL, NULL,
	 "set a key over what the files say; repeatable"},
	{"id", "ID", NULL, NULL, "name of the microVM; default: the file's"},
	{"help", NULL, NULL, NULL, "print this text"},
};

enum {
	ROW_SET,
	ROW_ID,
	ROW_HELP
};

/* What getopt_long() returns for row 0. */
#define CODE_FIRST 256

static const struct option_row *row_at(const struct option_row *rows,
				       size_t index)
{
	if (index < ARRAY_LEN(shared_rows))
		return &shared_rows[index];
	return rows == NULL || rows[index - ARRAY_LEN(shared_rows)].name == NULL
		       ? NULL
		       : &rows[index - ARRAY_LEN(shared_rows)];
}

static void print_help(const char *name, const struct option_row *rows)
{
	const struct command *command = command_find(name);
	const struct option_row *row;
	char left[64];

	(void)printf("usage: kiln %s %s\n", name,
		     command == NULL ? "" : command->usage);
	if (command != NULL)
		(void)printf("%s\n", command->help);
	(void)printf("\n");
	for (size_t i = 0; (row = row_at(rows, i)) != NULL; i++) {
		(void)snprintf(left, sizeof(left), "--%s%s%s", row->name,
			       row->argument == NULL ? "" : " ",
			       row->argument == NULL ? "" : row->argument);
		(void)printf("  %-24s  %s\n", left, row->help);
	}
}

static int say_unknown(const char *name, const char *typed,
		       const struct option_row *rows)
{
	const struct option_row *row;
	char word[NEAREST_WORD_MAX + 1];
	struct nearest nearest;

	typed += strspn(typed, "-");
	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(typed, "="),
		       typed);
	nearest_start(&nearest, word);
	for (size_t i = 0; (row = row_at(rows, i)) != NULL; i++)
		nearest_offer(&nearest, row->name);
	(void)fprintf(stderr, "kiln: %s: unknown option '%s'%s%s%s\n", name,
		      word, nearest.best == NULL ? "" : "; did you mean '--",
		      nearest.best == NULL ? "" : nearest.best,
		      nearest.best == NULL ? "" : "'?");
	(void)fprintf(stderr, "kiln: 'kiln help %s' lists them\n", name);
	return EXIT_STATUS_USAGE;
}

static int take_set(const char *name, struct options *options)
{
	if (options->set_count < OPTIONS_SETS_MAX) {
		options->sets[options->set_count++] = optarg;
		return -1;
	}
	(void)fprintf(stderr, "kiln: %s: more than %d times --set\n", name,
		      OPTIONS_SETS_MAX);
	return EXIT_STATUS_USAGE;
}

static int take_row(const char *name, const struct option_row *rows,
		    size_t index, struct options *options)
{
	const struct option_row *row = row_at(rows, index);

	if (row == NULL)
		return EXIT_STATUS_INTERNAL;
	if (index == ROW_SET)
		return take_set(name, options);
	if (index == ROW_ID)
		options->id = optarg;
	if (index == ROW_HELP) {
		print_help(name, rows);
		return EXIT_STATUS_OK;
	}
	if (row->flag != NULL)
		*row->flag = true;
	if (row->text != NULL)
		*row->text = optarg;
	return -1;
}

/* getopt_long()'s form of the table. */
static void fill_long_options(const struct option_row *rows, struct option *out)
{
	const struct option_row *row;
	size_t i = 0;

	for (; (row = row_at(rows, i)) != NULL && i < ROWS_MAX - 1; i++)
		out[i] = (struct option){
			.name = row->name,
			.has_arg = row->argument == NULL ? no_argument
							 : required_argument,
			.val = CODE_FIRST + (int)i,
		};
	out[i] = (struct option){0};
}

static int take_files(int argc, char *argv[], struct options *options)
{
	for (int i = optind; i < argc; i++) {
		if (options->file_count >= OPTIONS_FILES_MAX) {
			(void)fprintf(stderr, "kiln: %s: more than %d files\n",
				      argv[0], OPTIONS_FILES_MAX);
			return EXIT_STATUS_USAGE;
		}
		options->files[options->file_count++] = argv[i];
	}
	return -1;
}

int options_parse(int argc, char *argv[], const struct option_row *rows,
		  struct options *ret_options)
{
	struct option table[ROWS_MAX];
	int code;

	memset(ret_options, 0, sizeof(*ret_options));
	fill_long_options(rows, table);
	optind = 0; /* glibc: start anew, whatever main() has parsed */
	while ((code = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		int r;

		if (code == ':') {
			(void)fprintf(stderr,
				      "kiln: %s: '%s' wants an argument\n",
				      argv[0], argv[optind - 1]);
			return EXIT_STATUS_USAGE;
		}
		if (code == '?')
			return say_unknown(argv[0], argv[optind - 1], rows);
		r = take_row(argv[0], rows,
			     code == 'h' ? ROW_HELP
					 : (size_t)(code - CODE_FIRST),
			     ret_options);
		if (r >= 0)
			return r;
	}
	return take_files(argc, argv, ret_options);
}

static bool only_one_file(const struct options *options)
{
	if (options->file_count == 1)
		return true;
	(void)fprintf(stderr, "kiln: wants one FILE, got %zu\n",
		      options->file_count);
	return false;
}

int options_check(const struct options *options, size_t index, bool host,
		  struct kiln_config *ret_config, struct config_report *report)
{
	const struct config_source source = {
		.path = options->files[index],
		.id = options->id,
		.sets = options->sets,
		.set_count = options->set_count,
	};
	int r = config_load(&source, ret_config, report);

	if (r == -ENOMEM)
		return EXIT_STATUS_INTERNAL;
	if (report->missing)
		return EXIT_STATUS_NO_INPUT;
	/* All of it at once: what the host lacks as well. */
	if (host && config_check_host(ret_config, report) < 0 && r == 0)
		return EXIT_STATUS_NO_INPUT;
	return r < 0 ? EXIT_STATUS_CONFIG : -1;
}

int options_load(const struct options *options, bool host,
		 struct kiln_config *ret_config)
{
	struct config_report *report;
	int status;

	if (!only_one_file(options))
		return EXIT_STATUS_USAGE;
	report = calloc(1, sizeof(*report));
	if (report == NULL)
		return EXIT_STATUS_INTERNAL;
	status = options_check(options, 0, host, ret_config, report);
	config_report_print(report, stderr);
	free(report);
	return status;
}
