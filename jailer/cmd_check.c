/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "jailer/commands.h"
#include "jailer/config.h"
#include "jailer/options.h"
#include "launch/exit_status.h"

/* Room for the JSON of one file: every problem, every byte escaped. */
#define JSON_ROOM (1U << 20)

/* Large, and a subcommand runs once. */
struct check {
	struct options options;
	struct kiln_config config;
	struct config_report report;
	char text[JSON_ROOM];
	struct buf out;
	struct json_writer writer;
};

static void put_problem(struct check *check,
			const struct config_problem *problem)
{
	struct json_writer *w = &check->writer;

	json_open(w, NULL, '{');
	json_put_string(w, "severity",
			problem->severity == CONFIG_ERROR ? "error"
							  : "warning");
	json_put_string(w, "file", check->report.files[problem->file]);
	json_put_u64(w, "line", problem->line);
	json_put_string(w, "section", problem->section);
	json_put_string(w, "key", problem->key);
	json_put_string(w, "message", problem->text);
	json_close(w, '}');
}

/* One element of the array: what was found in one file. */
static void put_file(struct check *check, bool ok)
{
	const struct config_report *report = &check->report;
	struct json_writer *w = &check->writer;

	buf_init(&check->out, check->text, sizeof(check->text));
	json_open(w, NULL, '{');
	json_put_string(w, "file", report->files[0]);
	json_put_string(w, "id", check->config.machine.id);
	json_put_bool(w, "ok", ok);
	json_put_u64(w, "errors", report->error_count);
	json_put_u64(w, "warnings", report->warning_count);
	json_open(w, "problems", '[');
	for (unsigned i = 0; i < report->problem_count; i++)
		put_problem(check, &report->problems[i]);
	json_close(w, ']');
	json_close(w, '}');
	(void)printf("%s", check->text);
}

static int check_file(struct check *check, size_t index, bool json)
{
	int status = options_check(&check->options, index, true, &check->config,
				   &check->report);

	if (json) {
		put_file(check, status < 0);
		return status;
	}
	config_report_print(&check->report, stderr);
	if (status < 0)
		(void)printf("%s: ok\n", check->options.files[index]);
	return status;
}

/* Every file is checked; the first one that is wrong gives the status. */
static int check_files(struct check *check, bool json)
{
	int result = EXIT_STATUS_OK;

	check->writer.out = &check->out;
	if (json)
		(void)printf("[");
	for (size_t i = 0; i < check->options.file_count; i++) {
		int status = check_file(check, i, json);

		if (status >= 0 && result == EXIT_STATUS_OK)
			result = status;
	}
	if (json)
		(void)printf("]\n");
	return result;
}

int cmd_check(int argc, char *argv[])
{
	bool json = false;
	const struct option_row rows[] = {
		{"json", NULL, &json, NULL, "print the result as JSON"},
		{0},
	};
	struct check *check = calloc(1, sizeof(*check));
	int status;

	if (check == NULL)
		return EXIT_STATUS_INTERNAL;
	status = options_parse(argc, argv, rows, &check->options);
	if (status < 0 && check->options.file_count == 0) {
		(void)fprintf(stderr, "kiln: check: which FILE?\n");
		status = EXIT_STATUS_USAGE;
	}
	if (status < 0)
		status = check_files(check, json);
	free(check);
	return status;
}
