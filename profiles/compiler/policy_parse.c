/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a policy: cut in place, one statement each. Nothing here knows
 * a system call; a test is kept as text until all constants are known.
 */
#include "profiles/compiler/policy.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX     512
#define CONSTANTS_MAX 1024
#define POLICIES_MAX  32
#define TEXTS_MAX     64
#define SUFFIX        ".policy"
#define ALL_ARCHES    ((1U << POLICY_ARCH_COUNT) - 1U)

/* Where the parser is: the set, the file and, in a policy, the policy. */
struct cursor {
	struct policy_set *set;
	struct policy *policy; /* NULL in a file of constants */
	const char *file;
	unsigned line;
	bool default_seen; /* even a wrong one */
};

#define complain(at, ...)                                                      \
	policy_error((at)->set, (at)->file, (at)->line, __VA_ARGS__)

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	}
	return true;
}

/* trim - cut blanks at both ends, in place. */
static char *trim(char *text)
{
	size_t len;

	while (is_space(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_space(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* split_word - end the first word; the rest without leading blanks. */
static char *split_word(char *text)
{
	while (*text != '\0' && !is_space(*text))
		text++;
	if (*text != '\0')
		*text++ = '\0';
	return trim(text);
}

/* split_arch - "name@arch" -> name and a mask of architectures. */
static bool split_arch(const struct cursor *at, char *word,
		       unsigned *ret_arches)
{
	char *mark = strchr(word, '@');
	enum policy_arch arch;

	*ret_arches = ALL_ARCHES;
	if (mark == NULL)
		return true;
	*mark++ = '\0';
	if (!policy_arch_find(mark, strlen(mark), &arch)) {
		complain(at, "unknown architecture '%s': x86_64 or aarch64",
			 mark);
		return false;
	}
	*ret_arches = 1U << arch;
	return true;
}

static void parse_default(struct cursor *at, char *rest)
{
	static const char *const names[POLICY_DEFAULT_COUNT] = {
		[POLICY_DEFAULT_NONE] = "",
		[POLICY_DEFAULT_KILL] = "kill",
		[POLICY_DEFAULT_TRAP] = "trap",
	};

	if (at->default_seen) {
		complain(at, "a second default: one line 'default kill' or "
			     "'default trap' in a policy");
		return;
	}
	at->default_seen = true;
	for (unsigned i = POLICY_DEFAULT_KILL; i < POLICY_DEFAULT_COUNT; i++) {
		if (strcmp(rest, names[i]) == 0)
			at->policy->fallback = (enum policy_default)i;
	}
	if (at->policy->fallback == POLICY_DEFAULT_NONE)
		complain(at, "unknown default '%s': kill or trap", rest);
}

static void parse_include(struct cursor *at, const char *rest)
{
	struct policy *policy = at->policy;

	if (!is_name(rest)) {
		complain(at,
			 "include '%s': the name of one thread, as in "
			 "'include loop'",
			 rest);
		return;
	}
	if (policy->include_count == POLICY_INCLUDES_MAX) {
		complain(at, "more than %d includes", POLICY_INCLUDES_MAX);
		return;
	}
	policy->includes[policy->include_count++] =
		(struct policy_include){.name = rest, .line = at->line};
}

/* strtoull() alone takes signs, blanks and octal. */
static bool parse_number(const char *text, uint64_t *ret_value)
{
	bool hex = text[0] == '0' && text[1] == 'x';
	char *end;

	if (!isdigit((unsigned char)text[0]) ||
	    (text[0] == '0' && text[1] != '\0' && !hex) ||
	    (hex && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	*ret_value = strtoull(text, &end, hex ? 16 : 10);
	return errno == 0 && *end == '\0';
}

static bool constant_is_new(const struct cursor *at,
			    const struct policy_constant *constant)
{
	for (size_t i = 0; i < at->set->constant_count; i++) {
		const struct policy_constant *c = &at->set->constants[i];

		if ((c->arches & constant->arches) == 0 ||
		    strcmp(c->name, constant->name) != 0)
			continue;
		complain(at, "constant '%s' has a value already, at %s:%u",
			 c->name, c->file, c->line);
		return false;
	}
	return true;
}

/* rest: "NAME[@arch] = number" */
static void parse_const(struct cursor *at, char *rest)
{
	struct policy_constant constant = {.file = at->file, .line = at->line};
	char *mark = strchr(rest, '=');
	const char *value;

	if (mark == NULL) {
		complain(at, "no '=': const NAME = number");
		return;
	}
	*mark = '\0';
	value = trim(mark + 1);
	rest = trim(rest);
	if (!split_arch(at, rest, &constant.arches))
		return;
	constant.name = rest;
	if (!is_name(rest) || strncmp(rest, "arg", 3) == 0) {
		complain(at,
			 "'%s' cannot name a constant: letters, digits "
			 "and '_', not 'arg...'",
			 rest);
		return;
	}
	if (!parse_number(value, &constant.value)) {
		complain(at, "'%s' is no number: decimal or 0x..., 64 bits",
			 value);
		return;
	}
	if (at->set->constant_count == CONSTANTS_MAX) {
		complain(at, "more than %d constants", CONSTANTS_MAX);
		return;
	}
	if (constant_is_new(at, &constant))
		at->set->constants[at->set->constant_count++] = constant;
}

/* "name" or "libc:name", "kernel:name", "jailer:name" */
static bool function_is_valid(const char *word)
{
	static const char *const origins[] = {"libc:", "kernel:", "jailer:"};

	for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++) {
		size_t len = strlen(origins[i]);

		if (strncmp(word, origins[i], len) == 0)
			return is_name(word + len);
	}
	return is_name(word);
}

static bool functions_are_valid(const struct cursor *at, const char *text)
{
	char word[64];

	do {
		size_t len = strcspn(text, ",");

		if (len >= sizeof(word)) {
			complain(at, "a function name of more than 63 bytes");
			return false;
		}
		memcpy(word, text, len);
		word[len] = '\0';
		if (!function_is_valid(trim(word))) {
			complain(at,
				 "'%s' is no function: # name, libc:name, ... "
				 "- reason",
				 trim(word));
			return false;
		}
		text += len + (text[len] == ',');
	} while (*text != '\0');
	return true;
}

static void parse_rule(struct cursor *at, char *word, const char *test,
		       char *comment)
{
	struct policy_rule rule = {.file = at->file, .line = at->line};
	char *reason;

	if (!split_arch(at, word, &rule.arches))
		return;
	rule.syscall = word;
	rule.text = test;
	if (!is_name(word)) {
		complain(at, "'%s' is no name of a system call", word);
		return;
	}
	if (comment == NULL || *trim(comment) == '\0') {
		complain(at,
			 "no function: end the line with '# function' "
			 "that needs %s",
			 word);
		return;
	}
	reason = strstr(comment, " - ");
	if (reason != NULL)
		*reason = '\0';
	rule.functions = trim(comment);
	if (!functions_are_valid(at, rule.functions))
		return;
	if (at->policy->rule_count == RULES_MAX) {
		complain(at, "more than %d rules", RULES_MAX);
		return;
	}
	at->policy->rules[at->policy->rule_count++] = rule;
}

static void parse_statement(struct cursor *at, char *word, char *rest,
			    char *comment)
{
	if (strcmp(word, "const") == 0)
		parse_const(at, rest);
	else if (at->policy == NULL)
		complain(at,
			 "'%s' in a file of constants: rules belong into "
			 "a file named THREAD" SUFFIX,
			 word);
	else if (strcmp(word, "default") == 0)
		parse_default(at, rest);
	else if (strcmp(word, "include") == 0)
		parse_include(at, rest);
	else
		parse_rule(at, word, rest, comment);
}

static void parse_line(struct cursor *at, char *line)
{
	char *comment = strchr(line, '#');
	char *word;

	for (const char *c = line; *c != '\0'; c++) {
		if (*c == '\t' || (*c >= ' ' && *c <= '~'))
			continue;
		complain(at, "byte 0x%02x: plain ASCII text only",
			 (unsigned)(unsigned char)*c);
		return;
	}
	if (comment != NULL)
		*comment++ = '\0';
	word = trim(line);
	if (*word != '\0')
		parse_statement(at, word, split_word(word), comment);
}

static void parse_text(struct cursor *at, char *text)
{
	while (text != NULL && *text != '\0') {
		char *end = strchr(text, '\n');

		if (end != NULL)
			*end++ = '\0';
		at->line++;
		parse_line(at, text);
		text = end;
	}
	at->line = 0;
	if (at->policy != NULL && !at->default_seen)
		complain(at, "no default: a line 'default kill' or "
			     "'default trap'");
}

/* set_reserve - the arrays of a set have their full size from the start. */
static int set_reserve(struct policy_set *set)
{
	if (set->texts == NULL)
		set->texts = calloc(TEXTS_MAX, sizeof(*set->texts));
	if (set->constants == NULL)
		set->constants = calloc(CONSTANTS_MAX, sizeof(*set->constants));
	if (set->policies == NULL)
		set->policies = calloc(POLICIES_MAX, sizeof(*set->policies));
	if (set->texts == NULL || set->constants == NULL ||
	    set->policies == NULL)
		return -ENOMEM;
	return 0;
}

static int text_keep(struct policy_set *set, const char *text, size_t len_bytes,
		     char **ret_text)
{
	char *copy = malloc(len_bytes + 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, text, len_bytes);
	copy[len_bytes] = '\0';
	set->texts[set->text_count++] = copy;
	*ret_text = copy;
	return 0;
}

/* The thread's name from ".../THREAD.policy"; false for another file. */
static bool thread_name(const char *path, const char **ret_name,
			size_t *ret_len)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	size_t len = strlen(name);

	if (len < strlen(SUFFIX) ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	*ret_name = name;
	*ret_len = len - strlen(SUFFIX);
	return true;
}

/* policy_start - a new policy in at->policy. Return: 0; -ENOMEM; -EINVAL. */
static int policy_start(struct cursor *at, const char *name, size_t len)
{
	struct policy policy = {.file = at->file};

	if (len >= sizeof(policy.name)) {
		complain(at, "a thread's name has at most %d letters",
			 POLICY_NAME_MAX - 1);
		return -EINVAL;
	}
	memcpy(policy.name, name, len);
	if (!is_name(policy.name)) {
		complain(at, "'%s' cannot name a thread", policy.name);
		return -EINVAL;
	}
	if (policy_set_find(at->set, policy.name) != NULL ||
	    at->set->policy_count == POLICIES_MAX) {
		complain(at,
			 "thread '%s' has a policy already, or there are "
			 "more than %d",
			 policy.name, POLICIES_MAX);
		return -EINVAL;
	}
	policy.rules = calloc(RULES_MAX, sizeof(*policy.rules));
	if (policy.rules == NULL)
		return -ENOMEM;
	at->policy = &at->set->policies[at->set->policy_count++];
	*at->policy = policy;
	return 0;
}

int policy_set_add(struct policy_set *set, const char *path, const char *text,
		   size_t len_bytes)
{
	struct cursor at = {.set = set};
	const char *name;
	char *copy;
	size_t len;
	int r = set_reserve(set);

	if (r < 0)
		return r;
	if (set->text_count + 2 > TEXTS_MAX)
		return -E2BIG;
	r = text_keep(set, path, strlen(path), &copy);
	if (r < 0)
		return r;
	at.file = copy;
	if (len_bytes > POLICY_FILE_MAX || memchr(text, 0, len_bytes) != NULL) {
		complain(&at,
			 "no policy: it has a zero byte or more than %d "
			 "bytes",
			 POLICY_FILE_MAX);
		return 0;
	}
	if (thread_name(at.file, &name, &len)) {
		r = policy_start(&at, name, len);
		if (r < 0)
			return r == -EINVAL ? 0 : r;
	}
	r = text_keep(set, text, len_bytes, &copy);
	if (r < 0)
		return r;
	parse_text(&at, copy);
	return 0;
}
