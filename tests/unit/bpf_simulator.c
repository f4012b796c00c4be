/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf_simulator.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct machine {
	const struct sock_filter *insns;
	size_t count;
	const struct seccomp_data *data;
	size_t at;
	uint32_t a;
	bool done;
	uint32_t result;
};

static int load(struct machine *m, uint32_t offset)
{
	if (offset % 4 != 0 || offset > sizeof(*m->data) - sizeof(m->a))
		return -EINVAL;
	memcpy(&m->a, (const char *)m->data + offset, sizeof(m->a));
	return 0;
}

/* Relative to the next instruction, forward only. */
static int jump(struct machine *m, uint32_t distance)
{
	if (distance >= m->count - m->at)
		return -EINVAL;
	m->at += distance;
	return 0;
}

static int jump_if(struct machine *m, const struct sock_filter *insn,
		   bool taken)
{
	return jump(m, taken ? insn->jt : insn->jf);
}

static int finish(struct machine *m, uint32_t result)
{
	m->done = true;
	m->result = result;
	return 0;
}

static int step(struct machine *m)
{
	const struct sock_filter *insn = &m->insns[m->at++];

	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return load(m, insn->k);
	case BPF_ALU | BPF_AND | BPF_K:
		m->a &= insn->k;
		return 0;
	case BPF_JMP | BPF_JA:
		return jump(m, insn->k);
	case BPF_JMP | BPF_JEQ | BPF_K:
		return jump_if(m, insn, m->a == insn->k);
	case BPF_JMP | BPF_JGT | BPF_K:
		return jump_if(m, insn, m->a > insn->k);
	case BPF_JMP | BPF_JGE | BPF_K:
		return jump_if(m, insn, m->a >= insn->k);
	case BPF_JMP | BPF_JSET | BPF_K:
		return jump_if(m, insn, (m->a & insn->k) != 0);
	case BPF_RET | BPF_K:
		return finish(m, insn->k);
	default:
		return -EINVAL;
	}
}

int bpf_simulate(const struct sock_filter *insns, size_t count,
		 const struct seccomp_data *data, struct bpf_result *ret_result)
{
	struct machine m = {.insns = insns, .count = count, .data = data};
	unsigned steps = 0;

	if (count == 0 || count > BPF_MAXINSNS)
		return -EINVAL;
	while (!m.done) {
		int r;

		if (m.at >= count)
			return -EINVAL;
		r = step(&m);
		if (r < 0)
			return r;
		steps++;
	}
	*ret_result = (struct bpf_result){.action = m.result, .steps = steps};
	return 0;
}
