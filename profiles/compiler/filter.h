/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter - one policy as a BPF program for one architecture, by libseccomp.
 *
 * The program first compares the architecture: any other, and on x86_64 a
 * number of the x32 ABI, kills the process. Then a binary tree finds the call
 * (the kernel evaluates a filter for every number when it is loaded, so a
 * linear chain costs three times as much).
 */
#ifndef KILN_COMPILER_FILTER_H
#define KILN_COMPILER_FILTER_H

#include "profiles/compiler/policy.h"

#include <linux/filter.h>

struct filter {
	struct sock_filter *insns; /* owned, see filter_destroy() */
	size_t count;
};

/*
 * filter_build - compile a checked policy.
 * log: what no rule allows is logged and runs, to learn what is missing.
 * Return: 0 and a filter to destroy; -errno, and in set->errors the rule that
 * libseccomp refuses.
 */
int filter_build(struct policy_set *set, const struct policy *policy,
		 enum policy_arch arch, bool log, struct filter *ret_filter);

/* filter_destroy - takes the instructions. */
void filter_destroy(struct filter *filter);

/* filter_arch_token - libseccomp's and the kernel's AUDIT_ARCH_ value. */
uint32_t filter_arch_token(enum policy_arch arch);

#endif
