/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of `kiln doctor` that read files, over a directory that stands
 * for the root of a host.
 */
#include "jailer/doctor.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/array.h"

static char root[] = "/tmp/kiln-doctor-XXXXXX";

/* One file of a host and what a check says of it. NULL content: no file. */
struct row {
	const char *check, *path, *content;
	enum doctor_verdict verdict;
	const char *says, *fix; /* NULL: not looked at */
};

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *ftw)
{
	(void)st;
	(void)kind;
	return ftw->level == 0 ? 0 : remove(path);
}

static int empty_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *content)
{
	char full[512];
	FILE *file;

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + sizeof(root); (at = strchr(at, '/')) != NULL;
	     at++) {
		*at = '\0';
		(void)mkdir(full, 0755);
		*at = '/';
	}
	file = fopen(full, "we");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void examine(const char *name, uid_t uid, struct doctor_finding *ret)
{
	const struct doctor doctor = {.root = root, .uid = uid};
	const struct doctor_check *check = doctor_find(name);

	assert_non_null(check);
	doctor_run(&doctor, check, ret);
}

static void expect(const struct doctor_finding *finding,
		   enum doctor_verdict verdict, const char *says,
		   const char *fix)
{
	if (finding->verdict != verdict ||
	    (says != NULL && strstr(finding->text, says) == NULL) ||
	    (fix != NULL && strstr(finding->fix, fix) == NULL))
		fail_msg("%s: '%s', fix '%s'; not %s: '%s', fix '%s'",
			 doctor_verdict_name(finding->verdict), finding->text,
			 finding->fix, doctor_verdict_name(verdict),
			 says == NULL ? "*" : says, fix == NULL ? "*" : fix);
	assert_int_equal(finding->fix[0] == '\0', verdict == DOCTOR_OK);
}

#define OSRELEASE "/proc/sys/kernel/osrelease"
#define ACTIONS   "/proc/sys/kernel/seccomp/actions_avail"
#define SMT       "/sys/devices/system/cpu/smt/active"
#define LEAK      "/sys/devices/system/cpu/vulnerabilities/retbleed"

