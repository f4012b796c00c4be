/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - the textual seccomp policies, parsed, checked and ready to compile.
 *
 * One file per thread, THREAD.policy, and any number of files of constants
 * (every other name). A line is one statement; '#' starts the functions:
 *
 *	default trap
 *	include loop
 *	const KVM_RUN = 0xae80
 *	const KVM_GET_REGS@x86_64 = 0x8090ae81
 *	ioctl		arg1 == KVM_RUN		# vcpu_run
 *	poll@x86_64	arg1 in {0, 1}		# libc:__init_libc - fds 0 to 2
 *
 * A rule names the system call (for one architecture with '@'), what its
 * arguments must be, and after '#' who needs it: functions of the VMM, or
 * "libc:NAME", "kernel:NAME", "jailer:NAME"; after " - " a reason in words.
 *
 *	test = term { "||" term }		term = cond { "&&" cond }
 *	cond = ARG "==" value | ARG "in" "{" value { "," value } "}"
 *	     | "(" ARG "&" atom ")" "==" value
 *	value = atom { "|" atom }		ARG = "arg0" ... "arg5"
 *	atom = NAME | number | "~" atom | "(" value ")"
 *
 * Several rules of one call are alternatives. What no rule allows meets the
 * default. An argument that the kernel declares with 32 bits is compared in
 * its low 32 bits (what C leaves above them is noise), any other in all 64.
 *
 * Parsing touches nothing but memory; every error of the input is collected,
 * so that one run reports all of them, in the order of the lines.
 * Thread: any, one set each. The build tool and the tests use this, no VMM.
 */
#ifndef KILN_COMPILER_POLICY_H
#define KILN_COMPILER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define POLICY_ARGS         6
#define POLICY_TERMS_MAX    64
#define POLICY_INCLUDES_MAX 4
#define POLICY_NAME_MAX     16
#define POLICY_FILE_MAX     65536 /* bytes of one input file */
#define POLICY_ERROR_MAX    224

enum policy_arch {
	POLICY_X86_64,
	POLICY_AARCH64,
	POLICY_ARCH_COUNT
};

enum policy_default {
	POLICY_DEFAULT_NONE, /* the file does not say: an error */
	POLICY_DEFAULT_KILL, /* SECCOMP_RET_KILL_PROCESS */
	POLICY_DEFAULT_TRAP, /* SECCOMP_RET_TRAP */
	POLICY_DEFAULT_COUNT
};

/* (argument & mask) == value */
struct policy_cond {
	unsigned arg;
	uint64_t mask;
	uint64_t value;
};

/* All conditions hold; at most one for each argument, in argument order. */
struct policy_term {
	unsigned count;
	struct policy_cond conds[POLICY_ARGS];
};

/* One term holds; without a term the call is allowed whatever it is given. */
struct policy_test {
	size_t count;
	struct policy_term *terms;
};

struct policy_rule {
	const char
		*file; /* this and the strings below: borrowed from the set */
	unsigned line;
	unsigned arches; /* bit 1 << enum policy_arch */
	const char *syscall;
	const char *text;      /* the test as written, "" for none */
	const char *functions; /* as written, separated by ", " */
	struct policy_test tests[POLICY_ARCH_COUNT];
};

struct policy_constant {
	const char *file;
	unsigned line;
	unsigned arches;
	const char *name;
	uint64_t value;
};

struct policy_include {
	const char *name;
	unsigned line;
};

struct policy {
	char name[POLICY_NAME_MAX]; /* the thread */
	const char *file;
	enum policy_default fallback;
	struct policy_include includes[POLICY_INCLUDES_MAX];
	size_t include_count;
	struct policy_rule *rules;
	size_t rule_count;
};

struct policy_error {
	const char *file;
	unsigned line; /* 0: the file as a whole */
	char msg[POLICY_ERROR_MAX];
};

/* A whole input. Created zeroed; policy_set_destroy() owns all of it. */
struct policy_set {
	struct policy_constant *constants;
	size_t constant_count;
	struct policy *policies;
	size_t policy_count;
	struct policy_error *errors;
	size_t error_count;
	char **texts;
	size_t text_count;
};

/*
 * policy_set_add - parse one file's text; it is copied.
 * path: decides by ".policy" whether rules or only constants are allowed.
 * Return: 0; -ENOMEM. Errors of the text go to set->errors.
 */
int policy_set_add(struct policy_set *set, const char *path, const char *text,
		   size_t len_bytes);

/*
 * policy_set_resolve - turn the tests of all rules into numbers, once all
 * files are added. Return: 0; -ENOMEM. Errors go to set->errors.
 */
int policy_set_resolve(struct policy_set *set);

/*
 * policy_set_check - what needs the tables of system calls and all lines at
 * once: unknown calls, duplicates, dead lines, includes. After resolve.
 * Errors go to set->errors.
 */
void policy_set_check(struct policy_set *set);

/* policy_set_print_errors - "file:line: what", sorted. Return: how many. */
size_t policy_set_print_errors(struct policy_set *set, FILE *out);

/* policy_set_destroy - takes all that the set holds, half-built ones too. */
void policy_set_destroy(struct policy_set *set);

/* policy_set_find - the policy of a thread, NULL if there is none. */
const struct policy *policy_set_find(const struct policy_set *set,
				     const char *name);

/*
 * policy_set_rules - the rules in force for one architecture: the policy's
 * own, then those of its includes, without what an unconditional rule makes
 * pointless. Gives an array (free it) of borrowed rules, NULL at the end.
 * Return: 0; -ENOMEM.
 */
int policy_set_rules(const struct policy_set *set, const struct policy *policy,
		     enum policy_arch arch,
		     const struct policy_rule ***ret_rules);

/* policy_constant_find - Return: false if the name has no value on arch. */
bool policy_constant_find(const struct policy_set *set, const char *name,
			  size_t name_len, enum policy_arch arch,
			  uint64_t *ret_value);

/* policy_error - record one error; beyond a bound they are only counted. */
void policy_error(struct policy_set *set, const char *file, unsigned line,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* policy_term_equal - do both ask the same of every argument? */
bool policy_term_equal(const struct policy_term *a,
		       const struct policy_term *b);

/* policy_arch_name - "x86_64" or "aarch64". */
const char *policy_arch_name(enum policy_arch arch);

/* policy_arch_find - Return: false if no architecture has that name. */
bool policy_arch_find(const char *name, size_t name_len,
		      enum policy_arch *ret_arch);

#endif
