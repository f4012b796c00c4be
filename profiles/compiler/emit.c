/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/compiler/emit.h"

#include "profiles/compiler/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char banner[] = "/* SPDX-License-Identifier: Apache-2.0 */\n"
			     "/* Made by kiln-seccomp from the policies in "
			     "profiles/seccomp; edit those. */\n";

static bool wants(const struct emit_options *options, unsigned arch)
{
	return (options->arches & (1U << arch)) != 0;
}

static const char *log_suffix(bool log)
{
	return log ? "_log" : "";
}

/* Called with every program in turn. Return: 0; -errno ends the walk. */
typedef int (*program_fn)(const struct policy *policy, enum policy_arch arch,
			  bool log, const struct filter *filter, void *arg);

static int visit_program(struct policy_set *set, const struct policy *policy,
			 enum policy_arch arch, bool log, program_fn visit,
			 void *arg)
{
	struct filter filter;
	int r = filter_build(set, policy, arch, log, &filter);

	if (r < 0)
		return r;
	r = visit(policy, arch, log, &filter, arg);
	filter_destroy(&filter);
	return r;
}

static int visit_programs(struct policy_set *set,
			  const struct emit_options *options, bool log,
			  program_fn visit, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->policy_count; i++) {
		for (unsigned a = 0; r == 0 && a < POLICY_ARCH_COUNT; a++) {
			if (wants(options, a))
				r = visit_program(set, &set->policies[i],
						  (enum policy_arch)a, log,
						  visit, arg);
		}
	}
	return r;
}

static int print_insns(const struct policy *policy, enum policy_arch arch,
		       bool log, const struct filter *filter, void *arg)
{
	FILE *out = arg;

	(void)fprintf(out, "\nstatic const struct sock_filter %s_%s%s[] = {\n",
		      policy->name, policy_arch_name(arch), log_suffix(log));
	for (size_t i = 0; i < filter->count; i++) {
		const struct sock_filter *insn = &filter->insns[i];

		(void)fprintf(out, "\t{ 0x%02x, %u, %u, 0x%08x },\n",
			      insn->code, insn->jt, insn->jf, insn->k);
	}
	(void)fprintf(out, "};\n");
	return 0;
}

static int print_row(const struct policy *policy, enum policy_arch arch,
		     bool log, const struct filter *filter, void *arg)
{
	FILE *out = arg;

	(void)fprintf(out, "\t{ \"%s\", \"%s\", %s, %zu, %s_%s%s },\n",
		      policy->name, policy_arch_name(arch),
		      log ? "true" : "false", filter->count, policy->name,
		      policy_arch_name(arch), log_suffix(log));
	return 0;
}

static const char find_body[] =
	"\n#if defined(__x86_64__)\n"
	"#define NATIVE \"x86_64\"\n"
	"#elif defined(__aarch64__)\n"
	"#define NATIVE \"aarch64\"\n"
	"#else\n"
	"#error \"no seccomp policy for this architecture\"\n"
	"#endif\n"
	"\n"
	"const struct seccomp_program *seccomp_program_find(const char *thread,"
	"\n\t\t\t\t\t\t   bool log)\n"
	"{\n"
	"\tfor (size_t i = 0; i < seccomp_program_count; i++) {\n"
	"\t\tconst struct seccomp_program *program = &seccomp_programs[i];\n"
	"\n"
	"\t\tif (program->log == log &&\n"
	"\t\t    strcmp(program->arch, NATIVE) == 0 &&\n"
	"\t\t    strcmp(program->name, thread) == 0)\n"
	"\t\t\treturn program;\n"
	"\t}\n"
	"\treturn NULL;\n"
	"}\n";

