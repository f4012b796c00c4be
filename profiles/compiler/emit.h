/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit - the outputs of kiln-seccomp.
 *
 *	c	the programs and seccomp_program_find()	(VMM, kiln)
 *	header	the declarations of both C files
 *	rules	every rule as text, for "kiln explain"		(kiln)
 *	list	the same for a reader
 *	bin	DIR/THREAD.ARCH[.log].bpf, the bare instructions
 */
#ifndef KILN_COMPILER_EMIT_H
#define KILN_COMPILER_EMIT_H

#include "profiles/compiler/policy.h"

struct emit_options {
	unsigned arches; /* bit 1 << enum policy_arch */
	bool log;        /* bin: the logging set */
};

/*
 * Each writes one output of a checked set. Return: 0; -errno.
 * out: stays open; write errors show in ferror(out).
 */
int emit_c(struct policy_set *set, const struct emit_options *options,
	   FILE *out);
int emit_header(struct policy_set *set, const struct emit_options *options,
		FILE *out);
int emit_rules(struct policy_set *set, const struct emit_options *options,
	       FILE *out);
int emit_list(struct policy_set *set, const struct emit_options *options,
	      FILE *out);

/* emit_bin - dir: must exist. Return: 0; -errno. */
int emit_bin(struct policy_set *set, const struct emit_options *options,
	     const char *dir);

#endif
