/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled filters, as shipped, against the rows of tests/policies and
 * against the policies' text: for every number and many arguments, the program
 * must answer what a direct reading of the rules answers. Both architectures.
 */
#include "bpf_simulator.h"
#include "profiles/compiler/filter.h"
#include "seccomp_filters.h"
#include "seccomp_rows.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array)   (sizeof(array) / sizeof(*(array)))
#define NUMBERS      600
#define TRIES        200
#define LOG_PROGRAMS 2

static const struct seccomp_program *
program_find(const char *name, enum policy_arch arch, bool log)
{
	for (size_t i = 0; i < seccomp_program_count; i++) {
		const struct seccomp_program *program = &seccomp_programs[i];

		if (program->log == log && strcmp(program->name, name) == 0 &&
		    strcmp(program->arch, policy_arch_name(arch)) == 0)
			return program;
	}
	fail_msg("no program %s for %s", name, policy_arch_name(arch));
	return NULL;
}

static uint32_t simulate(const struct seccomp_program *program,
			 const struct seccomp_data *data)
{
	struct bpf_result result;

	assert_int_equal(
		bpf_simulate(program->insns, program->count, data, &result), 0);
	return result.action;
}

static void check_row(const struct seccomp_row *row, void *arg)
{
	unsigned *failures = arg;
	uint32_t action = simulate(
		program_find(row->thread, row->arch, row->log), &row->data);

	if (action == row->action)
		return;
	print_error("%s:%u: %s on %s, %s expected\n", row->file, row->line,
		    seccomp_action_name(action), policy_arch_name(row->arch),
		    seccomp_action_name(row->action));
	(*failures)++;
}

static void every_row_holds(void **state)
{
	static const char *const paths[] = {
		"tests/policies/launch.rows",
		"tests/policies/loop.rows",
		"tests/policies/vcpu.rows",
	};
	unsigned failures = 0;

	for (size_t i = 0; i < LEN(paths); i++) {
		int rows = seccomp_rows_visit(*state, paths[i], check_row,
					      &failures);

		assert_true(rows > 0);
		print_message("%s: %d rows\n", paths[i], rows);
	}
	assert_int_equal(failures, 0);
}

/* The rules in force, with the number of each one's call. */
struct oracle {
	const struct policy_rule **rules;
	int *numbers;
	enum policy_arch arch;
};

static void oracle_create(const struct policy_set *set,
			  const struct policy *policy, enum policy_arch arch,
			  struct oracle *oracle)
{
	size_t count = 0;

	oracle->arch = arch;
	assert_int_equal(policy_set_rules(set, policy, arch, &oracle->rules),
			 0);
	while (oracle->rules[count] != NULL)
		count++;
	oracle->numbers = calloc(count + 1, sizeof(*oracle->numbers));
	assert_non_null(oracle->numbers);
	for (size_t i = 0; i < count; i++)
		oracle->numbers[i] = seccomp_syscall_resolve_name_arch(
			filter_arch_token(arch), oracle->rules[i]->syscall);
}

static void oracle_destroy(struct oracle *oracle)
{
	free(oracle->rules);
	free(oracle->numbers);
}

static bool term_holds(const struct policy_term *term,
		       const struct seccomp_data *data)
{
	for (unsigned i = 0; i < term->count; i++) {
		const struct policy_cond *cond = &term->conds[i];

		if ((data->args[cond->arg] & cond->mask) != cond->value)
			return false;
	}
	return true;
}

static bool rule_holds(const struct policy_test *test,
		       const struct seccomp_data *data)
{
	for (size_t i = 0; i < test->count; i++) {
		if (term_holds(&test->terms[i], data))
			return true;
	}
	return test->count == 0;
}

static bool oracle_allows(const struct oracle *oracle,
			  const struct seccomp_data *data)
{
	for (size_t i = 0; oracle->rules[i] != NULL; i++) {
		if (oracle->numbers[i] == data->nr &&
		    rule_holds(&oracle->rules[i]->tests[oracle->arch], data))
			return true;
	}
	return false;
}

