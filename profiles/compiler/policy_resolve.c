/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a test's text to terms of (argument & mask) == value, once for each
 * architecture, because constants differ. "in" multiplies terms out: libseccomp
 * takes one comparison of each argument in a rule and no "or".
 */
#include "jailer/nearest.h"
#include "profiles/compiler/policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 32 /* of one "in" */
#define DEPTH_MAX  8  /* of nested '~' and '(' */

/*
 * The arguments that the kernel declares int or unsigned int, of the calls
 * whose arguments policies test: SYSCALL_DEFINE in the kernel's sources. musl
 * passes its ioctl() request through an int, so a request with bit 31 set
 * arrives with 32 ones above it. What is not here is compared in 64 bits,
 * which can only refuse too much.
 */
static const struct {
	const char *syscall;
	unsigned args; /* bit n: argument n */
} narrow_args[] = {
	{"accept4", 1U << 3},
	{"arch_prctl", 1U << 0},
	{"close_range", 7U},
	{"epoll_create1", 1U << 0},
	{"epoll_ctl", 7U},
	{"eventfd2", 3U},
	{"execveat", 1U << 0 | 1U << 4},
	{"fallocate", 3U},
	{"fcntl", 3U},
	{"fstat", 1U << 0},
	{"futex", 1U << 1 | 1U << 2},
	{"getrandom", 1U << 2},
	{"io_uring_enter", 15U},
	{"ioctl", 3U},
	{"lseek", 1U << 0 | 1U << 2},
	{"madvise", 1U << 2},
	{"membarrier", 7U},
	{"memfd_create", 1U << 1},
	{"newfstatat", 1U << 0 | 1U << 3},
	{"openat", 1U << 0 | 1U << 2},
	{"prctl", 1U << 0},
	{"recvmsg", 1U << 0 | 1U << 2},
	{"rt_sigaction", 1U << 0},
	{"rt_sigprocmask", 1U << 0},
	{"seccomp", 3U},
	{"sendmsg", 1U << 0 | 1U << 2},
	{"socket", 7U},
	{"tgkill", 7U},
	{"timerfd_create", 3U},
	{"timerfd_settime", 3U},
	{"tkill", 3U},
};

/* One test being read for one architecture. */
struct reader {
	struct policy_set *set;
	const struct policy_rule *rule;
	enum policy_arch arch;
	const char *at;
	unsigned narrow;
	unsigned depth;
};

/* The values one condition may take; a term for each. */
struct choice {
	unsigned arg;
	uint64_t mask;
	uint64_t values[VALUES_MAX];
	size_t count;
};

#define complain(reader, ...)                                                  \
	policy_error((reader)->set, (reader)->rule->file,                      \
		     (reader)->rule->line, __VA_ARGS__)

static unsigned narrow_find(const char *syscall)
{
	for (size_t i = 0; i < sizeof(narrow_args) / sizeof(*narrow_args);
	     i++) {
		if (strcmp(narrow_args[i].syscall, syscall) == 0)
			return narrow_args[i].args;
	}
	return 0;
}