int emit_c(struct policy_set *set, const struct emit_options *options,
	   FILE *out)
{
	int r;

	(void)fprintf(out,
		      "%s#include \"seccomp_filters.h\"\n\n"
		      "#include <string.h>\n",
		      banner);
	r = visit_programs(set, options, false, print_insns, out);
	if (r == 0)
		r = visit_programs(set, options, true, print_insns, out);
	(void)fprintf(out, "\nconst struct seccomp_program "
			   "seccomp_programs[] = {\n");
	if (r == 0)
		r = visit_programs(set, options, false, print_row, out);
	if (r == 0)
		r = visit_programs(set, options, true, print_row, out);
	(void)fprintf(out,
		      "};\n\nconst size_t seccomp_program_count =\n"
		      "\tsizeof(seccomp_programs) / "
		      "sizeof(*seccomp_programs);\n%s",
		      find_body);
	return r;
}

static const char header_body[] =
	"/*\n"
	" * seccomp_filters - the compiled seccomp policies, and their text.\n"
	" *\n"
	" * seccomp_filters.c has the programs; seccomp_rules.c, for those who\n"
	" * explain them, has the rules. All is constant. Thread: any.\n"
	" */\n"
	"#ifndef KILN_GEN_SECCOMP_FILTERS_H\n"
	"#define KILN_GEN_SECCOMP_FILTERS_H\n"
	"\n"
	"#include <linux/filter.h>\n"
	"#include <stdbool.h>\n"
	"#include <stddef.h>\n"
	"\n"
	"struct seccomp_program {\n"
	"\tconst char *name; /* the thread's: \"launch\", \"loop\", ... */\n"
	"\tconst char *arch; /* \"x86_64\" or \"aarch64\" */\n"
	"\tbool log;\t  /* what is not allowed is logged, and runs */\n"
	"\tunsigned short count;\n"
	"\tconst struct sock_filter *insns;\n"
	"};\n"
	"\n"
	"extern const struct seccomp_program seccomp_programs[];\n"
	"extern const size_t seccomp_program_count;\n"
	"\n"
	"/*\n"
	" * seccomp_program_find - the program of a thread for the machine this\n"
	" * was built for. Return: NULL if there is none.\n"
	" */\n"
	"const struct seccomp_program *seccomp_program_find(const char *thread,"
	"\n\t\t\t\t\t\t   bool log);\n"
	"\n"
	"struct seccomp_rule {\n"
	"\tconst char *thread;\n"
	"\tconst char *arch; /* \"\": every architecture */\n"
	"\tconst char *syscall;\n"
	"\tconst char *test; /* as in the policy; \"\": whatever is passed */\n"
	"\tconst char *functions; /* which need it, separated by \", \" */\n"
	"};\n"
	"\n"
	"extern const struct seccomp_rule seccomp_rules[];\n"
	"extern const size_t seccomp_rule_count;\n"
	"\n"
	"#endif\n";

int emit_header(struct policy_set *set, const struct emit_options *options,
		FILE *out)
{
	(void)set;
	(void)options;
	(void)fprintf(out, "%s%s", banner, header_body);
	return 0;
}

/* Called with every rule in force. arch: "" for all. */
typedef void (*rule_fn)(const struct policy *policy, const char *arch,
			const struct policy_rule *rule, FILE *out);

static bool list_has(const struct policy_rule *const *rules,
		     const struct policy_rule *rule)
{
	for (; rules != NULL && *rules != NULL; rules++) {
		if (*rules == rule)
			return true;
	}
	return false;
}

/* Is an unqualified rule in force wherever it was asked for? */
static bool is_general(const struct policy_rule **const *lists,
		       const struct policy_rule *rule)
{
	if (rule->arches != (1U << POLICY_ARCH_COUNT) - 1U)
		return false;
	for (unsigned a = 0; a < POLICY_ARCH_COUNT; a++) {
		if (lists[a] != NULL && !list_has(lists[a], rule))
			return false;
	}
	return true;
}

/* A general rule is told once, with the first architecture. */
static void visit_lists(const struct policy *policy,
			const struct policy_rule **const *lists, rule_fn visit,
			FILE *out)
{
	bool first = true;

	for (unsigned a = 0; a < POLICY_ARCH_COUNT; a++) {
		const char *name = policy_arch_name((enum policy_arch)a);

		if (lists[a] == NULL)
			continue;
		for (size_t i = 0; lists[a][i] != NULL; i++) {
			bool general = is_general(lists, lists[a][i]);

			if (!general || first)
				visit(policy, general ? "" : name, lists[a][i],
				      out);
		}
		first = false;
	}
}