/* xorshift64: the same numbers in every run. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Near the values that rules ask for, with bits flipped and noise above. */
static uint64_t random_arg(const struct policy_set *set, uint64_t *seed)
{
	uint64_t r = next_random(seed);
	uint64_t value = set->constants[r % set->constant_count].value;

	switch ((r >> 32) % 6) {
	case 0:
		return 0;
	case 1:
		return r;
	case 2:
		return value ^ 1ULL << (r >> 40) % 64;
	case 3:
		return value | 0xffffffff00000000;
	case 4:
		return value |
		       set->constants[(r >> 16) % set->constant_count].value;
	default:
		return value;
	}
}

/* Arguments that one of the rules' terms accepts, so that "allow" is met. */
static void aim_at_term(const struct oracle *oracle, struct seccomp_data *data,
			uint64_t *seed)
{
	for (size_t i = 0; oracle->rules[i] != NULL; i++) {
		const struct policy_test *test =
			&oracle->rules[i]->tests[oracle->arch];
		const struct policy_term *term;

		if (oracle->numbers[i] != data->nr || test->count == 0 ||
		    next_random(seed) % 3 != 0)
			continue;
		term = &test->terms[next_random(seed) % test->count];
		for (unsigned c = 0; c < term->count; c++) {
			const struct policy_cond *cond = &term->conds[c];

			data->args[cond->arg] &= ~cond->mask;
			data->args[cond->arg] |= cond->value;
		}
		return;
	}
}

static void random_call(const struct policy_set *set,
			const struct oracle *oracle, int nr,
			struct seccomp_data *data, uint64_t *seed)
{
	*data = (struct seccomp_data){
		.nr = nr,
		.arch = oracle->arch == POLICY_X86_64 ? AUDIT_ARCH_X86_64
						      : AUDIT_ARCH_AARCH64,
	};
	for (unsigned i = 0; i < POLICY_ARGS; i++)
		data->args[i] = random_arg(set, seed);
	if (next_random(seed) % 2 == 0)
		aim_at_term(oracle, data, seed);
}

static uint32_t fallback_of(const struct policy *policy, bool log)
{
	if (log)
		return SECCOMP_RET_LOG;
	return policy->fallback == POLICY_DEFAULT_TRAP
		       ? SECCOMP_RET_TRAP
		       : SECCOMP_RET_KILL_PROCESS;
}

static void compare_program(const struct policy_set *set,
			    const struct policy *policy, enum policy_arch arch,
			    bool log)
{
	const struct seccomp_program *program =
		program_find(policy->name, arch, log);
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned allowed = 0;
	struct oracle oracle;

	oracle_create(set, policy, arch, &oracle);
	for (int i = 0; i < NUMBERS * TRIES; i++) {
		struct seccomp_data data;
		bool allow;

		random_call(set, &oracle, i / TRIES, &data, &seed);
		allow = oracle_allows(&oracle, &data);
		allowed += allow;
		if (simulate(program, &data) !=
		    (allow ? SECCOMP_RET_ALLOW : fallback_of(policy, log)))
			fail_msg("%s %s: call %d (0x%llx 0x%llx 0x%llx ...)",
				 policy->name, policy_arch_name(arch), data.nr,
				 data.args[0], data.args[1], data.args[2]);
	}
	assert_true(allowed > TRIES);
	oracle_destroy(&oracle);
}

static void programs_do_what_the_text_says(void **state)
{
	const struct policy_set *set = *state;

	for (size_t p = 0; p < set->policy_count; p++) {
		for (unsigned a = 0; a < POLICY_ARCH_COUNT; a++) {
			compare_program(set, &set->policies[p],
					(enum policy_arch)a, false);
			compare_program(set, &set->policies[p],
					(enum policy_arch)a, true);
		}
	}
}

/* Filters stack: what a thread may do later, the launch filter must pass. */
static void launch_allows_what_threads_need(void **state)
{
	static const char *const threads[] = {"loop", "vcpu"};
	uint64_t seed = 0x2545f4914f6cdd1d;

	for (unsigned i = 0; i < LEN(threads) * POLICY_ARCH_COUNT; i++) {
		enum policy_arch arch = (enum policy_arch)(i / LEN(threads));
		const char *thread = threads[i % LEN(threads)];
		const struct seccomp_program *launch =
			program_find("launch", arch, false);
		struct oracle oracle;

		oracle_create(*state, policy_set_find(*state, thread), arch,
			      &oracle);
		for (int n = 0; n < NUMBERS * TRIES; n++) {
			struct seccomp_data data;

			random_call(*state, &oracle, n / TRIES, &data, &seed);
			if (oracle_allows(&oracle, &data))
				assert_int_equal(simulate(launch, &data),
						 SECCOMP_RET_ALLOW);
		}
		oracle_destroy(&oracle);
	}
}