static void one_file_decides(void **state)
{
	static const struct row rows[] = {
		{"kernel", OSRELEASE, "5.14.0-70.el9\n", DOCTOR_OK,
		 "Linux 5.14", NULL},
		{"kernel", OSRELEASE, "5.13.19\n", DOCTOR_FAIL,
		 "Linux 5.13 is older than 5.14", NULL},
		{"kernel", OSRELEASE, "6.1.0\n", DOCTOR_OK, "Linux 6.1", NULL},
		{"kernel", OSRELEASE, "4.19.0\n", DOCTOR_FAIL, NULL, NULL},
		{"kernel", OSRELEASE, "nonsense\n", DOCTOR_FAIL, "not say",
		 NULL},
		{"kernel", OSRELEASE, NULL, DOCTOR_FAIL, "not say", NULL},
		{"seccomp", ACTIONS, "kill_process kill_thread trap log allow",
		 DOCTOR_OK, NULL, NULL},
		{"seccomp", ACTIONS, "kill_thread trap log allow", DOCTOR_FAIL,
		 "'kill_process'", NULL},
		{"seccomp", ACTIONS, NULL, DOCTOR_FAIL, "No such file", NULL},
		{"smt", SMT, "1\n", DOCTOR_WARN, "on", "smt/control"},
		{"smt", SMT, "0\n", DOCTOR_OK, "off", NULL},
		{"smt", SMT, NULL, DOCTOR_OK, "off", NULL},
		{"ksm", "/sys/kernel/mm/ksm/run", "1\n", DOCTOR_WARN, NULL,
		 NULL},
		{"ksm", "/sys/kernel/mm/ksm/run", "2\n", DOCTOR_OK, NULL, NULL},
		{"swap", "/proc/swaps", "Filename Type Size\n", DOCTOR_OK, NULL,
		 NULL},
		{"swap", "/proc/swaps", "Filename Type\n/dev/sda2 partition\n",
		 DOCTOR_WARN, "on (/dev/sda2)", "swapoff"},
		{"processor", LEAK, "Vulnerable: no microcode\n", DOCTOR_WARN,
		 "to retbleed", NULL},
		{"processor", LEAK, "Mitigation: IBPB\n", DOCTOR_OK, NULL,
		 NULL},
		{"processor", LEAK, NULL, DOCTOR_OK, NULL, NULL},
		{"core-pattern", "/proc/sys/kernel/core_pattern", "core\n",
		 DOCTOR_OK, NULL, NULL},
		{"core-pattern", "/proc/sys/kernel/core_pattern",
		 "|/lib/systemd/systemd-coredump %P\n", DOCTOR_WARN,
		 "'/lib/systemd/systemd-coredump'", "core_pattern=core"},
		{"hugepages", "/none", "", DOCTOR_WARN, NULL, NULL},
		{"kvm", "/proc/cpuinfo", "model: x\nflags\t: fpu vmx sse\n",
		 DOCTOR_FAIL, "no /dev/kvm", "modprobe kvm_intel"},
		{"kvm", "/proc/cpuinfo", "model: x\nflags\t: fpu svm sse\n",
		 DOCTOR_FAIL, "no /dev/kvm", "modprobe kvm_amd"},
		{"kvm", "/proc/cpuinfo",
		 "m: x\nflags\t: fpu\nvmx flags\t: vmx\n", DOCTOR_FAIL, NULL,
		 "VT-x"},
		{"kvm", "/dev/kvm", "a file", DOCTOR_FAIL, "is not KVM", NULL},
		{"linux", "/dev/kvm", "a file", DOCTOR_FAIL, "is not KVM",
		 NULL},
		{"capabilities", "/none", "", DOCTOR_FAIL, "no /dev/kvm", NULL},
		{"tun", "/none", "", DOCTOR_WARN, "no [net]", "modprobe tun"},
		{"cgroup", "/none", "", DOCTOR_WARN, "not mounted",
		 "mount -t cgroup2"},
		{"cgroup", "/sys/fs/cgroup/cgroup.controllers",
		 "cpu io memory pids\n", DOCTOR_OK, NULL, NULL},
		{"cgroup", "/sys/fs/cgroup/unified/cgroup.controllers",
		 "cpu cpuset\n", DOCTOR_WARN, "unified lacks memory pids ",
		 "cgroup_no_v1=all"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_finding finding;

		assert_int_equal(empty_root(state), 0);
		if (rows[i].content != NULL)
			put(rows[i].path, rows[i].content);
		examine(rows[i].check, 0, &finding);
		expect(&finding, rows[i].verdict, rows[i].says, rows[i].fix);
	}
}

static void huge_pages_that_are_all_in_use_are_told(void **state)
{
	static const char folder[] = "/sys/kernel/mm/hugepages/"
				     "hugepages-2048kB/";
	struct doctor_finding finding;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%snr_hugepages", folder);
	put(path, "8\n");
	(void)snprintf(path, sizeof(path), "%sfree_hugepages", folder);
	put(path, "3\n");
	examine("hugepages", 0, &finding);
	expect(&finding, DOCTOR_OK, "3 of 8", NULL);
	put(path, "0\n");
	examine("hugepages", 0, &finding);
	expect(&finding, DOCTOR_WARN, "all 8", NULL);
}

static void mitigations_that_are_switched_off_are_the_cause(void **state)
{
	struct doctor_finding finding;

	(void)state;
	put(LEAK, "Vulnerable\n");
	put("/proc/cmdline", "quiet mitigations=off\n");
	examine("processor", 0, &finding);
	expect(&finding, DOCTOR_WARN, NULL, "take 'mitigations=off' out");
}

static void delegation_is_asked_of_the_own_group(void **state)
{
	struct doctor_finding finding;

	(void)state;
	put("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
	put("/proc/self/cgroup", "1:name=systemd:/x\n0::/user/a\n");
	examine("delegation", 1000, &finding);
	expect(&finding, DOCTOR_WARN, "/sys/fs/cgroup/user/a/cgroup.procs",
	       "Delegate=yes");
	put("/sys/fs/cgroup/user/a/cgroup.procs", "");
	examine("delegation", 1000, &finding);
	expect(&finding, DOCTOR_WARN, "cgroup.subtree_control", NULL);
	put("/sys/fs/cgroup/user/a/cgroup.subtree_control", "");
	examine("delegation", 1000, &finding);
	expect(&finding, DOCTOR_OK, "below /sys/fs/cgroup/user/a", NULL);
	put("/proc/self/cgroup", "1:name=systemd:/x\n");
	examine("delegation", 1000, &finding);
	expect(&finding, DOCTOR_WARN, "in no cgroup v2", NULL);
}

static void slow_starts_have_a_known_cause(void **state)
{
	static const struct {
		const char *release, *pages, *mounts;
		enum doctor_verdict verdict;
	} rows[] = {
		{"6.1.0", "Y", "cgroup2 /sys/fs/cgroup rw", DOCTOR_WARN},
		{"6.12.9", "auto", "cgroup2 /sys/fs/cgroup rw", DOCTOR_WARN},
		{"6.13.0", "Y", "cgroup2 /sys/fs/cgroup rw", DOCTOR_OK},
		{"5.19.0", "Y", "cgroup2 /sys/fs/cgroup rw", DOCTOR_OK},
		{"6.1.0", "never", "cgroup2 /sys/fs/cgroup rw", DOCTOR_OK},
		{"6.1.0", "Y", "cgroup2 / rw,favordynmods", DOCTOR_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_finding finding;

		put(OSRELEASE, rows[i].release);
		put("/sys/module/kvm/parameters/nx_huge_pages", rows[i].pages);
		put("/proc/mounts", rows[i].mounts);
		examine("start-time", 0, &finding);
		expect(&finding, rows[i].verdict, NULL, NULL);
	}
}

static void namespaces_name_the_switch_that_forbids(void **state)
{
	static const struct {
		const char *path, *content;
		enum doctor_stage stage;
		int errnum;
		const char *says, *fix;
	} rows[] = {
		{"/proc/sys/user/max_user_namespaces", "0\n", DOCTOR_STAGE_USER,
		 ENOSPC, "user.max_user_namespaces is 0",
		 "sysctl -w user.max_user_namespaces="},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0\n",
		 DOCTOR_STAGE_USER, EPERM, "unprivileged_userns_clone is 0",
		 "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		 "1\n", DOCTOR_STAGE_MOUNT, EPERM,
		 "mount in a user namespace: Operation not permitted: AppArmor",
		 "userns, }\\n' > /etc/apparmor.d/kiln && apparmor_parser -r"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		 "0\n", DOCTOR_STAGE_MOUNT, EPERM, "not permitted",
		 "outside this container"},
		{"/none", "", DOCTOR_STAGE_USER, ENOSPC, "make a user",
		 "nested too deeply"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct doctor doctor = {.root = root, .uid = 1000};
		struct doctor_finding finding = {.verdict = DOCTOR_OK};

		assert_int_equal(empty_root(state), 0);
		put(rows[i].path, rows[i].content);
		doctor_explain_namespaces(&doctor, rows[i].stage,
					  rows[i].errnum, &finding);
		expect(&finding, DOCTOR_FAIL, rows[i].says, rows[i].fix);
	}
}

/* Whatever this host is: a row is whole, and a bad finding has its fix. */
static void every_check_answers(void **state)
{
	(void)state;
	for (const struct doctor_check *c = doctor_checks; c->name != NULL;
	     c++) {
		struct doctor_finding finding;
		const struct doctor doctor = {.root = "", .uid = 0};

		assert_true(strlen(c->name) <= 12);
		assert_true(c->what[strlen(c->what) - 1] == '?');
		doctor_run(&doctor, c, &finding);
		assert_string_not_equal(finding.text, "");
		assert_int_equal(finding.fix[0] == '\0',
				 finding.verdict == DOCTOR_OK);
	}
}

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int remove_root(void **state)
{
	return empty_root(state) != 0 ? -1 : remove(root);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_file_decides, empty_root),
		cmocka_unit_test_setup(huge_pages_that_are_all_in_use_are_told,
				       empty_root),
		cmocka_unit_test_setup(
			mitigations_that_are_switched_off_are_the_cause,
			empty_root),
		cmocka_unit_test_setup(delegation_is_asked_of_the_own_group,
				       empty_root),
		cmocka_unit_test_setup(slow_starts_have_a_known_cause,
				       empty_root),
		cmocka_unit_test_setup(namespaces_name_the_switch_that_forbids,
				       empty_root),
		cmocka_unit_test(every_check_answers),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
