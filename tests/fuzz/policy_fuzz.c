/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of seccomp policies: any bytes, as a policy that is included by
 * another, beside a file of constants made of the same bytes.
 */
#include "profiles/compiler/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char includer[] = "default kill\ninclude t\n";
	const char *text = (const char *)data;
	struct policy_set set = {0};
	const struct policy_rule **rules;
	FILE *sink = fopen("/dev/null", "we");

	if (sink == NULL ||
	    policy_set_add(&set, "constants", "const A = 1\n", 12) < 0 ||
	    policy_set_add(&set, "t.policy", text, size) < 0 ||
	    policy_set_add(&set, "more", text, size) < 0 ||
	    policy_set_add(&set, "i.policy", includer, sizeof(includer) - 1) <
		    0 ||
	    policy_set_resolve(&set) < 0)
		abort();
	for (size_t i = 0; i < set.policy_count; i++) {
		if (policy_set_rules(&set, &set.policies[i], POLICY_AARCH64,
				     &rules) < 0)
			abort();
		free(rules);
	}
	(void)policy_set_print_errors(&set, sink);
	(void)fclose(sink);
	policy_set_destroy(&set);
	return 0;
}
