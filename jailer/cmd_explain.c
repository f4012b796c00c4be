/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kiln explain - the plan in words: the table that kiln run executes, row by
 * row, then what each thread of the VMM may call and how it all may end.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "jailer/commands.h"
#include "jailer/jail.h"
#include "jailer/options.h"
#include "jailer/plan.h"
#include "launch/exit_status.h"
#include "seccomp_filters.h"

#define TEXT_BYTES_MAX (2 * HANDOFF_JSON_MAX)
#define JSON_BYTES_MAX (1U << 20)

static const char *vmm_path;

static bool as_json;

static const struct option_row rows[] = {
	{"json", NULL, &as_json, NULL, "print the plan as JSON"},
	{"vmm", "PATH", NULL, &vmm_path, "the VMM to run, instead of kiln-vmm"},
	{0},
};

static const struct {
	int status;
	const char *text;
} ends[] = {
	{EXIT_STATUS_OK, "the guest powered off, rebooted or reset"},
	{EXIT_STATUS_VMM, "the VMM could not build or run the machine"},
	{EXIT_STATUS_BUG, "internal error of the VMM"},
	{EXIT_STATUS_TRIPLE_FAULT, "the guest crashed its processor"},
	{EXIT_STATUS_KVM, "KVM gave up on the guest"},
	{EXIT_STATUS_LAUNCH, "the VMM refused the launch description"},
	{EXIT_STATUS_USAGE, "command line"},
	{EXIT_STATUS_NO_INPUT, "a file is missing, unfit or in use"},
	{EXIT_STATUS_HOST, "this host lacks something"},
	{EXIT_STATUS_INTERNAL, "internal error of kiln"},
	{EXIT_STATUS_CREATE, "cgroup, tap or run directory"},
	{EXIT_STATUS_PERMISSION, "not allowed to"},
	{EXIT_STATUS_CONFIG, "the configuration is wrong"},
	{EXIT_STATUS_JAIL, "the jail could not be built"},
	{EXIT_STATUS_EXEC, "kiln-vmm could not be executed"},
	{EXIT_STATUS_BAD_SYSCALL, "the VMM broke its seccomp policy"},
	{EXIT_STATUS_SIGNAL, "plus n: killed by signal n"},
};

/* A step may have several lines; only the first has its name. */
static void print_step(unsigned number, const char *name, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (number != 0)
			(void)printf("%2u %-13s %s\n", number, name, line);
		else
			(void)printf("%-16s %s\n", "", line);
		number = 0;
	}
}

static void print_steps(const struct plan *plan)
{
	static char text[TEXT_BYTES_MAX];
	const struct jail_step *step;
	struct buf out;

	(void)printf("microVM '%s'\n\nSteps, all or nothing:\n",
		     plan->config->machine.id);
	for (unsigned i = 0; (step = jail_step_at(i)) != NULL; i++) {
		buf_init(&out, text, sizeof(text));
		step->describe(plan, &out);
		print_step(i + 1, step->name, text);
	}
}

static void print_rules(void)
{
	const char *thread = "";

	(void)printf("\nSystem calls, by policy (and the functions that need "
		     "them):\n");
	for (size_t i = 0; i < seccomp_rule_count; i++) {
		const struct seccomp_rule *rule = &seccomp_rules[i];

		if (strcmp(thread, rule->thread) != 0)
			(void)printf("%s:\n", rule->thread);
		thread = rule->thread;
		(void)printf("  %s%s%s%s%s%s    %s\n", rule->syscall,
			     rule->test[0] != '\0' ? " if " : "", rule->test,
			     rule->arch[0] != '\0' ? " (" : "", rule->arch,
			     rule->arch[0] != '\0' ? ")" : "", rule->functions);
	}
}

static void put_lines(struct json_writer *w, const char *key, char *text)
{
	char *save = NULL;

	json_open(w, key, '[');
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		json_put_string(w, NULL, line);
	json_close(w, ']');
}

static void put_steps(struct json_writer *w, const struct plan *plan)
{
	static char text[TEXT_BYTES_MAX];
	const struct jail_step *step;
	struct buf out;

	json_open(w, "steps", '[');
	for (unsigned i = 0; (step = jail_step_at(i)) != NULL; i++) {
		buf_init(&out, text, sizeof(text));
		step->describe(plan, &out);
		json_open(w, NULL, '{');
		json_put_string(w, "name", step->name);
		put_lines(w, "does", text);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_rules(struct json_writer *w)
{
	json_open(w, "syscalls", '[');
	for (size_t i = 0; i < seccomp_rule_count; i++) {
		const struct seccomp_rule *rule = &seccomp_rules[i];

		json_open(w, NULL, '{');
		json_put_string(w, "policy", rule->thread);
		json_put_string(w, "syscall", rule->syscall);
		json_put_string(w, "if", rule->test);
		json_put_string(w, "for", rule->functions);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static int print_json(const struct plan *plan)
{
	static char text[JSON_BYTES_MAX];
	struct buf out;
	struct json_writer w = {.out = &out};

	buf_init(&out, text, sizeof(text));
	json_open(&w, NULL, '{');
	json_put_string(&w, "id", plan->config->machine.id);
	put_steps(&w, plan);
	put_rules(&w);
	json_close(&w, '}');
	if (buf_status(&out) < 0 || puts(text) < 0 || fflush(stdout) != 0)
		return EXIT_STATUS_INTERNAL;
	return EXIT_STATUS_OK;
}

static int explain(const struct kiln_config *config)
{
	static struct plan plan;
	int status = EXIT_STATUS_INTERNAL;
	struct err err = {0};

	if (plan_make(config, vmm_path, &plan, &status, &err) < 0) {
		(void)fprintf(stderr, "kiln: %s: %s\n", config->machine.id,
			      err.msg);
		return status;
	}
	if (as_json)
		return print_json(&plan);
	print_steps(&plan);
	if (config->machine.confine.seccomp != SECCOMP_OFF)
		print_rules();
	(void)printf("\nExit status:\n");
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		(void)printf("%4d  %s\n", ends[i].status, ends[i].text);
	return fflush(stdout) == 0 ? EXIT_STATUS_OK : EXIT_STATUS_INTERNAL;
}

int cmd_explain(int argc, char *argv[])
{
	static struct kiln_config config;
	struct options options;
	int status = options_parse(argc, argv, rows, &options);

	if (status < 0)
		status = options_load(&options, false, &config);
	return status < 0 ? explain(&config) : status;
}
