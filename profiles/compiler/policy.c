/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/compiler/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* More than a reader fixes in one go; the rest is still counted. */
#define ERRORS_KEPT_MAX 256

static const char *const arch_names[POLICY_ARCH_COUNT] = {
	[POLICY_X86_64] = "x86_64",
	[POLICY_AARCH64] = "aarch64",
};

const char *policy_arch_name(enum policy_arch arch)
{
	return arch_names[arch];
}

bool policy_arch_find(const char *name, size_t name_len,
		      enum policy_arch *ret_arch)
{
	for (unsigned i = 0; i < POLICY_ARCH_COUNT; i++) {
		if (strlen(arch_names[i]) != name_len ||
		    memcmp(arch_names[i], name, name_len) != 0)
			continue;
		*ret_arch = (enum policy_arch)i;
		return true;
	}
	return false;
}

void policy_error(struct policy_set *set, const char *file, unsigned line,
		  const char *fmt, ...)
{
	struct policy_error *error;
	va_list ap;

	if (set->errors == NULL)
		set->errors = calloc(ERRORS_KEPT_MAX, sizeof(*set->errors));
	set->error_count++;
	if (set->errors == NULL || set->error_count > ERRORS_KEPT_MAX)
		return;
	error = &set->errors[set->error_count - 1];
	error->file = file;
	error->line = line;
	va_start(ap, fmt);
	(void)vsnprintf(error->msg, sizeof(error->msg), fmt, ap);
	va_end(ap);
}

static int error_compare(const void *a, const void *b)
{
	const struct policy_error *left = a;
	const struct policy_error *right = b;
	int order = strcmp(left->file, right->file);

	if (order != 0)
		return order;
	return (left->line > right->line) - (left->line < right->line);
}

size_t policy_set_print_errors(struct policy_set *set, FILE *out)
{
	size_t kept = set->error_count;

	if (kept > ERRORS_KEPT_MAX)
		kept = ERRORS_KEPT_MAX;
	if (set->errors == NULL)
		return set->error_count;
	qsort(set->errors, kept, sizeof(*set->errors), error_compare);
	for (size_t i = 0; i < kept; i++) {
		const struct policy_error *error = &set->errors[i];

		if (error->line == 0)
			(void)fprintf(out, "%s: %s\n", error->file, error->msg);
		else
			(void)fprintf(out, "%s:%u: %s\n", error->file,
				      error->line, error->msg);
	}
	if (kept < set->error_count)
		(void)fprintf(out, "and %zu more\n", set->error_count - kept);
	return set->error_count;
}

static void rules_destroy(struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		for (unsigned arch = 0; arch < POLICY_ARCH_COUNT; arch++)
			free(policy->rules[i].tests[arch].terms);
	}
	free(policy->rules);
}

void policy_set_destroy(struct policy_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->policy_count; i++)
		rules_destroy(&set->policies[i]);
	for (size_t i = 0; i < set->text_count; i++)
		free(set->texts[i]);
	free(set->policies);
	free(set->constants);
	free(set->errors);
	free(set->texts);
	*set = (struct policy_set){0};
}

const struct policy *policy_set_find(const struct policy_set *set,
				     const char *name)
{
	for (size_t i = 0; i < set->policy_count; i++) {
		if (strcmp(set->policies[i].name, name) == 0)
			return &set->policies[i];
	}
	return NULL;
}

bool policy_constant_find(const struct policy_set *set, const char *name,
			  size_t name_len, enum policy_arch arch,
			  uint64_t *ret_value)
{
	for (size_t i = 0; i < set->constant_count; i++) {
		const struct policy_constant *c = &set->constants[i];

		if ((c->arches & (1U << arch)) == 0 ||
		    strlen(c->name) != name_len ||
		    memcmp(c->name, name, name_len) != 0)
			continue;
		*ret_value = c->value;
		return true;
	}
	return false;
}

bool policy_term_equal(const struct policy_term *a, const struct policy_term *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		const struct policy_cond *x = &a->conds[i];
		const struct policy_cond *y = &b->conds[i];

		if (x->arg != y->arg || x->mask != y->mask ||
		    x->value != y->value)
			return false;
	}
	return true;
}

/* A list of rules that grows by append and never beyond its capacity. */
struct rule_list {
	const struct policy_rule **rules;
	size_t count;
};

static void list_append(struct rule_list *list, const struct policy *policy,
			enum policy_arch arch)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((policy->rules[i].arches & (1U << arch)) != 0)
			list->rules[list->count++] = &policy->rules[i];
	}
}

/* Is there another rule that makes this one pointless? */
static bool is_absorbed(const struct rule_list *list, size_t at,
			enum policy_arch arch)
{
	const struct policy_rule *rule = list->rules[at];

	for (size_t i = 0; i < list->count; i++) {
		const struct policy_rule *other = list->rules[i];

		if (i == at || other->tests[arch].count != 0 ||
		    strcmp(other->syscall, rule->syscall) != 0)
			continue;
		if (rule->tests[arch].count != 0 || i < at)
			return true;
	}
	return false;
}

int policy_set_rules(const struct policy_set *set, const struct policy *policy,
		     enum policy_arch arch,
		     const struct policy_rule ***ret_rules)
{
	const struct policy *included[POLICY_INCLUDES_MAX];
	size_t capacity = policy->rule_count + 1;
	struct rule_list list = {0};
	const struct policy_rule **kept;
	size_t kept_count = 0;

	for (size_t i = 0; i < policy->include_count; i++) {
		included[i] = policy_set_find(set, policy->includes[i].name);
		capacity += included[i] == NULL ? 0 : included[i]->rule_count;
	}
	list.rules = calloc(capacity, sizeof(void *));
	kept = calloc(capacity, sizeof(void *));
	if (list.rules == NULL || kept == NULL) {
		free(list.rules);
		free(kept);
		return -ENOMEM;
	}
	list_append(&list, policy, arch);
	for (size_t i = 0; i < policy->include_count; i++) {
		if (included[i] != NULL)
			list_append(&list, included[i], arch);
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!is_absorbed(&list, i, arch))
			kept[kept_count++] = list.rules[i];
	}
	free(list.rules);
	*ret_rules = kept;
	return 0;
}
