/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "jailer/commands.h"
#include "jailer/doctor.h"
#include "launch/exit_status.h"

#define SCHEMA_VERSION 1
/* Some twenty rows of a kilobyte, every byte of it escaped. */
#define JSON_ROOM      (256U << 10)

struct settings {
	bool json;
	bool help;
	const char *probe; /* NULL: all checks */
};

static void print_finding(const struct doctor_check *check,
			  const struct doctor_finding *finding)
{
	(void)printf("%-4s  %-12s  %s\n", doctor_verdict_name(finding->verdict),
		     check->name, finding->text);
	if (finding->verdict != DOCTOR_OK)
		(void)printf("      fix: %s\n", finding->fix);
}

static void put_finding(struct json_writer *w, const struct doctor_check *check,
			const struct doctor_finding *finding)
{
	json_open(w, NULL, '{');
	json_put_string(w, "name", check->name);
	json_put_string(w, "question", check->what);
	json_put_string(w, "verdict", doctor_verdict_name(finding->verdict));
	json_put_string(w, "finding", finding->text);
	json_put_string(w, "fix", finding->fix);
	json_close(w, '}');
}

static bool print_all(const struct doctor *doctor)
{
	struct doctor_finding finding;
	bool able = true;

	for (const struct doctor_check *c = doctor_checks; c->name != NULL;
	     c++) {
		doctor_run(doctor, c, &finding);
		able = able && finding.verdict != DOCTOR_FAIL;
		print_finding(c, &finding);
	}
	(void)printf("microVMs %s run Linux on this host\n",
		     able ? "can" : "cannot");
	return able;
}

static bool print_json(const struct doctor *doctor)
{
	static char text[JSON_ROOM];
	struct doctor_finding finding;
	struct buf out;
	struct json_writer w = {.out = &out};
	bool able = true;

	buf_init(&out, text, sizeof(text));
	json_open(&w, NULL, '{');
	json_put_u64(&w, "version", SCHEMA_VERSION);
	json_open(&w, "checks", '[');
	for (const struct doctor_check *c = doctor_checks; c->name != NULL;
	     c++) {
		doctor_run(doctor, c, &finding);
		able = able && finding.verdict != DOCTOR_FAIL;
		put_finding(&w, c, &finding);
	}
	json_close(&w, ']');
	json_put_bool(&w, "able", able);
	json_close(&w, '}');
	assert(buf_status(&out) == 0);
	(void)printf("%s\n", text);
	return able;
}

static int run_one(const struct doctor *doctor, const char *name)
{
	const struct doctor_check *check = doctor_find(name);
	struct doctor_finding finding;

	if (check == NULL) {
		(void)fprintf(stderr,
			      "kiln: doctor: no check '%s'; 'kiln "
			      "doctor' lists them\n",
			      name);
		return EXIT_STATUS_USAGE;
	}
	doctor_run(doctor, check, &finding);
	(void)printf("%s\n", finding.text);
	return finding.verdict == DOCTOR_FAIL ? EXIT_STATUS_HOST
					      : EXIT_STATUS_OK;
}

static const struct option long_options[] = {
	{"json", no_argument, NULL, 'j'},
	{"probe", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int print_help(void)
{
	const struct command *command = command_find("doctor");

	(void)printf("usage: kiln doctor %s\n%s\n\n",
		     command == NULL ? "" : command->usage,
		     command == NULL ? "" : command->help);
	(void)printf("  --json         print the result as JSON\n"
		     "  --probe CHECK  make one check, print its finding\n"
		     "  --help         print this text\n\n"
		     "Exit status: 0 when microVMs can run Linux here, 69 when "
		     "not.\n\nChecks:\n");
	for (const struct doctor_check *c = doctor_checks; c->name != NULL; c++)
		(void)printf("  %-13s  %s\n", c->name, c->what);
	return EXIT_STATUS_OK;
}

/* Return: -1: go on; otherwise the exit status to end with. */
static int parse(int argc, char *argv[], struct settings *settings)
{
	int code;

	opterr = 0;
	optind = 0; /* getopt_long(3): start anew */
	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (code == 'j') {
			settings->json = true;
		} else if (code == 'p') {
			settings->probe = optarg;
		} else if (code == 'h') {
			settings->help = true;
		} else {
			(void)fprintf(stderr,
				      "kiln: doctor: '%s' is no option or "
				      "lacks its argument; 'kiln help doctor' "
				      "lists them\n",
				      argv[optind - 1]);
			return EXIT_STATUS_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	(void)fprintf(stderr, "kiln: doctor takes no '%s'\n", argv[optind]);
	return EXIT_STATUS_USAGE;
}

int cmd_doctor(int argc, char *argv[])
{
	const struct doctor doctor = {.root = "", .uid = geteuid()};
	struct settings settings = {0};
	int status = parse(argc, argv, &settings);
	bool able;

	if (status >= 0)
		return status;
	if (settings.help)
		return print_help();
	if (settings.probe != NULL)
		return run_one(&doctor, settings.probe);
	if (settings.json)
		able = print_json(&doctor);
	else
		able = print_all(&doctor);
	return able ? EXIT_STATUS_OK : EXIT_STATUS_HOST;
}
