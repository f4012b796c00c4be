/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All five sets empty, and no way for an execve() to fill them (capabilities(7)
 * on securebits). libcap-ng does this too, but reads /proc on the way, which
 * the child no longer has.
 */
#include "jailer/steps.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/exit_status.h"

#define LOCKED_BITS                                                            \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |       \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |             \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

#define CAPABILITIES_MAX 64 /* bits in the sets */

/* The kernel may know more capabilities than our headers: up to EINVAL. */
static int empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap < CAPABILITIES_MAX; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0UL, 0UL, 0UL) == 0)
			continue;
		return errno == EINVAL && cap > CAP_SETPCAP ? 0 : -errno;
	}
	return 0;
}

static int capabilities_enter(struct jail *jail, const char **what)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {0};
	int r;

	(void)jail;
	*what = "drop the bounding set";
	r = empty_bounding_set();
	if (r < 0)
		return r;
	*what = "clear the ambient set";
	if (prctl(PR_CAP_AMBIENT, (unsigned long)PR_CAP_AMBIENT_CLEAR_ALL, 0UL,
		  0UL, 0UL) < 0)
		return -errno;
	*what = "lock the securebits";
	if (prctl(PR_SET_SECUREBITS, (unsigned long)LOCKED_BITS, 0UL, 0UL,
		  0UL) < 0)
		return -errno;
	*what = "capset";
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static void capabilities_describe(const struct plan *plan, struct buf *out)
{
	(void)plan;
	buf_puts(out, "no capability: effective, permitted, inheritable, "
		      "bounding and ambient sets empty; securebits locked\n");
}

const struct jail_step step_capabilities = {
	.name = "capabilities",
	.status = EXIT_STATUS_JAIL,
	.enter = capabilities_enter,
	.describe = capabilities_describe,
};
