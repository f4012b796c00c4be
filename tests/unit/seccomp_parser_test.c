/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy may say, and that every mistake is told with its line. */
#include "profiles/compiler/emit.h"
#include "profiles/compiler/filter.h"
#include "profiles/compiler/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof(*(array)))

static const char constants[] = "const A = 1\n"
				"const B = 2\n"
				"const HIGH = 0x100000000\n"
				"const SIGNED = 0xffffffff80000000\n"
				"const ARM@aarch64 = 3\n"
				"const BOTH@x86_64 = 4\n"
				"const BOTH@aarch64 = 5\n";

static void add(struct policy_set *set, const char *path, const char *text)
{
	assert_int_equal(policy_set_add(set, path, text, strlen(text)), 0);
}

static void load(struct policy_set *set, const char *policy)
{
	*set = (struct policy_set){0};
	add(set, "constants", constants);
	add(set, "dir/t.policy", policy);
	assert_int_equal(policy_set_resolve(set), 0);
	policy_set_check(set);
}

/* The errors as printed; free it. */
static char *errors_of(struct policy_set *set)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	(void)policy_set_print_errors(set, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_has(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("'%s' is not in:\n%s", wanted, text);
}

/* Each text has exactly one mistake, which is told by that message. */
static const struct {
	const char *text;
	const char *message;
} mistakes[] = {
	{"read # f\n", "dir/t.policy: no default"},
	{"default log\nread # f\n", "dir/t.policy:1: unknown default"},
	{"default\nread # f\n", ":1: unknown default ''"},
	{"default kill\ndefault kill\nread # f\n", ":2: a second default"},
	{"default kill\n", "dir/t.policy: no rule"},
	{"default kill\nread\n", ":2: no function"},
	{"default kill\nread #\n", ":2: no function"},
	{"default kill\nread # - why\n", ":2: '' is no function"},
	{"default kill\nread # f g\n", ":2: 'f g' is no function"},
	{"default kill\nread # f,,g\n", ":2: '' is no function"},
	{"default kill\nread # glib:f\n", "is no function"},
	{"default kill\nreda # f\n",
	 ":2: unknown system call 'reda'; did you mean 'read'?"},
	{"default kill\nfrobnicate # f\n",
	 ":2: unknown system call 'frobnicate'"},
	{"default kill\nopen # f\n",
	 ":2: aarch64 has no system call 'open': write 'open@'"},
	{"default kill\nopen@aarch64 # f\n", ":2: unknown system call 'open'"},
	{"default kill\nread@sparc # f\n", ":2: unknown architecture 'sparc'"},
	{"default kill\nre-ad # f\n", ":2: 're-ad' is no name"},
	{"default kill\nread # f\nread # f\n", ":3: duplicate: dir/t.policy:2"},
	{"default kill\nread # f\nread@x86_64 # f\n",
	 ":3: duplicate: dir/t.policy:2"},
	{"default kill\nread arg0 == 1 # f\nread # f\n",
	 ":3: 'read' with and without a test: dir/t.policy:2"},
	{"default kill\nread # f\nread arg0 == 1 # f\n",
	 ":3: 'read' with and without a test"},
	{"default kill\nread arg0 == A # f\nread arg0 in {B, 1} # f\n",
	 ":3: duplicate: dir/t.policy:2"},
	{"default kill\nread arg0 in {A, 1} # f\n", ":2: the same test twice"},
	{"default kill\nread arg0 == A || arg0 == 1 # f\n",
	 ":2: the same test twice"},
	{"default kill\nread arg0 == C # f\n",
	 ":2: constant 'C' has no value for x86_64"},
	{"default kill\nread arg0 == BOHT # f\n", "did you mean 'BOTH'?"},
	{"default kill\nread arg0 == ARM # f\n",
	 ":2: constant 'ARM' has no value for x86_64"},
	{"default kill\nread arg6 == A # f\n", ":2: arg0 to arg5 expected"},
	{"default kill\nread fd == A # f\n", ":2: arg0 to arg5 expected"},
	{"default kill\nread arg0 # f\n", ":2: '==' expected"},
	{"default kill\nread arg0 != A # f\n", ":2: '==' expected"},
	{"default kill\nread arg0 > A # f\n", ":2: '==' expected"},
	{"default kill\nread arg0 == # f\n",
	 ":2: a constant or number expected"},
	{"default kill\nread arg0 == A B # f\n", ":2: 'B' is too much"},
	{"default kill\nread arg0 == A && # f\n",
	 ":2: arg0 to arg5 expected at ''"},
	{"default kill\nread arg0 in A # f\n", ":2: '{' expected"},
	{"default kill\nread arg0 in {A # f\n", ":2: '}' expected"},
	{"default kill\nread arg0 in {} # f\n",
	 ":2: a constant or number expected"},
	{"default kill\nread (arg0 & A == A # f\n", ":2: ')' expected"},
	{"default kill\nread (arg0 | A) == A # f\n", ":2: '&' expected"},
	{"default kill\nread (arg0 & A) in {A} # f\n", ":2: '==' expected"},
	{"default kill\nread (arg0 & A) == B # f\n", ":2: never true"},
	{"default kill\nread (arg0 & 0) == 0 # f\n", ":2: a mask of 0"},
	{"default kill\nread arg0 == A && arg0 == B # f\n",
	 ":2: arg0 is tested twice"},
	{"default kill\nread arg0 == 08 # f\n", ":2: '08' is no"},
	{"default kill\nread arg0 == 0x # f\n", ":2: '0x' is no"},
	{"default kill\nread arg0 == 1x # f\n", ":2: '1x' is no"},
	{"default kill\nread arg0 == 18446744073709551616 # f\n",
	 "is no number"},
	{"default kill\nread arg0 == ((((((((((1)))))))))) # f\n",
	 ":2: more than 8 parentheses"},
	{"default kill\nioctl arg1 == HIGH # f\n",
	 ":2: 0x100000000 does not fit: arg1 of ioctl"},
	{"default kill\ninclude nobody\nread # f\n",
	 ":2: no policy for the thread 'nobody'"},
	{"default kill\ninclude t\nread # f\n", ":2: 't' includes itself"},
	{"default kill\ninclude\nread # f\n", ":2: include ''"},
	{"default kill\ninclude a b\nread # f\n", ":2: include 'a b'"},
	{"default kill\nread # f\nconst A = 2\n",
	 ":3: constant 'A' has a value already, at constants:1"},
	{"default kill\nread # f\nconst A@x86_64 = 2\n",
	 ":3: constant 'A' has a value already"},
	{"default kill\nread # f\nconst C\n", ":3: no '='"},
	{"default kill\nread # f\nconst C = D\n", ":3: 'D' is no number"},
	{"default kill\nread # f\nconst C = -1\n", ":3: '-1' is no number"},
	{"default kill\nread # f\nconst C = 010\n", ":3: '010' is no number"},
	{"default kill\nread # f\nconst C = 0x\n", ":3: '0x' is no number"},
	{"default kill\nread # f\nconst arg1 = 1\n",
	 ":3: 'arg1' cannot name a constant"},
	{"default kill\nread # f\nconst 9C = 1\n",
	 ":3: '9C' cannot name a constant"},
	{"default kill\nread # f\nconst C@mips = 1\n",
	 ":3: unknown architecture 'mips'"},
	{"default kill\nread # f\n\r\n", ":3: byte 0x0d"},
	{"default kill\nread # \xc3\xa9\n", ":2: byte 0xc3"},
};

static void every_mistake_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(mistakes); i++) {
		struct policy_set set;
		char *text;

		load(&set, mistakes[i].text);
		text = errors_of(&set);
		assert_has(text, mistakes[i].message);
		if (set.error_count != 1)
			fail_msg("%zu errors:\n%s", set.error_count, text);
		free(text);
		policy_set_destroy(&set);
	}
}

