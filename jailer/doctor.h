/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor - can this host run microVMs, and how is it mended? A table of
 * checks; each looks (and changes nothing) and gives a verdict, a finding in
 * one line and, when all is not well, the command that mends it.
 *
 *	DOCTOR_OK	fine
 *	DOCTOR_WARN	microVMs run; something is slower, weaker or missing
 *	DOCTOR_FAIL	no microVM can run Linux here
 *
 * Files are read below struct doctor's root, which is "" but in tests.
 * Thread: one at a time (a check may fork, and uses SIGALRM).
 */
#ifndef KILN_JAILER_DOCTOR_H
#define KILN_JAILER_DOCTOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DOCTOR_TEXT_MAX 256
#define DOCTOR_FIX_MAX  512

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL,
	DOCTOR_VERDICT_COUNT
};

struct doctor {
	const char *root; /* borrowed; before every absolute path */
	uid_t uid;        /* who asks */
};

struct doctor_finding {
	enum doctor_verdict verdict;
	char text[DOCTOR_TEXT_MAX];
	char fix[DOCTOR_FIX_MAX]; /* "": the remedy of the check */
};

struct doctor_check {
	const char *name;
	const char *what; /* the question that it answers */
	void (*run)(const struct doctor *doctor, struct doctor_finding *ret);
	const char *remedy; /* of everything that has no better one */
};

/* The table, in the order of the report; ends in a row without a name. */
extern const struct doctor_check doctor_checks[];

/* doctor_find - NULL when there is no such check. */
const struct doctor_check *doctor_find(const char *name);

/* doctor_run - a finding that is not ok has a fix afterwards. */
void doctor_run(const struct doctor *doctor, const struct doctor_check *check,
		struct doctor_finding *ret);

/* doctor_verdict_name - "ok", "warn", "FAIL". */
const char *doctor_verdict_name(enum doctor_verdict verdict);

/* What checks are made of: verdict and finding; the fix; a file's text. */
void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void doctor_fix(struct doctor_finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* doctor_path - root and path. Return: 0; -ENAMETOOLONG. */
int doctor_path(const struct doctor *doctor, const char *path, char *out,
		size_t size_bytes);

/*
 * doctor_read - the start of a file, as much as fits, without the newlines at
 * its end. Return: 0; -errno, and out is "".
 */
int doctor_read(const struct doctor *doctor, const char *path, char *out,
		size_t size_bytes);

/* doctor_read_number - a file of one decimal number; -ENOENT, -EINVAL. */
int doctor_read_number(const struct doctor *doctor, const char *path,
		       uint64_t *ret_value);

/* doctor_kernel_version - of the running kernel, 6.1 as 601; 0: unknown. */
unsigned doctor_kernel_version(const struct doctor *doctor);

/* The checks, by the file that they are in: doctor_kvm.c */
void doctor_check_kvm(const struct doctor *doctor, struct doctor_finding *ret);
void doctor_check_capabilities(const struct doctor *doctor,
			       struct doctor_finding *ret);
void doctor_check_linux(const struct doctor *doctor,
			struct doctor_finding *ret);

void doctor_check_tun(const struct doctor *doctor, struct doctor_finding *ret);

/* doctor_jail.c */
void doctor_check_kernel(const struct doctor *doctor,
			 struct doctor_finding *ret);
void doctor_check_seccomp(const struct doctor *doctor,
			  struct doctor_finding *ret);
void doctor_check_hugepages(const struct doctor *doctor,
			    struct doctor_finding *ret);

/* doctor_cgroup.c */
void doctor_check_cgroup(const struct doctor *doctor,
			 struct doctor_finding *ret);
void doctor_check_delegation(const struct doctor *doctor,
			     struct doctor_finding *ret);

/* doctor_namespaces.c */
void doctor_check_namespaces(const struct doctor *doctor,
			     struct doctor_finding *ret);

/* How far a new user namespace got. */
enum doctor_stage {
	DOCTOR_STAGE_USER,  /* unshare(CLONE_NEWUSER) */
	DOCTOR_STAGE_MOUNT, /* a mount namespace and a mount in it */
	DOCTOR_STAGE_DONE,
};

/* doctor_explain_namespaces - errnum: why the stage failed. */
void doctor_explain_namespaces(const struct doctor *doctor,
			       enum doctor_stage stage, int errnum,
			       struct doctor_finding *ret);

/* doctor_hardening.c */
void doctor_check_smt(const struct doctor *doctor, struct doctor_finding *ret);
void doctor_check_ksm(const struct doctor *doctor, struct doctor_finding *ret);
void doctor_check_swap(const struct doctor *doctor, struct doctor_finding *ret);
void doctor_check_processor(const struct doctor *doctor,
			    struct doctor_finding *ret);
void doctor_check_core_pattern(const struct doctor *doctor,
			       struct doctor_finding *ret);
void doctor_check_start_time(const struct doctor *doctor,
			     struct doctor_finding *ret);

#endif
