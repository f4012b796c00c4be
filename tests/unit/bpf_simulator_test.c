/* SPDX-License-Identifier: Apache-2.0 */
/* Each instruction, by programs whose outcome is worked out by hand. */
#include "bpf_simulator.h"

#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof(*(array)))

static const struct seccomp_data sample = {
	.nr = 7,
	.arch = AUDIT_ARCH_X86_64,
	.instruction_pointer = 0x1122334455667788,
	.args = {0xaabbccdd00000001, 2, 3, 4, 5, 0x99},
};

#define LOAD(offset)      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define JUMP(op, k, t, f) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, t, f)
#define RET(k)            BPF_STMT(BPF_RET | BPF_K, k)

static uint32_t run(const struct sock_filter *insns, size_t count)
{
	struct bpf_result result;

	assert_int_equal(bpf_simulate(insns, count, &sample, &result), 0);
	return result.action;
}

static void assert_refused(const struct sock_filter *insns, size_t count)
{
	struct bpf_result result;

	assert_int_equal(bpf_simulate(insns, count, &sample, &result), -EINVAL);
}

static void loads_every_field(void **state)
{
	static const struct {
		uint32_t offset;
		uint32_t value;
	} rows[] = {
		{0, 7},          {4, AUDIT_ARCH_X86_64},
		{8, 0x55667788}, {12, 0x11223344},
		{16, 1},         {20, 0xaabbccdd},
		{56, 0x99},      {60, 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct sock_filter insns[] = {
			LOAD(rows[i].offset),
			JUMP(BPF_JEQ, rows[i].value, 0, 1),
			RET(1),
			RET(2),
		};

		assert_int_equal(run(insns, LEN(insns)), 1);
	}
}

static void compares(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t k;
		uint32_t want;
	} rows[] = {
		{BPF_JEQ, 7, 1},  {BPF_JEQ, 8, 2},  {BPF_JGT, 6, 1},
		{BPF_JGT, 7, 2},  {BPF_JGE, 7, 1},  {BPF_JGE, 8, 2},
		{BPF_JSET, 4, 1}, {BPF_JSET, 8, 2},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct sock_filter insns[] = {
			LOAD(0),
			JUMP(rows[i].op, rows[i].k, 0, 1),
			RET(1),
			RET(2),
		};

		assert_int_equal(run(insns, LEN(insns)), rows[i].want);
	}
}

static void masks_and_jumps(void **state)
{
	static const struct sock_filter insns[] = {
		LOAD(0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 3),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		RET(9),
		JUMP(BPF_JEQ, 3, 0, 1),
		RET(1),
		RET(2),
	};

	(void)state;
	assert_int_equal(run(insns, LEN(insns)), 1);
}

static void counts_steps(void **state)
{
	static const struct sock_filter insns[] = {
		LOAD(0),
		JUMP(BPF_JEQ, 7, 1, 0),
		RET(1),
		RET(2),
	};
	struct bpf_result result;

	(void)state;
	assert_int_equal(bpf_simulate(insns, LEN(insns), &sample, &result), 0);
	assert_int_equal(result.action, 2);
	assert_int_equal(result.steps, 3);
}

static void refuses_what_the_kernel_refuses(void **state)
{
	static const struct sock_filter no_return[] = {LOAD(0)};
	static const struct sock_filter odd_load[] = {LOAD(2), RET(0)};
	static const struct sock_filter far_load[] = {LOAD(64), RET(0)};
	static const struct sock_filter far_jump[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 1), RET(0)};
	static const struct sock_filter huge_jump[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RET(0)};
	static const struct sock_filter byte_load[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET(0)};

	(void)state;
	assert_refused(no_return, 0);
	assert_refused(no_return, LEN(no_return));
	assert_refused(odd_load, LEN(odd_load));
	assert_refused(far_load, LEN(far_load));
	assert_refused(far_jump, LEN(far_jump));
	assert_refused(huge_jump, LEN(huge_jump));
	assert_refused(byte_load, LEN(byte_load));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_every_field),
		cmocka_unit_test(compares),
		cmocka_unit_test(masks_and_jumps),
		cmocka_unit_test(counts_steps),
		cmocka_unit_test(refuses_what_the_kernel_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