static void skip_blanks(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

/* accept - take the token if it comes next. */
static bool accept(struct reader *reader, const char *token)
{
	size_t len = strlen(token);

	skip_blanks(reader);
	if (strncmp(reader->at, token, len) != 0)
		return false;
	reader->at += len;
	return true;
}

static bool expect(struct reader *reader, const char *token, const char *form)
{
	if (accept(reader, token))
		return true;
	complain(reader, "'%s' expected at '%s': %s", token, reader->at, form);
	return false;
}

static size_t word_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

static void complain_constant(struct reader *reader, size_t len)
{
	char wanted[NEAREST_WORD_MAX + 1];
	struct nearest nearest;

	(void)snprintf(wanted, sizeof(wanted), "%.*s", (int)len, reader->at);
	nearest_start(&nearest, wanted);
	for (size_t i = 0; i < reader->set->constant_count; i++) {
		const struct policy_constant *c = &reader->set->constants[i];

		if ((c->arches & (1U << reader->arch)) != 0)
			nearest_offer(&nearest, c->name);
	}
	complain(reader, "constant '%.*s' has no value for %s%s%s%s", (int)len,
		 reader->at, policy_arch_name(reader->arch),
		 nearest.best == NULL ? "" : "; did you mean '",
		 nearest.best == NULL ? "" : nearest.best,
		 nearest.best == NULL ? "" : "'?");
}

static bool read_number(struct reader *reader, size_t len, uint64_t *ret_value)
{
	bool hex = len > 2 && reader->at[0] == '0' && reader->at[1] == 'x';
	char *end;

	errno = 0;
	*ret_value = strtoull(reader->at, &end, hex ? 16 : 10);
	if (errno == 0 && end == reader->at + len &&
	    (hex || len == 1 || reader->at[0] != '0'))
		return true;
	complain(reader, "'%.*s' is no number: decimal or 0x..., 64 bits",
		 (int)len, reader->at);
	return false;
}

static bool read_value(struct reader *reader, uint64_t *ret_value);

static bool read_nested(struct reader *reader, uint64_t *ret_value)
{
	if (!read_value(reader, ret_value))
		return false;
	return expect(reader, ")", "a parenthesis is closed");
}

static bool read_word(struct reader *reader, uint64_t *ret_value)
{
	size_t len = word_len(reader->at);

	if (len == 0) {
		complain(reader, "a constant or number expected at '%s'",
			 reader->at);
		return false;
	}
	if (isdigit((unsigned char)*reader->at)) {
		if (!read_number(reader, len, ret_value))
			return false;
	} else if (!policy_constant_find(reader->set, reader->at, len,
					 reader->arch, ret_value)) {
		complain_constant(reader, len);
		return false;
	}
	reader->at += len;
	return true;
}

static bool read_atom(struct reader *reader, uint64_t *ret_value)
{
	bool inverted = false;
	bool ok;

	while (accept(reader, "~"))
		inverted = !inverted;
	if (reader->depth == DEPTH_MAX) {
		complain(reader, "more than %d parentheses deep", DEPTH_MAX);
		return false;
	}
	reader->depth++;
	ok = accept(reader, "(") ? read_nested(reader, ret_value)
				 : read_word(reader, ret_value);
	reader->depth--;
	if (inverted && ok)
		*ret_value = ~*ret_value;
	return ok;
}

/* value = atom { "|" atom }, not to be confused with "||" */
static bool read_value(struct reader *reader, uint64_t *ret_value)
{
	uint64_t more = 0;

	if (!read_atom(reader, ret_value))
		return false;
	skip_blanks(reader);
	while (reader->at[0] == '|' && reader->at[1] != '|') {
		reader->at++;
		if (!read_atom(reader, &more))
			return false;
		*ret_value |= more;
		skip_blanks(reader);
	}
	return true;
}

static bool read_arg(struct reader *reader, struct choice *choice)
{
	skip_blanks(reader);
	if (word_len(reader->at) != 4 || strncmp(reader->at, "arg", 3) != 0 ||
	    reader->at[3] < '0' || reader->at[3] >= '0' + POLICY_ARGS) {
		complain(reader, "arg0 to arg5 expected at '%s'", reader->at);
		return false;
	}
	choice->arg = (unsigned)(reader->at[3] - '0');
	choice->mask = UINT64_MAX;
	reader->at += 4;
	return true;
}

static bool read_set(struct reader *reader, struct choice *choice)
{
	static const char form[] = "argN in {A, B}";

	if (!expect(reader, "{", form))
		return false;
	do {
		if (choice->count == VALUES_MAX) {
			complain(reader, "more than %d values in one set",
				 VALUES_MAX);
			return false;
		}
		if (!read_value(reader, &choice->values[choice->count++]))
			return false;
	} while (accept(reader, ","));
	return expect(reader, "}", form);
}

static bool read_masked(struct reader *reader, struct choice *choice)
{
	static const char form[] = "(argN & MASK) == VALUE";

	if (!read_arg(reader, choice) || !expect(reader, "&", form) ||
	    !read_value(reader, &choice->mask) || !expect(reader, ")", form) ||
	    !expect(reader, "==", form))
		return false;
	return read_value(reader, &choice->values[choice->count++]);
}

static bool read_plain(struct reader *reader, struct choice *choice)
{
	if (!read_arg(reader, choice))
		return false;
	skip_blanks(reader);
	if (strncmp(reader->at, "in", 2) == 0 && word_len(reader->at) == 2) {
		reader->at += 2;
		return read_set(reader, choice);
	}
	if (!expect(reader,
		    "==", "argN == A, argN in {A, B} or (argN & A) == B"))
		return false;
	return read_value(reader, &choice->values[choice->count++]);
}

/*
 * A 32-bit argument loses its upper half on both sides. A constant may have
 * those bits set only as a mask ('~') or as the sign of an int.
 */
static bool choice_narrow(struct reader *reader, struct choice *choice)
{
	bool narrow = (reader->narrow & (1U << choice->arg)) != 0;

	for (size_t i = 0; i < choice->count; i++) {
		uint64_t *value = &choice->values[i];
		uint64_t high = *value >> 32;

		if (narrow && high != 0 && high != UINT32_MAX) {
			complain(reader,
				 "0x%llx does not fit: arg%u of %s has "
				 "32 bits",
				 (unsigned long long)*value, choice->arg,
				 reader->rule->syscall);
			return false;
		}
		if (narrow)
			*value &= UINT32_MAX;
	}
	if (narrow)
		choice->mask &= UINT32_MAX;
	return true;
}

static bool choice_check(struct reader *reader, struct choice *choice)
{
	if (!choice_narrow(reader, choice))
		return false;
	if (choice->mask == 0) {
		complain(reader, "a mask of 0 tests nothing");
		return false;
	}
	for (size_t i = 0; i < choice->count; i++) {
		if ((choice->values[i] & ~choice->mask) == 0)
			continue;
		complain(reader, "never true: the value has bits that the "
				 "mask clears");
		return false;
	}
	return true;
}

static bool term_has(const struct policy_term *term, unsigned arg)
{
	for (unsigned i = 0; i < term->count; i++) {
		if (term->conds[i].arg == arg)
			return true;
	}
	return false;
}

/* Conditions stay in the order of their arguments, so terms compare. */
static void term_insert(struct policy_term *term, struct policy_cond cond)
{
	unsigned i = term->count++;

	for (; i > 0 && term->conds[i - 1].arg > cond.arg; i--)
		term->conds[i] = term->conds[i - 1];
	term->conds[i] = cond;
}

/* The terms from first on become one for each value of the choice. */
static bool multiply(struct reader *reader, struct policy_test *test,
		     size_t first, const struct choice *choice)
{
	size_t before = test->count - first;

	if (term_has(&test->terms[first], choice->arg)) {
		complain(reader,
			 "arg%u is tested twice in one conjunction: "
			 "one test with 'in' or a mask",
			 choice->arg);
		return false;
	}
	if (first + before * choice->count > POLICY_TERMS_MAX) {
		complain(reader, "more than %d combinations in one rule",
			 POLICY_TERMS_MAX);
		return false;
	}
	for (size_t i = 1; i < choice->count; i++)
		memcpy(&test->terms[first + i * before], &test->terms[first],
		       before * sizeof(*test->terms));
	test->count = first + before * choice->count;
	for (size_t i = first; i < test->count; i++)
		term_insert(
			&test->terms[i],
			(struct policy_cond){
				.arg = choice->arg,
				.mask = choice->mask,
				.value = choice->values[(i - first) / before],
			});
	return true;
}

/* term = cond { "&&" cond } */
static bool read_term(struct reader *reader, struct policy_test *test)
{
	size_t first = test->count;

	if (first == POLICY_TERMS_MAX) {
		complain(reader, "more than %d combinations in one rule",
			 POLICY_TERMS_MAX);
		return false;
	}
	test->terms[test->count++] = (struct policy_term){0};
	do {
		struct choice choice = {0};
		bool ok = accept(reader, "(") ? read_masked(reader, &choice)
					      : read_plain(reader, &choice);

		if (!ok || !choice_check(reader, &choice) ||
		    !multiply(reader, test, first, &choice))
			return false;
	} while (accept(reader, "&&"));
	return true;
}

static void read_test(struct reader *reader, struct policy_test *test)
{
	do {
		if (!read_term(reader, test))
			return;
	} while (accept(reader, "||"));
	skip_blanks(reader);
	if (*reader->at != '\0')
		complain(reader,
			 "'%s' is too much: tests are joined by && "
			 "and ||",
			 reader->at);
}

/*
 * A mistake in the text is one error, not one for each architecture; only
 * constants can be known to one and not to the other.
 */
static int rule_resolve(struct policy_set *set, struct policy_rule *rule)
{
	struct reader reader = {
		.set = set, .rule = rule, .narrow = narrow_find(rule->syscall)};

	if (*rule->text == '\0')
		return 0;
	for (unsigned arch = 0; arch < POLICY_ARCH_COUNT; arch++) {
		struct policy_test *test = &rule->tests[arch];
		size_t errors = set->error_count;

		if ((rule->arches & (1U << arch)) == 0)
			continue;
		test->terms = calloc(POLICY_TERMS_MAX, sizeof(*test->terms));
		if (test->terms == NULL)
			return -ENOMEM;
		reader.at = rule->text;
		reader.arch = (enum policy_arch)arch;
		read_test(&reader, test);
		if (set->error_count != errors)
			return 0;
	}
	return 0;
}

int policy_set_resolve(struct policy_set *set)
{
	for (size_t p = 0; p < set->policy_count; p++) {
		const struct policy *policy = &set->policies[p];

		for (size_t i = 0; i < policy->rule_count; i++) {
			int r = rule_resolve(set, &policy->rules[i]);

			if (r < 0)
				return r;
		}
	}
	return 0;
}
