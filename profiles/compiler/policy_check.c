/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libseccomp would take without a word and drop: a call that the
 * architecture lacks, a conditional rule beside an unconditional one, a rule
 * said twice. Each is an error here.
 */
#include "jailer/nearest.h"
#include "profiles/compiler/filter.h"
#include "profiles/compiler/policy.h"

#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

/* Beyond the last number of any architecture that is compiled for. */
#define SYSCALL_NUMBERS 1024

/* The call that was probably meant, to be freed; NULL if nothing is near. */
static char *syscall_guess(const char *syscall, enum policy_arch arch)
{
	struct nearest nearest;
	char *best = NULL;

	nearest_start(&nearest, syscall);
	for (int nr = 0; nr < SYSCALL_NUMBERS; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(
			filter_arch_token(arch), nr);

		if (name == NULL)
			continue;
		nearest_offer(&nearest, name);
		if (nearest.best == name) {
			free(best);
			best = name;
		} else {
			free(name);
		}
	}
	return best;
}

static void complain_unknown(struct policy_set *set,
			     const struct policy_rule *rule,
			     enum policy_arch arch)
{
	char *guess = syscall_guess(rule->syscall, arch);

	if (guess == NULL)
		policy_error(set, rule->file, rule->line,
			     "unknown system call '%s'", rule->syscall);
	else
		policy_error(set, rule->file, rule->line,
			     "unknown system call '%s'; did you mean '%s'?",
			     rule->syscall, guess);
	free(guess);
}

static unsigned arches_of(const char *syscall)
{
	unsigned arches = 0;

	for (unsigned i = 0; i < POLICY_ARCH_COUNT; i++) {
		int nr = seccomp_syscall_resolve_name_arch(
			filter_arch_token((enum policy_arch)i), syscall);

		if (nr >= 0)
			arches |= 1U << i;
	}
	return arches;
}

static void check_syscall(struct policy_set *set,
			  const struct policy_rule *rule)
{
	unsigned missing = rule->arches & ~arches_of(rule->syscall);
	enum policy_arch arch = POLICY_X86_64;

	if (missing == 0)
		return;
	if ((missing & (1U << POLICY_X86_64)) == 0)
		arch = POLICY_AARCH64;
	if (missing == rule->arches)
		complain_unknown(set, rule, arch);
	else
		policy_error(set, rule->file, rule->line,
			     "%s has no system call '%s': write '%s@' and the "
			     "architecture that has it",
			     policy_arch_name(arch), rule->syscall,
			     rule->syscall);
}

static bool terms_overlap(const struct policy_test *a,
			  const struct policy_test *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (policy_term_equal(&a->terms[i], &b->terms[j]))
				return true;
		}
	}
	return false;
}

enum clash {
	CLASH_NONE,
	CLASH_DUPLICATE,
	CLASH_MIXED,
	CLASH_COUNT
};

static enum clash clash_of(const struct policy_rule *a,
			   const struct policy_rule *b)
{
	unsigned both = a->arches & b->arches;
	bool a_tests = *a->text != '\0';
	bool b_tests = *b->text != '\0';

	if (both == 0 || strcmp(a->syscall, b->syscall) != 0)
		return CLASH_NONE;
	if (a_tests != b_tests)
		return CLASH_MIXED;
	if (!a_tests)
		return CLASH_DUPLICATE;
	for (unsigned arch = 0; arch < POLICY_ARCH_COUNT; arch++) {
		if ((both & (1U << arch)) != 0 &&
		    terms_overlap(&a->tests[arch], &b->tests[arch]))
			return CLASH_DUPLICATE;
	}
	return CLASH_NONE;
}

static bool repeats_itself(const struct policy_test *test)
{
	for (size_t i = 0; i < test->count; i++) {
		for (size_t j = i + 1; j < test->count; j++) {
			if (policy_term_equal(&test->terms[i], &test->terms[j]))
				return true;
		}
	}
	return false;
}

static void check_against(struct policy_set *set,
			  const struct policy_rule *rule,
			  const struct policy_rule *earlier)
{
	switch (clash_of(rule, earlier)) {
	case CLASH_DUPLICATE:
		policy_error(set, rule->file, rule->line,
			     "duplicate: %s:%u allows this already",
			     earlier->file, earlier->line);
		break;
	case CLASH_MIXED:
		policy_error(set, rule->file, rule->line,
			     "'%s' with and without a test: %s:%u says it the "
			     "other way, keep one",
			     rule->syscall, earlier->file, earlier->line);
		break;
	case CLASH_NONE:
	case CLASH_COUNT:
	default:
		break;
	}
}

static void check_rule(struct policy_set *set, const struct policy *policy,
		       size_t at)
{
	const struct policy_rule *rule = &policy->rules[at];

	check_syscall(set, rule);
	for (size_t i = 0; i < at; i++)
		check_against(set, rule, &policy->rules[i]);
	for (unsigned arch = 0; arch < POLICY_ARCH_COUNT; arch++) {
		if (!repeats_itself(&rule->tests[arch]))
			continue;
		policy_error(set, rule->file, rule->line,
			     "the same test twice in one line");
		return;
	}
}

/*
 * A policy may be wider than what it includes (no test where the other has
 * one), but a line that the include makes pointless misleads its reader.
 */
static void check_included(struct policy_set *set, const struct policy *policy,
			   const struct policy *included)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < included->rule_count; j++) {
			const struct policy_rule *other = &included->rules[j];

			if (clash_of(rule, other) == CLASH_MIXED &&
			    *rule->text == '\0')
				continue;
			check_against(set, rule, other);
		}
	}
}

static void check_include(struct policy_set *set, const struct policy *policy,
			  size_t at)
{
	const struct policy_include *include = &policy->includes[at];
	const struct policy *other = policy_set_find(set, include->name);

	for (size_t i = 0; i < at; i++) {
		if (strcmp(policy->includes[i].name, include->name) == 0)
			policy_error(set, policy->file, include->line,
				     "'%s' is included already, in line %u",
				     include->name, policy->includes[i].line);
	}
	if (other == NULL)
		policy_error(set, policy->file, include->line,
			     "no policy for the thread '%s' among the files",
			     include->name);
	else if (other == policy || other->include_count != 0)
		policy_error(set, policy->file, include->line,
			     "'%s' includes itself or others: one level only",
			     include->name);
	else
		check_included(set, policy, other);
}

void policy_set_check(struct policy_set *set)
{
	for (size_t p = 0; p < set->policy_count; p++) {
		const struct policy *policy = &set->policies[p];

		/* A file whose only rule is wrong has been told that. */
		if (policy->rule_count + policy->include_count == 0 &&
		    set->error_count == 0)
			policy_error(set, policy->file, 0,
				     "no rule: the thread could not even end");
		for (size_t i = 0; i < policy->rule_count; i++)
			check_rule(set, policy, i);
		for (size_t i = 0; i < policy->include_count; i++)
			check_include(set, policy, i);
	}
}