static int visit_rules(const struct policy_set *set,
		       const struct emit_options *options,
		       const struct policy *policy, rule_fn visit, FILE *out)
{
	const struct policy_rule **lists[POLICY_ARCH_COUNT] = {NULL};
	int r = 0;

	for (unsigned a = 0; r == 0 && a < POLICY_ARCH_COUNT; a++) {
		if (wants(options, a))
			r = policy_set_rules(set, policy, (enum policy_arch)a,
					     &lists[a]);
	}
	if (r == 0)
		visit_lists(policy, lists, visit, out);
	for (unsigned a = 0; a < POLICY_ARCH_COUNT; a++)
		free(lists[a]);
	return r;
}

static void print_rule(const struct policy *policy, const char *arch,
		       const struct policy_rule *rule, FILE *out)
{
	/* No text of a policy can hold a quote or a backslash. */
	(void)fprintf(out,
		      "\t{ \"%s\", \"%s\", \"%s\",\n\t  \"%s\",\n"
		      "\t  \"%s\" },\n",
		      policy->name, arch, rule->syscall, rule->text,
		      rule->functions);
}

int emit_rules(struct policy_set *set, const struct emit_options *options,
	       FILE *out)
{
	int r = 0;

	(void)fprintf(out,
		      "%s#include \"seccomp_filters.h\"\n\n"
		      "const struct seccomp_rule seccomp_rules[] = {\n",
		      banner);
	for (size_t i = 0; r == 0 && i < set->policy_count; i++)
		r = visit_rules(set, options, &set->policies[i], print_rule,
				out);
	(void)fprintf(out, "};\n\nconst size_t seccomp_rule_count =\n"
			   "\tsizeof(seccomp_rules) / "
			   "sizeof(*seccomp_rules);\n");
	return r;
}

static void list_rule(const struct policy *policy, const char *arch,
		      const struct policy_rule *rule, FILE *out)
{
	(void)fprintf(out, "%s%s%s\t%s\t%s\t# %s\n", policy->name,
		      *arch == '\0' ? "" : "@", arch, rule->syscall,
		      *rule->text == '\0' ? "-" : rule->text, rule->functions);
}

static int list_program(const struct policy *policy, enum policy_arch arch,
			bool log, const struct filter *filter, void *arg)
{
	(void)log;
	(void)fprintf((FILE *)arg, "# %s %s: %zu instructions\n", policy->name,
		      policy_arch_name(arch), filter->count);
	return 0;
}

int emit_list(struct policy_set *set, const struct emit_options *options,
	      FILE *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->policy_count; i++)
		r = visit_rules(set, options, &set->policies[i], list_rule,
				out);
	if (r == 0)
		r = visit_programs(set, options, false, list_program, out);
	return r;
}

static int write_bin(const struct policy *policy, enum policy_arch arch,
		     bool log, const struct filter *filter, void *arg)
{
	const char *dir = arg;
	char path[4096];
	size_t written;
	FILE *out;

	if (snprintf(path, sizeof(path), "%s/%s.%s%s.bpf", dir, policy->name,
		     policy_arch_name(arch),
		     log ? ".log" : "") >= (int)sizeof(path))
		return -ENAMETOOLONG;
	out = fopen(path, "we");
	if (out == NULL)
		return -errno;
	written = fwrite(filter->insns, sizeof(*filter->insns), filter->count,
			 out);
	if (fclose(out) != 0 || written != filter->count)
		return -EIO;
	return 0;
}

int emit_bin(struct policy_set *set, const struct emit_options *options,
	     const char *dir)
{
	char copy[4096];

	if (snprintf(copy, sizeof(copy), "%s", dir) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	return visit_programs(set, options, options->log, write_bin, copy);
}