static void all_mistakes_at_once_in_order(void **state)
{
	struct policy_set set;
	char *text;

	(void)state;
	load(&set, "default kill\n"
		   "reda # f\n"
		   "write arg0 == NOBODY # f\n"
		   "close\n"
		   "read # f\n"
		   "read # f\n");
	text = errors_of(&set);
	assert_int_equal(set.error_count, 4);
	assert_true(strstr(text, ":2:") < strstr(text, ":3:"));
	assert_true(strstr(text, ":3:") < strstr(text, ":4:"));
	assert_true(strstr(text, ":4:") < strstr(text, ":6:"));
	free(text);
	policy_set_destroy(&set);
}

static const struct policy_rule *rule_of(const struct policy_set *set,
					 size_t at)
{
	const struct policy *policy = policy_set_find(set, "t");

	assert_non_null(policy);
	assert_true(at < policy->rule_count);
	return &policy->rules[at];
}

static void load_good(struct policy_set *set, const char *policy)
{
	char *text;

	load(set, policy);
	text = errors_of(set);
	if (set->error_count != 0)
		fail_msg("%s", text);
	free(text);
}

static void assert_cond(const struct policy_term *term, unsigned at,
			struct policy_cond want)
{
	assert_true(at < term->count);
	assert_int_equal(term->conds[at].arg, want.arg);
	assert_int_equal(term->conds[at].mask, want.mask);
	assert_int_equal(term->conds[at].value, want.value);
}

