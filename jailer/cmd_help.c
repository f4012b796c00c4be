/* SPDX-License-Identifier: Apache-2.0 */
/* Help is printed from the tables that the program runs on. */
#include <stdio.h>
#include <string.h>

#include "jailer/commands.h"
#include "jailer/keys.h"
#include "jailer/nearest.h"
#include "launch/exit_status.h"

static void print_commands(void)
{
	(void)printf("usage: kiln SUBCOMMAND ...\n\n");
	for (const struct command *c = command_table; c->name != NULL; c++)
		(void)printf("  %-8s  %s\n", c->name, c->help);
	(void)printf("\n"
		     "kiln help SUBCOMMAND    its options\n"
		     "kiln help keys          every key of a configuration\n"
		     "kiln --version          the version\n");
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static const char *or_dash(const char *text)
{
	return text == NULL ? "-" : text;
}

/* SECTION, KEY, DEFAULT, EXPECTS, HELP with tabs between, for programs. */
static void print_key_raw(const struct key *key, const char *expects)
{
	(void)printf("%s\t%s\t%s\t%s\t%s\n", key->section->name,
		     key->field->name, or_empty(key->field->fallback), expects,
		     key->field->help);
}

static void print_key(const struct key *key, const char *expects)
{
	(void)printf("  %-16s  %s\n", key->field->name, key->field->help);
	(void)printf("  %-16s  %s; default: %s\n", "", expects,
		     or_dash(key->field->fallback));
}

static void print_section(const struct key_section *section, bool raw)
{
	char expects[ERR_MSG_MAX];
	struct key key;

	if (section->later)
		return;
	if (!raw)
		(void)printf("[%s%s]  %s\n", section->name,
			     key_section_is_named(section) ? " NAME" : "",
			     section->help);
	for (unsigned i = 0; key_at(section, i, &key); i++) {
		struct buf out;

		if ((key.flags & KEY_LATER) != 0)
			continue;
		buf_init(&out, expects, sizeof(expects));
		field_expects(key.field, &out);
		if (raw)
			print_key_raw(&key, expects);
		else
			print_key(&key, expects);
	}
	if (!raw)
		(void)printf("\n");
}

static int print_keys(bool raw)
{
	const struct key_section *section;

	for (unsigned i = 0; (section = key_section_at(i)) != NULL; i++)
		print_section(section, raw);
	return EXIT_STATUS_OK;
}

static int say_unknown(const char *topic)
{
	struct nearest nearest;

	nearest_start(&nearest, topic);
	nearest_offer(&nearest, "keys");
	for (const struct command *c = command_table; c->name != NULL; c++)
		nearest_offer(&nearest, c->name);
	(void)fprintf(stderr, "kiln: no help on '%s'%s%s%s\n", topic,
		      nearest.best == NULL ? "" : "; did you mean '",
		      or_empty(nearest.best), nearest.best == NULL ? "" : "'?");
	return EXIT_STATUS_USAGE;
}

int cmd_help(int argc, char *argv[])
{
	char help[] = "--help";
	char *help_argv[] = {NULL, help, NULL};
	const struct command *command;
	const char *topic = argc > 1 ? argv[1] : "";
	bool raw = argc == 3 && strcmp(argv[2], "--raw") == 0;

	if (argc == 1 || strcmp(topic, "--help") == 0 ||
	    (argc == 2 && strcmp(topic, "help") == 0)) {
		print_commands();
		return EXIT_STATUS_OK;
	}
	if (strcmp(topic, "keys") == 0 && (argc == 2 || raw))
		return print_keys(raw);
	command = command_find(topic);
	if (command == NULL || argc > 2)
		return say_unknown(argc > 2 ? argv[2] : topic);
	help_argv[0] = argv[1];
	return command->run(2, help_argv);
}
