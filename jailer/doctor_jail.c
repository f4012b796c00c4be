/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/doctor.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "jailer/cgroup.h"

#define KERNEL_FLOOR 514 /* cgroup.kill came with Linux 5.14 */
#define HUGEPAGES    "/sys/kernel/mm/hugepages/hugepages-2048kB/"

void doctor_check_kernel(const struct doctor *doctor,
			 struct doctor_finding *ret)
{
	unsigned version = doctor_kernel_version(doctor);

	if (version >= KERNEL_FLOOR)
		doctor_say(ret, DOCTOR_OK, "Linux %u.%u", version / 100,
			   version % 100);
	else if (version == 0)
		doctor_say(ret, DOCTOR_FAIL,
			   "/proc/sys/kernel/osrelease does not say which");
	else
		doctor_say(ret, DOCTOR_FAIL, "Linux %u.%u is older than %u.%u",
			   version / 100, version % 100, KERNEL_FLOOR / 100,
			   KERNEL_FLOOR % 100);
}

/* seccomp(2): the actions that the policies in profiles/seccomp end in. */
void doctor_check_seccomp(const struct doctor *doctor,
			  struct doctor_finding *ret)
{
	static const char *const needed[] = {"kill_process", "trap", "log",
					     "allow"};
	char actions[256];
	int r = doctor_read(doctor, "/proc/sys/kernel/seccomp/actions_avail",
			    actions, sizeof(actions));

	if (r < 0) {
		doctor_say(ret, DOCTOR_FAIL,
			   "no seccomp filters: actions_avail: %s",
			   strerror(-r));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (cgroup_word_in(actions, needed[i]))
			continue;
		doctor_say(ret, DOCTOR_FAIL,
			   "seccomp lacks the action '%s' (it has: %.150s)",
			   needed[i], actions);
		return;
	}
	doctor_say(ret, DOCTOR_OK, "filters with the actions %.150s", actions);
}

/* Having none is fine: only machines that ask for them use them. */
void doctor_check_hugepages(const struct doctor *doctor,
			    struct doctor_finding *ret)
{
	uint64_t total, unused;

	if (doctor_read_number(doctor, HUGEPAGES "nr_hugepages", &total) < 0 ||
	    doctor_read_number(doctor, HUGEPAGES "free_hugepages", &unused) < 0)
		doctor_say(ret, DOCTOR_WARN,
			   "the kernel has no huge pages of 2 MiB");
	else if (total > 0 && unused == 0)
		doctor_say(ret, DOCTOR_WARN,
			   "all %llu reserved pages of 2 MiB are in use",
			   (unsigned long long)total);
	else
		doctor_say(ret, DOCTOR_OK,
			   "%llu of %llu reserved pages of "
			   "2 MiB are free",
			   (unsigned long long)unused,
			   (unsigned long long)total);
}
