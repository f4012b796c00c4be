/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags of the process. Not being dumpable lasts until execveat(), after which
 * it is the VMM's to say.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "base/array.h"
#include "launch/exit_status.h"

/* Linux 6.3; the numbers of include/uapi/linux/prctl.h */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

struct flag {
	const char *what;
	int option;
	unsigned long value;
	bool optional; /* EINVAL: this kernel does not have it */
};

static const struct flag flags[] = {
	{"no_new_privs", PR_SET_NO_NEW_PRIVS, 1, false},
	{"not dumpable", PR_SET_DUMPABLE, 0, false},
	{"no memory both written and executed", PR_SET_MDWE,
	 PR_MDWE_REFUSE_EXEC_GAIN, true},
};

static int flags_enter(struct jail *jail, const char **what)
{
	(void)jail;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		*what = flags[i].what;
		if (prctl(flags[i].option, flags[i].value, 0UL, 0UL, 0UL) < 0 &&
		    !(flags[i].optional && errno == EINVAL))
			return -errno;
	}
	return 0;
}

static void flags_describe(const struct plan *plan, struct buf *out)
{
	(void)plan;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		buf_printf(out, "%s%s\n", flags[i].what,
			   flags[i].optional ? ", if the kernel has it" : "");
}

const struct jail_step step_flags = {
	.name = "flags",
	.status = EXIT_STATUS_JAIL,
	.enter = flags_enter,
	.describe = flags_describe,
};
