/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fd.h"
#include "base/parse.h"

const struct doctor_check doctor_checks[] = {
	{"kernel", "is the kernel new enough?", doctor_check_kernel,
	 "apt-get install linux-image-amd64 && reboot"},
	{"kvm", "is /dev/kvm there, and may this user use it?",
	 doctor_check_kvm, "modprobe kvm_intel || modprobe kvm_amd"},
	{"capabilities", "does KVM offer what kiln-vmm uses?",
	 doctor_check_capabilities,
	 "apt-get install linux-image-amd64 && reboot"},
	{"linux", "is this KVM able to run Linux?", doctor_check_linux,
	 "use a host with hardware or nested virtualisation; to try kiln "
	 "nevertheless, in an emulated machine: tests/lab/run -- build/kiln "
	 "run FILE"},
	{"namespaces", "may this user make user namespaces and mount in them?",
	 doctor_check_namespaces, "sysctl -w user.max_user_namespaces=15000"},
	{"seccomp", "does the kernel have the filter actions of the jail?",
	 doctor_check_seccomp, "apt-get install linux-image-amd64 && reboot"},
	{"cgroup", "is there cgroup v2 with the controllers of [cgroup]?",
	 doctor_check_cgroup,
	 "add 'systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all' to "
	 "GRUB_CMDLINE_LINUX in /etc/default/grub, then: update-grub && "
	 "reboot"},
	{"delegation", "may this user make control groups?",
	 doctor_check_delegation,
	 "systemd-run --user --scope -p Delegate=yes -- kiln run FILE"},
	{"tun", "may this user open /dev/net/tun, for [net]?", doctor_check_tun,
	 "modprobe tun"},
	{"hugepages", "are there huge pages, for huge_pages?",
	 doctor_check_hugepages, "sysctl -w vm.nr_hugepages=512"},
	{"smt", "do untrusted guests share cores?", doctor_check_smt,
	 "echo off > /sys/devices/system/cpu/smt/control"},
	{"ksm", "are equal pages of guests merged?", doctor_check_ksm,
	 "echo 2 > /sys/kernel/mm/ksm/run"},
	{"swap", "can memory of guests end up on a disk?", doctor_check_swap,
	 "swapoff -a"},
	{"processor", "is the processor free of known leaks?",
	 doctor_check_processor,
	 "apt-get install amd64-microcode intel-microcode && reboot"},
	{"core-pattern", "where do core dumps go?", doctor_check_core_pattern,
	 "sysctl -w kernel.core_pattern=core"},
	{"start-time", "is there a known cause of slow starts?",
	 doctor_check_start_time,
	 "mount -o remount,favordynmods /sys/fs/cgroup"},
	{NULL, NULL, NULL, NULL},
};

const struct doctor_check *doctor_find(const char *name)
{
	for (const struct doctor_check *c = doctor_checks; c->name != NULL;
	     c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

void doctor_run(const struct doctor *doctor, const struct doctor_check *check,
		struct doctor_finding *ret)
{
	*ret = (struct doctor_finding){.verdict = DOCTOR_FAIL};
	check->run(doctor, ret);
	if (ret->verdict == DOCTOR_OK)
		ret->fix[0] = '\0';
	else if (ret->fix[0] == '\0')
		doctor_fix(ret, "%s", check->remedy);
}

const char *doctor_verdict_name(enum doctor_verdict verdict)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "FAIL",
	};

	_Static_assert(ARRAY_LEN(names) == DOCTOR_VERDICT_COUNT,
		       "one name for each verdict");
	return names[verdict];
}

void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict,
		const char *fmt, ...)
{
	va_list args;

	finding->verdict = verdict;
	va_start(args, fmt);
	(void)vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

void doctor_fix(struct doctor_finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(finding->fix, sizeof(finding->fix), fmt, args);
	va_end(args);
}

int doctor_path(const struct doctor *doctor, const char *path, char *out,
		size_t size_bytes)
{
	int len = snprintf(out, size_bytes, "%s%s", doctor->root, path);

	return len < 0 || (size_t)len >= size_bytes ? -ENAMETOOLONG : 0;
}

int doctor_read(const struct doctor *doctor, const char *path, char *out,
		size_t size_bytes)
{
	char full[PATH_MAX];
	ssize_t len;

	out[0] = '\0';
	if (doctor_path(doctor, path, full, sizeof(full)) < 0)
		return -ENAMETOOLONG;
	cleanup_fd int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	len = read(fd, out, size_bytes - 1);
	if (len < 0)
		return -errno;
	while (len > 0 && out[len - 1] == '\n')
		len--;
	out[len] = '\0';
	return 0;
}

int doctor_read_number(const struct doctor *doctor, const char *path,
		       uint64_t *ret_value)
{
	char text[32];
	int r = doctor_read(doctor, path, text, sizeof(text));

	return r < 0 ? r : parse_u64(text, ret_value);
}

unsigned doctor_kernel_version(const struct doctor *doctor)
{
	char text[64];
	char *end;
	unsigned long major, minor;

	if (doctor_read(doctor, "/proc/sys/kernel/osrelease", text,
			sizeof(text)) < 0)
		return 0;
	major = strtoul(text, &end, 10);
	if (*end != '.' || major == 0 || major > 1000)
		return 0;
	minor = strtoul(end + 1, &end, 10);
	return minor > 99 ? 0 : (unsigned)(major * 100 + minor);
}
