/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_rows - the expectations in tests/policies/, one a line:
 *
 *	THREAD[+log] ARCH SYSCALL [ARG...] -> ALLOW|KILL|TRAP|LOG [nolive]
 *
 * ARCH: x86_64, aarch64, "*" for both; and the foreign ABIs i386, x32 (on an
 * x86_64 host) and arm (on aarch64). SYSCALL: a name or a number. ARG: "_" for
 * 0, or numbers and names of profiles/seccomp/constants joined by "|"; a "^" in
 * front sets the upper 32 bits, as a sign extension or a hostile caller does.
 * nolive: would harm the process that tries it for real. '#' starts a comment.
 */
#ifndef KILN_TESTS_SECCOMP_ROWS_H
#define KILN_TESTS_SECCOMP_ROWS_H

#include "profiles/compiler/policy.h"

#include <linux/seccomp.h>

struct seccomp_row {
	const char *file; /* borrowed from the caller */
	unsigned line;
	char thread[POLICY_NAME_MAX];
	bool log;
	enum policy_arch arch; /* of the host */
	bool foreign;          /* the call uses another ABI of that host */
	struct seccomp_data data;
	uint32_t action; /* SECCOMP_RET_... */
	bool nolive;
};

/* Called for every row, "*" twice. */
typedef void (*seccomp_row_fn)(const struct seccomp_row *row, void *arg);

/*
 * seccomp_rows_visit - all rows of one file. set: for the constants.
 * Return: how many rows; -EINVAL after printing "file:line: what" for each
 * line that is wrong; -errno when the file cannot be read.
 */
int seccomp_rows_visit(const struct policy_set *set, const char *path,
		       seccomp_row_fn visit, void *arg);

/* seccomp_action_name - "ALLOW" etc., "?" for what no policy asks for. */
const char *seccomp_action_name(uint32_t action);

/*
 * seccomp_policies_load - the shipped policies, resolved and checked, from the
 * current directory (the top of the tree). Return: 0; -EINVAL after printing.
 */
int seccomp_policies_load(struct policy_set *set);

#endif
