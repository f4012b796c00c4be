/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/compiler/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* SECCOMP_CTL_OPTIMIZE: 2 is the binary tree, 1 the chain. */
#define OPTIMIZE_TREE 2

uint32_t filter_arch_token(enum policy_arch arch)
{
	static const uint32_t tokens[POLICY_ARCH_COUNT] = {
		[POLICY_X86_64] = SCMP_ARCH_X86_64,
		[POLICY_AARCH64] = SCMP_ARCH_AARCH64,
	};

	return tokens[arch];
}

static uint32_t action_of(const struct policy *policy, bool log)
{
	if (log)
		return SCMP_ACT_LOG;
	return policy->fallback == POLICY_DEFAULT_TRAP ? SCMP_ACT_TRAP
						       : SCMP_ACT_KILL_PROCESS;
}

/* A context starts with the build host's architecture, wanted or not. */
static int context_set_arch(scmp_filter_ctx ctx, uint32_t token)
{
	int r;

	if (token == seccomp_arch_native())
		return 0;
	r = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
	return r < 0 ? r : seccomp_arch_add(ctx, token);
}

static int context_prepare(scmp_filter_ctx ctx, uint32_t token)
{
	int r = context_set_arch(ctx, token);

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
				     SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE,
				     OPTIMIZE_TREE);
	return r;
}

static int add_term(scmp_filter_ctx ctx, int nr, const struct policy_term *term)
{
	struct scmp_arg_cmp cmps[POLICY_ARGS];
	int r;

	for (unsigned i = 0; i < term->count; i++) {
		const struct policy_cond *cond = &term->conds[i];
		bool whole = cond->mask == UINT64_MAX;

		cmps[i] = (struct scmp_arg_cmp){
			.arg = cond->arg,
			.op = whole ? SCMP_CMP_EQ : SCMP_CMP_MASKED_EQ,
			.datum_a = whole ? cond->value : cond->mask,
			.datum_b = whole ? 0 : cond->value,
		};
	}
	r = seccomp_rule_add_exact_array(ctx, SCMP_ACT_ALLOW, nr, term->count,
					 cmps);
	/* Two included policies may say the same. */
	return r == -EEXIST ? 0 : r;
}

/*
 * libseccomp wants the build host's number of a call, or its own negative one
 * where that has none, and translates it to the filter's architecture: a
 * number of the target would silently become another call.
 */
static int add_rule(scmp_filter_ctx ctx, const struct policy_rule *rule,
		    enum policy_arch arch)
{
	static const struct policy_term always = {0};
	const struct policy_test *test = &rule->tests[arch];
	int nr = seccomp_syscall_resolve_name(rule->syscall);
	int r = 0;

	if (test->count == 0)
		return add_term(ctx, nr, &always);
	for (size_t i = 0; i < test->count && r == 0; i++)
		r = add_term(ctx, nr, &test->terms[i]);
	return r;
}

/* libseccomp exports to a descriptor only. */
static int context_export(scmp_filter_ctx ctx, struct filter *ret_filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter *insns = NULL;
	off_t size;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	size = lseek(fd, 0, SEEK_END);
	if (r == 0 && size <= 0)
		r = -EIO;
	if (r == 0 && (insns = malloc((size_t)size)) == NULL)
		r = -ENOMEM;
	if (r == 0 && pread(fd, insns, (size_t)size, 0) != size)
		r = -EIO;
	(void)close(fd);
	if (r < 0) {
		free(insns);
		return r;
	}
	ret_filter->insns = insns;
	ret_filter->count = (size_t)size / sizeof(*insns);
	return 0;
}

int filter_build(struct policy_set *set, const struct policy *policy,
		 enum policy_arch arch, bool log, struct filter *ret_filter)
{
	const struct policy_rule **rules;
	scmp_filter_ctx ctx;
	int r = policy_set_rules(set, policy, arch, &rules);

	if (r < 0)
		return r;
	ctx = seccomp_init(action_of(policy, log));
	r = ctx == NULL ? -ENOMEM
			: context_prepare(ctx, filter_arch_token(arch));
	for (size_t i = 0; r == 0 && rules[i] != NULL; i++) {
		r = add_rule(ctx, rules[i], arch);
		if (r < 0)
			policy_error(set, rules[i]->file, rules[i]->line,
				     "libseccomp refuses '%s %s' for %s: %s",
				     rules[i]->syscall, rules[i]->text,
				     policy_arch_name(arch), strerror(-r));
	}
	if (r == 0)
		r = context_export(ctx, ret_filter);
	seccomp_release(ctx);
	free(rules);
	return r;
}

void filter_destroy(struct filter *filter)
{
	free(filter->insns);
	*filter = (struct filter){0};
}
