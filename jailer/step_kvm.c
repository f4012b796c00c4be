/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "jailer/identity.h"
#include "launch/exit_status.h"

#define KVM_PATH  "/dev/kvm"
#define KVM_MAJOR 10 /* Linux Documentation/admin-guide/devices.txt */
#define KVM_MINOR 232

static int kvm_plan(struct plan *plan, struct err *err)
{
	(void)err;
	return handoff_add(&plan->handoff, plan->launch_fd++, "kvm");
}

/* Which of the three usual reasons: no KVM, no right, or not our business. */
static int explain_refusal(int errnum, struct err *err)
{
	char group[CONFIG_USER_MAX];
	struct stat st;

	if (errnum == ENOENT || errnum == ENXIO || errnum == ENODEV)
		return err_say(err, errnum,
			       "no %s: KVM is off in the firmware, or the "
			       "module kvm_intel or kvm_amd is not loaded",
			       KVM_PATH);
	if ((errnum != EACCES && errnum != EPERM) || stat(KVM_PATH, &st) < 0)
		return err_set(err, errnum, "open %s", KVM_PATH);
	identity_group_name(IDENTITY_GROUP, st.st_gid, group, sizeof(group));
	return err_say(err, errnum,
		       "no permission to open %s (mode %04o, group %s): add "
		       "the user to that group and log in again",
		       KVM_PATH, (unsigned)st.st_mode & 07777U, group);
}

static int kvm_apply(struct jail *jail, struct err *err)
{
	struct stat st;
	cleanup_fd int fd = open(KVM_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return explain_refusal(errno, err);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s", KVM_PATH);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(KVM_MAJOR, KVM_MINOR))
		return err_say(err, ENODEV,
			       "%s is not the KVM device (character %d:%d)",
			       KVM_PATH, KVM_MAJOR, KVM_MINOR);
	return jail_give(jail, fd_steal(&fd), "kvm");
}

static void kvm_describe(const struct plan *plan, struct buf *out)
{
	(void)plan;
	buf_printf(out, "open %s for reading and writing\n", KVM_PATH);
}

const struct jail_step step_kvm = {
	.name = "kvm",
	.status = EXIT_STATUS_HOST,
	.plan = kvm_plan,
	.apply = kvm_apply,
	.describe = kvm_describe,
};
