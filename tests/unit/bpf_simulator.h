/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf_simulator - runs a seccomp program as the kernel would, for any
 * architecture, without installing it.
 *
 * The subset of classic BPF that the kernel takes for seccomp and libseccomp
 * writes; anything else makes the program invalid, as does a load outside of
 * struct seccomp_data, a jump past the end or an end without a return.
 */
#ifndef KILN_TESTS_BPF_SIMULATOR_H
#define KILN_TESTS_BPF_SIMULATOR_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_result {
	uint32_t action; /* SECCOMP_RET_... with its data */
	unsigned steps;  /* instructions executed */
};

/* bpf_simulate - Return: 0; -EINVAL when the kernel would not load it. */
int bpf_simulate(const struct sock_filter *insns, size_t count,
		 const struct seccomp_data *data,
		 struct bpf_result *ret_result);

#endif
