/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kiln-seccomp - compiles the seccomp policies at build time.
 *
 * An input with any error leaves no output: everything is built in memory,
 * then written beside the output's name and renamed.
 */
#include "profiles/compiler/emit.h"
#include "profiles/compiler/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status {
	STATUS_OK = 0,
	STATUS_ERRORS = 1, /* in the policies, or writing failed */
	STATUS_USAGE = 2,
};

static const char usage[] =
	"usage: kiln-seccomp compile [--arch A,B] [--format F] [--log] -o OUT "
	"FILE...\n"
	"       kiln-seccomp check FILE...\n"
	"       kiln-seccomp list [--arch A,B] FILE...\n"
	"  FILE     THREAD.policy, or a file of constants (any other name)\n"
	"  --arch   x86_64, aarch64 (default: both)\n"
	"  --format c, header, rules, or bin (then OUT is a directory)\n"
	"  --log    with bin: log what is not allowed instead of refusing it\n";

typedef int (*emit_fn)(struct policy_set *set,
		       const struct emit_options *options, FILE *out);

static const struct format {
	const char *name;
	emit_fn emit; /* NULL: into a directory */
} formats[] = {
	{"c", emit_c},
	{"header", emit_header},
	{"rules", emit_rules},
	{"bin", NULL},
};

struct arguments {
	struct emit_options options;
	const struct format *format;
	const char *out;
	char **files;
	int file_count;
};

static bool parse_arches(const char *list, unsigned *ret_arches)
{
	*ret_arches = 0;
	do {
		size_t len = strcspn(list, ",");
		enum policy_arch arch;

		if (!policy_arch_find(list, len, &arch)) {
			(void)fprintf(stderr,
				      "kiln-seccomp: unknown architecture "
				      "'%.*s': x86_64 or aarch64\n",
				      (int)len, list);
			return false;
		}
		*ret_arches |= 1U << arch;
		list += len + (list[len] == ',');
	} while (*list != '\0');
	return true;
}

static bool parse_format(const char *name, const struct format **ret_format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (strcmp(formats[i].name, name) != 0)
			continue;
		*ret_format = &formats[i];
		return true;
	}
	(void)fprintf(stderr,
		      "kiln-seccomp: unknown format '%s': c, header, rules or "
		      "bin\n",
		      name);
	return false;
}

/* Return: how many words were an option and its value; 0: no option; -1. */
static int parse_option(char **argv, struct arguments *args)
{
	if (strcmp(argv[0], "--log") == 0) {
		args->options.log = true;
		return 1;
	}
	if (argv[0][0] != '-')
		return 0;
	if (argv[1] == NULL)
		return -1;
	if (strcmp(argv[0], "--arch") == 0)
		return parse_arches(argv[1], &args->options.arches) ? 2 : -1;
	if (strcmp(argv[0], "--format") == 0)
		return parse_format(argv[1], &args->format) ? 2 : -1;
	if (strcmp(argv[0], "-o") != 0)
		return -1;
	args->out = argv[1];
	return 2;
}

static bool parse_arguments(int argc, char **argv, struct arguments *args)
{
	int at = 0;
	int r = 1;

	*args = (struct arguments){
		.options.arches = (1U << POLICY_ARCH_COUNT) - 1U,
		.format = &formats[0],
	};
	while (at < argc && r > 0) {
		r = parse_option(&argv[at], args);
		at += r > 0 ? r : 0;
	}
	args->files = &argv[at];
	args->file_count = argc - at;
	return r >= 0 && args->file_count > 0 &&
	       (!args->options.log || args->format->emit == NULL);
}

static int load(struct policy_set *set, const char *path)
{
	static char text[POLICY_FILE_MAX + 1];
	FILE *in = fopen(path, "re");
	size_t len;
	int r;

	if (in == NULL) {
		(void)fprintf(stderr, "kiln-seccomp: open '%s': %s\n", path,
			      strerror(errno));
		return -EIO;
	}
	len = fread(text, 1, sizeof(text), in);
	r = ferror(in) ? -EIO : policy_set_add(set, path, text, len);
	(void)fclose(in);
	if (r < 0)
		(void)fprintf(stderr, "kiln-seccomp: read '%s': %s\n", path,
			      strerror(-r));
	return r;
}

/* Return: false when something is wrong, which has been printed. */
static bool load_all(struct policy_set *set, const struct arguments *args)
{
	for (int i = 0; i < args->file_count; i++) {
		if (load(set, args->files[i]) < 0)
			return false;
	}
	if (policy_set_resolve(set) < 0) {
		(void)fprintf(stderr, "kiln-seccomp: out of memory\n");
		return false;
	}
	policy_set_check(set);
	return policy_set_print_errors(set, stderr) == 0;
}

static int write_file(const char *path, const char *text, size_t len_bytes)
{
	char temporary[4096];
	FILE *out;
	int r = 0;

	if (snprintf(temporary, sizeof(temporary), "%s.%ld", path,
		     (long)getpid()) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	out = fopen(temporary, "we");
	if (out == NULL)
		return -errno;
	if (fwrite(text, 1, len_bytes, out) != len_bytes)
		r = -EIO;
	if (fclose(out) != 0)
		r = -EIO;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

static int compile_text(struct policy_set *set, const struct arguments *args)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (out == NULL)
		return -errno;
	r = args->format->emit(set, &args->options, out);
	if (fclose(out) != 0)
		r = -ENOMEM;
	if (r == 0)
		r = write_file(args->out, text, len);
	free(text);
	return r;
}

static int cmd_compile(struct policy_set *set, const struct arguments *args)
{
	int r;

	if (args->out == NULL) {
		(void)fprintf(stderr, "kiln-seccomp: compile needs -o OUT\n");
		return STATUS_USAGE;
	}
	r = args->format->emit != NULL
		    ? compile_text(set, args)
		    : emit_bin(set, &args->options, args->out);
	if (r == 0)
		return STATUS_OK;
	if (policy_set_print_errors(set, stderr) == 0)
		(void)fprintf(stderr, "kiln-seccomp: write '%s': %s\n",
			      args->out, strerror(-r));
	return STATUS_ERRORS;
}

static int cmd_check(struct policy_set *set, const struct arguments *args)
{
	(void)set;
	(void)args;
	return STATUS_OK;
}

static int cmd_list(struct policy_set *set, const struct arguments *args)
{
	if (emit_list(set, &args->options, stdout) == 0 && fflush(stdout) == 0)
		return STATUS_OK;
	if (policy_set_print_errors(set, stderr) == 0)
		(void)fprintf(stderr, "kiln-seccomp: cannot list\n");
	return STATUS_ERRORS;
}

static const struct {
	const char *name;
	int (*run)(struct policy_set *set, const struct arguments *args);
} commands[] = {
	{"compile", cmd_compile},
	{"check", cmd_check},
	{"list", cmd_list},
};

int main(int argc, char **argv)
{
	struct policy_set set = {0};
	struct arguments args;
	int status = STATUS_USAGE;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands);
	     i++) {
		if (strcmp(argv[1], commands[i].name) != 0 ||
		    !parse_arguments(argc - 2, argv + 2, &args))
			continue;
		status = load_all(&set, &args) ? commands[i].run(&set, &args)
					       : STATUS_ERRORS;
		policy_set_destroy(&set);
		return status;
	}
	(void)fputs(usage, stderr);
	return status;
}