static void foreign_calls_always_kill(void **state)
{
	static const struct {
		enum policy_arch arch;
		uint32_t audit;
		int bits;
	} rows[] = {
		{POLICY_X86_64, AUDIT_ARCH_I386, 0},
		{POLICY_X86_64, AUDIT_ARCH_X86_64, 0x40000000},
		{POLICY_X86_64, AUDIT_ARCH_AARCH64, 0},
		{POLICY_X86_64, 0, 0},
		{POLICY_AARCH64, AUDIT_ARCH_ARM, 0},
		{POLICY_AARCH64, AUDIT_ARCH_X86_64, 0},
		{POLICY_AARCH64, AUDIT_ARCH_AARCH64 ^ 0x40000000, 0},
	};

	(void)state;
	for (size_t i = 0; i < seccomp_program_count * LEN(rows); i++) {
		const struct seccomp_program *program =
			&seccomp_programs[i / LEN(rows)];
		size_t row = i % LEN(rows);

		if (strcmp(program->arch, policy_arch_name(rows[row].arch)) !=
		    0)
			continue;
		for (int nr = 0; nr <= NUMBERS; nr++) {
			struct seccomp_data data = {
				.nr = nr | rows[row].bits,
				.arch = rows[row].audit,
			};

			assert_int_equal(simulate(program, &data),
					 SECCOMP_RET_KILL_PROCESS);
		}
	}
}

/* The handler of vmm/core/confine.c must be able to speak and to end. */
static void trapping_threads_can_report(void **state)
{
	const struct policy_set *set = *state;

	for (size_t i = 0; i < seccomp_program_count; i++) {
		const struct seccomp_program *program = &seccomp_programs[i];
		const struct policy *policy =
			policy_set_find(set, program->name);
		bool x86 = strcmp(program->arch, "x86_64") == 0;
		uint32_t token = x86 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
		struct seccomp_data data = {.arch = token};

		if (policy->fallback != POLICY_DEFAULT_TRAP)
			continue;
		data.nr = seccomp_syscall_resolve_name_arch(token, "write");
		assert_int_equal(simulate(program, &data), SECCOMP_RET_ALLOW);
		data.nr =
			seccomp_syscall_resolve_name_arch(token, "exit_group");
		assert_int_equal(simulate(program, &data), SECCOMP_RET_ALLOW);
	}
}

static void finds_the_native_program(void **state)
{
	const struct seccomp_program *loop =
		seccomp_program_find("loop", false);
	const struct seccomp_program *log = seccomp_program_find("loop", true);

	(void)state;
	assert_non_null(loop);
	assert_non_null(log);
	assert_ptr_not_equal(loop->insns, log->insns);
	assert_null(seccomp_program_find("nobody", false));
	assert_int_equal(seccomp_program_count,
			 3 * POLICY_ARCH_COUNT * LOG_PROGRAMS);
}

static void explains_every_thread(void **state)
{
	unsigned vcpu_run = 0;

	(void)state;
	for (size_t i = 0; i < seccomp_rule_count; i++) {
		const struct seccomp_rule *rule = &seccomp_rules[i];

		assert_true(strlen(rule->functions) > 0);
		vcpu_run += strcmp(rule->thread, "vcpu") == 0 &&
			    strcmp(rule->test, "arg1 == KVM_RUN") == 0 &&
			    strcmp(rule->arch, "") == 0;
	}
	assert_int_equal(vcpu_run, 1);
}

static int load(void **state)
{
	static struct policy_set set;

	*state = &set;
	return seccomp_policies_load(&set);
}

static int unload(void **state)
{
	policy_set_destroy(*state);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_holds),
		cmocka_unit_test(programs_do_what_the_text_says),
		cmocka_unit_test(launch_allows_what_threads_need),
		cmocka_unit_test(foreign_calls_always_kill),
		cmocka_unit_test(trapping_threads_can_report),
		cmocka_unit_test(finds_the_native_program),
		cmocka_unit_test(explains_every_thread),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
