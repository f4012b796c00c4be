/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/fd.h"
#include "jailer/doctor_guest.h"
#include "jailer/identity.h"

#define DEVICE         "/dev/kvm"
#define API_VERSION    12 /* Documentation/virt/kvm/api.rst, 4.1 */
#define NAME_MAX_BYTES 64
#define CPUINFO_BYTES  8192 /* the first processor's part is shorter */

/* What the VMM asks for; a lint compares it with the VMM's own lists. */
static const struct {
	unsigned long number;
	const char *name;
} capabilities[] = {
	{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
	{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
	{KVM_CAP_IRQFD, "KVM_CAP_IRQFD"},
	{KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD"},
	{KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
	{KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
	{KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
	{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
	{KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP"},
	{KVM_CAP_TSC_DEADLINE_TIMER, "KVM_CAP_TSC_DEADLINE_TIMER"},
};

static bool processor_has(const char *cpuinfo, const char *flag)
{
	const char *flags = strstr(cpuinfo, "\nflags");
	const char *end = flags == NULL ? NULL : strchr(flags + 1, '\n');
	const char *at = flags == NULL ? NULL : strstr(flags, flag);

	return at != NULL && (end == NULL || at < end);
}

/* No device: no driver, or a processor that has nothing to drive. */
static void say_missing(const struct doctor *doctor, struct doctor_finding *ret)
{
	char cpuinfo[CPUINFO_BYTES];

	doctor_say(ret, DOCTOR_FAIL, "no %s", DEVICE);
	(void)doctor_read(doctor, "/proc/cpuinfo", cpuinfo, sizeof(cpuinfo));
	if (processor_has(cpuinfo, " vmx"))
		doctor_fix(ret, "modprobe kvm_intel");
	else if (processor_has(cpuinfo, " svm"))
		doctor_fix(ret, "modprobe kvm_amd");
	else
		doctor_fix(ret,
			   "the processor shows no virtualisation: switch on "
			   "VT-x or AMD-V in the firmware, or nested "
			   "virtualisation in the hypervisor above");
}

static void user_name(const struct doctor *doctor, char *out, size_t size_bytes)
{
	char path[PATH_MAX];
	const struct passwd *row;
	FILE *file;

	(void)snprintf(out, size_bytes, "%u", (unsigned)doctor->uid);
	if (doctor_path(doctor, IDENTITY_PASSWD, path, sizeof(path)) < 0)
		return;
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while ((row = fgetpwent(file)) != NULL) {
		if (row->pw_uid != doctor->uid)
			continue;
		(void)snprintf(out, size_bytes, "%s", row->pw_name);
		break;
	}
	(void)fclose(file);
}

/* It is there and may not be opened: who may, and how to become one. */
static void say_refused(const struct doctor *doctor, const char *device,
			int errnum, struct doctor_finding *ret)
{
	char user[NAME_MAX_BYTES], group[NAME_MAX_BYTES], path[PATH_MAX];
	struct stat st;

	user_name(doctor, user, sizeof(user));
	if (doctor_path(doctor, device, path, sizeof(path)) < 0 ||
	    stat(path, &st) < 0)
		st = (struct stat){0};
	identity_group_name(IDENTITY_GROUP, st.st_gid, group, sizeof(group));
	doctor_say(ret, ret->verdict,
		   "open %s: %s; you are %s, it is of group %s with mode %04o",
		   device, strerror(errnum), user, group,
		   (unsigned)st.st_mode & 07777);
	if (st.st_gid != 0 && (st.st_mode & 060) == 060)
		doctor_fix(ret, "usermod -aG %s %s   (then log in again)",
			   group, user);
	else
		doctor_fix(ret, "setfacl -m u:%s:rw %s", user, device);
}

/* Gives an open KVM, or -1 and a finding. */
static int open_kvm(const struct doctor *doctor, struct doctor_finding *ret)
{
	char path[PATH_MAX];
	int fd, version;

	ret->verdict = DOCTOR_FAIL;
	if (doctor_path(doctor, DEVICE, path, sizeof(path)) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		if (errno == EACCES || errno == EPERM)
			say_refused(doctor, DEVICE, errno, ret);
		else if (errno == ENOENT)
			say_missing(doctor, ret);
		else
			doctor_say(ret, DOCTOR_FAIL, "open %s: %s", DEVICE,
				   strerror(errno));
		return -1;
	}
	version = fd_ioctl_number(fd, KVM_GET_API_VERSION, 0);
	if (version == API_VERSION)
		return fd;
	if (version < 0)
		doctor_say(ret, DOCTOR_FAIL, "%s is not KVM: %s", DEVICE,
			   strerror(-version));
	else
		doctor_say(ret, DOCTOR_FAIL, "KVM has API version %d, not %d",
			   version, API_VERSION);
	fd_close(&fd);
	return -1;
}

void doctor_check_kvm(const struct doctor *doctor, struct doctor_finding *ret)
{
	cleanup_fd int fd = open_kvm(doctor, ret);

	if (fd >= 0)
		doctor_say(ret, DOCTOR_OK, "%s can be opened, API version %d",
			   DEVICE, API_VERSION);
}

void doctor_check_capabilities(const struct doctor *doctor,
			       struct doctor_finding *ret)
{
	char missing[DOCTOR_TEXT_MAX / 2] = "";
	struct buf list;
	cleanup_fd int fd = open_kvm(doctor, ret);

	if (fd < 0)
		return;
	buf_init(&list, missing, sizeof(missing));
	for (size_t i = 0; i < ARRAY_LEN(capabilities); i++) {
		if (fd_ioctl_number(fd, KVM_CHECK_EXTENSION,
				    capabilities[i].number) <= 0)
			buf_printf(&list, " %s", capabilities[i].name);
	}
	if (list.len == 0)
		doctor_say(ret, DOCTOR_OK, "all %zu that kiln-vmm uses",
			   ARRAY_LEN(capabilities));
	else
		doctor_say(ret, DOCTOR_FAIL, "this KVM lacks%s", missing);
}

void doctor_check_linux(const struct doctor *doctor, struct doctor_finding *ret)
{
	struct err err = {0};
	unsigned steps = 0;
	int r;
	cleanup_fd int fd = open_kvm(doctor, ret);

	if (fd < 0)
		return;
	r = doctor_guest_run(fd, &steps, &err);
	if (r == 0)
		doctor_say(ret, DOCTOR_OK,
			   "able to run Linux: %u kinds of kernel instructions "
			   "passed",
			   steps);
	else if (r == -ENOTSUP)
		doctor_say(ret, DOCTOR_FAIL,
			   "this KVM emulates guest kernel mode and cannot run "
			   "Linux: %.100s",
			   err.msg);
	else
		doctor_say(ret, DOCTOR_FAIL,
			   "this KVM cannot run Linux: %.150s", err.msg);
}

void doctor_check_tun(const struct doctor *doctor, struct doctor_finding *ret)
{
	static const char device[] = "/dev/net/tun";
	char path[PATH_MAX];

	ret->verdict = DOCTOR_WARN;
	if (doctor_path(doctor, device, path, sizeof(path)) < 0)
		return;
	cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		doctor_say(ret, DOCTOR_OK, "%s can be opened", device);
	else if (errno == EACCES || errno == EPERM)
		say_refused(doctor, device, errno, ret);
	else
		doctor_say(ret, DOCTOR_WARN, "open %s: %s; no [net]", device,
			   strerror(errno));
}