static void tests_become_terms(void **state)
{
	const struct policy_test *test;
	struct policy_set set;

	(void)state;
	load_good(&set, "default trap\n"
			"read arg2 in {A, B} && (arg0 & ~(A|B)) == 0 "
			"|| arg1 == A|B # f, libc:g - why\n");
	test = &rule_of(&set, 0)->tests[POLICY_AARCH64];
	assert_int_equal(test->count, 3);
	assert_int_equal(test->terms[0].count, 2);
	assert_cond(&test->terms[0], 0, (struct policy_cond){0, ~3ULL, 0});
	assert_cond(&test->terms[0], 1, (struct policy_cond){2, UINT64_MAX, 1});
	assert_cond(&test->terms[1], 1, (struct policy_cond){2, UINT64_MAX, 2});
	assert_int_equal(test->terms[2].count, 1);
	assert_cond(&test->terms[2], 0, (struct policy_cond){1, UINT64_MAX, 3});
	assert_string_equal(rule_of(&set, 0)->functions, "f, libc:g");
	policy_set_destroy(&set);
}

static void narrow_arguments_lose_the_upper_half(void **state)
{
	struct policy_set set;

	(void)state;
	load_good(&set, "default trap\n"
			"ioctl arg1 == SIGNED # f\n"
			"ioctl arg2 == SIGNED # f\n"
			"futex (arg1 & ~A) == 0 # f\n");
	assert_cond(&rule_of(&set, 0)->tests[0].terms[0], 0,
		    (struct policy_cond){1, UINT32_MAX, 0x80000000});
	assert_cond(&rule_of(&set, 1)->tests[0].terms[0], 0,
		    (struct policy_cond){2, UINT64_MAX, 0xffffffff80000000});
	assert_cond(&rule_of(&set, 2)->tests[0].terms[0], 0,
		    (struct policy_cond){1, 0xfffffffe, 0});
	policy_set_destroy(&set);
}

static void constants_may_differ_by_architecture(void **state)
{
	const struct policy_rule *rule;
	struct policy_set set;

	(void)state;
	load_good(&set, "default kill\n"
			"read arg0 == BOTH # f\n"
			"read@aarch64 arg0 == ARM # f\n"
			"open@x86_64 # f\n");
	rule = rule_of(&set, 0);
	assert_int_equal(rule->tests[POLICY_X86_64].terms[0].conds[0].value, 4);
	assert_int_equal(rule->tests[POLICY_AARCH64].terms[0].conds[0].value,
			 5);
	assert_int_equal(rule_of(&set, 1)->arches, 1U << POLICY_AARCH64);
	assert_int_equal(rule_of(&set, 1)->tests[POLICY_X86_64].count, 0);
	policy_set_destroy(&set);
}

static size_t rules_in_force(const struct policy_set *set, const char *name)
{
	const struct policy_rule **rules;
	size_t count = 0;

	assert_int_equal(policy_set_rules(set, policy_set_find(set, name),
					  POLICY_X86_64, &rules),
			 0);
	while (rules[count] != NULL)
		count++;
	free(rules);
	return count;
}

static void includes_unite_rules(void **state)
{
	struct policy_set set = {0};
	char *text;

	(void)state;
	add(&set, "t.policy",
	    "default kill\ninclude a\ninclude b\nfutex # f\nclose # f\n");
	add(&set, "a.policy", "default trap\nread # f\nfutex arg1 == 1 # f\n");
	add(&set, "b.policy", "default trap\nread # f\nopen@x86_64 # f\n");
	/* The wider rule of a later include makes a's futex pointless. */
	add(&set, "u.policy", "default kill\ninclude a\ninclude w\n");
	add(&set, "w.policy", "default trap\nfutex # f\n");
	assert_int_equal(policy_set_resolve(&set), 0);
	policy_set_check(&set);
	assert_int_equal(set.error_count, 0);
	/* futex, close, read once, open */
	assert_int_equal(rules_in_force(&set, "t"), 4);
	assert_int_equal(rules_in_force(&set, "u"), 2);

	add(&set, "c.policy", "default kill\ninclude a\nread # f\n");
	add(&set, "d.policy",
	    "default kill\ninclude c\ninclude c\n"
	    "close # f\n");
	add(&set, "e.policy",
	    "default kill\ninclude a\n"
	    "read arg0 == 1 # f\n");
	policy_set_check(&set);
	text = errors_of(&set);
	assert_has(text, "c.policy:3: duplicate: a.policy:2");
	assert_has(text, "d.policy:2: 'c' includes itself or others");
	assert_has(text, "d.policy:3: 'c' is included already, in line 2");
	assert_has(text, "e.policy:3: 'read' with and without a test");
	free(text);
	policy_set_destroy(&set);
}

static void files_are_refused_whole(void **state)
{
	static char large[POLICY_FILE_MAX + 1];
	struct policy_set set = {0};
	char *text;

	(void)state;
	memset(large, '\n', sizeof(large));
	assert_int_equal(
		policy_set_add(&set, "large.policy", large, sizeof(large)), 0);
	assert_int_equal(policy_set_add(&set, "zero.policy", "a\0b", 3), 0);
	add(&set, "constants", "read # f\n");
	add(&set, "x-y.policy", "default kill\n");
	add(&set, "abcdefghijklmnop.policy", "default kill\n");
	add(&set, "t.policy", "default kill\nread # f\n");
	add(&set, "other/t.policy", "default kill\nread # f\n");
	text = errors_of(&set);
	assert_has(text, "large.policy: no policy");
	assert_has(text, "zero.policy: no policy");
	assert_has(text, "constants:1: 'read' in a file of constants");
	assert_has(text, "x-y.policy: 'x-y' cannot name a thread");
	assert_has(text, "abcdefghijklmnop.policy: a thread's name has");
	assert_has(text, "other/t.policy: thread 't' has a policy already");
	assert_int_equal(set.error_count, 6);
	free(text);
	policy_set_destroy(&set);
}

/* A limit is an error with a line, never a write past an array. */
static void limits_are_errors(void **state)
{
	struct policy_set set;
	char *policy = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&policy, &len);
	char *text;

	(void)state;
	assert_non_null(out);
	(void)fprintf(out, "default kill\n");
	for (unsigned i = 0; i < 600; i++)
		(void)fprintf(out, "read arg0 == %u # f\n", i);
	for (unsigned i = 0; i < 1100; i++)
		(void)fprintf(out, "const C%u = 1\n", i);
	(void)fprintf(out, "include a\ninclude b\ninclude c\ninclude d\n"
			   "include e\n");
	assert_int_equal(fclose(out), 0);
	load(&set, policy);
	text = errors_of(&set);
	assert_has(text, ":514: more than 512 rules");
	assert_has(text, ": more than 1024 constants");
	assert_has(text, ": more than 4 includes");
	free(text);
	free(policy);
	policy_set_destroy(&set);
}

static void combinations_are_limited(void **state)
{
	char policy[1024] = "default kill\nread arg0 in {0";
	struct policy_set set;
	char *text;

	(void)state;
	for (unsigned i = 1; i < 33; i++)
		(void)snprintf(policy + strlen(policy),
			       sizeof(policy) - strlen(policy), ",%u", i);
	(void)snprintf(policy + strlen(policy), sizeof(policy) - strlen(policy),
		       "} # f\nwrite arg0 in {0,1,2,3,4,5,6,7,8} && "
		       "arg1 in {0,1,2,3,4,5,6,7} # f\n");
	load(&set, policy);
	text = errors_of(&set);
	assert_has(text, ":2: more than 32 values in one set");
	assert_has(text, ":3: more than 64 combinations");
	free(text);
	policy_set_destroy(&set);
}

static void the_list_tells_every_rule(void **state)
{
	const struct emit_options options = {.arches = 3};
	struct policy_set set;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	load_good(&set, "default kill\nclose # f\n"
			"open@x86_64 arg1 == A # g, h\n");
	assert_int_equal(emit_list(&set, &options, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_has(text, "t\tclose\t-\t# f\n");
	assert_has(text, "t@x86_64\topen\targ1 == A\t# g, h\n");
	assert_has(text, "# t aarch64: ");
	assert_null(strstr(strstr(text, "close") + 1, "close"));
	free(text);
	policy_set_destroy(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_told),
		cmocka_unit_test(all_mistakes_at_once_in_order),
		cmocka_unit_test(tests_become_terms),
		cmocka_unit_test(narrow_arguments_lose_the_upper_half),
		cmocka_unit_test(constants_may_differ_by_architecture),
		cmocka_unit_test(includes_unite_rules),
		cmocka_unit_test(files_are_refused_whole),
		cmocka_unit_test(limits_are_errors),
		cmocka_unit_test(combinations_are_limited),
		cmocka_unit_test(the_list_tells_every_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
