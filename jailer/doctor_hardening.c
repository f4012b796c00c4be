/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host should look like when its guests do not trust each other, and
 * what is known to slow their starts. Warnings only: a laptop is no fleet.
 */
#include "jailer/doctor.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define LEAKS      "/sys/devices/system/cpu/vulnerabilities"
#define LEAKS_MAX  64 /* files looked at; there are some twenty */
#define FILE_BYTES 4096

void doctor_check_smt(const struct doctor *doctor, struct doctor_finding *ret)
{
	uint64_t active = 0;

	(void)doctor_read_number(doctor, "/sys/devices/system/cpu/smt/active",
				 &active);
	if (active != 0)
		doctor_say(ret, DOCTOR_WARN,
			   "on: guests on one core can spy on each other "
			   "through its caches");
	else
		doctor_say(ret, DOCTOR_OK, "off: no core is shared");
}

void doctor_check_ksm(const struct doctor *doctor, struct doctor_finding *ret)
{
	uint64_t run = 0;

	(void)doctor_read_number(doctor, "/sys/kernel/mm/ksm/run", &run);
	if (run == 1)
		doctor_say(ret, DOCTOR_WARN,
			   "on: a guest can tell by timing which pages others "
			   "have");
	else
		doctor_say(ret, DOCTOR_OK, "off: no pages are merged");
}

/* proc(5): a header, and a line for each swap area. */
void doctor_check_swap(const struct doctor *doctor, struct doctor_finding *ret)
{
	char text[FILE_BYTES];
	const char *first;

	(void)doctor_read(doctor, "/proc/swaps", text, sizeof(text));
	first = strchr(text, '\n');
	if (first == NULL)
		doctor_say(ret, DOCTOR_OK, "off");
	else
		doctor_say(ret, DOCTOR_WARN,
			   "on (%.*s): memory of guests is written to a disk",
			   (int)strcspn(first + 1, " \t"), first + 1);
}

static bool is_vulnerable(const struct doctor *doctor, const char *name)
{
	char path[PATH_MAX], text[256];

	(void)snprintf(path, sizeof(path), LEAKS "/%s", name);
	return doctor_read(doctor, path, text, sizeof(text)) == 0 &&
	       strncmp(text, "Vulnerable", strlen("Vulnerable")) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list_leaks(const struct doctor *doctor, struct buf *out)
{
	char path[PATH_MAX];
	struct dirent **entries = NULL;
	int count;

	if (doctor_path(doctor, LEAKS, path, sizeof(path)) < 0)
		return;
	count = scandir(path, &entries, NULL, by_name);
	if (count < 0 || entries == NULL)
		return;
	for (int i = 0; i < count; i++) {
		if (i < LEAKS_MAX && entries[i]->d_name[0] != '.' &&
		    is_vulnerable(doctor, entries[i]->d_name))
			buf_printf(out, " %s", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

void doctor_check_processor(const struct doctor *doctor,
			    struct doctor_finding *ret)
{
	char text[DOCTOR_TEXT_MAX / 2], cmdline[FILE_BYTES];
	struct buf list;

	buf_init(&list, text, sizeof(text));
	list_leaks(doctor, &list);
	if (list.len == 0) {
		doctor_say(ret, DOCTOR_OK,
			   "the kernel knows no leak that is open");
		return;
	}
	doctor_say(ret, DOCTOR_WARN, "vulnerable, as the kernel says, to%s",
		   text);
	(void)doctor_read(doctor, "/proc/cmdline", cmdline, sizeof(cmdline));
	if (strstr(cmdline, "mitigations=off") != NULL)
		doctor_fix(ret, "take 'mitigations=off' out of "
				"/etc/default/grub, then: update-grub && "
				"reboot");
}

/* core(5). A VMM is not dumpable; its host's other programs are. */
void doctor_check_core_pattern(const struct doctor *doctor,
			       struct doctor_finding *ret)
{
	char text[256];

	(void)doctor_read(doctor, "/proc/sys/kernel/core_pattern", text,
			  sizeof(text));
	if (text[0] == '|')
		doctor_say(ret, DOCTOR_WARN,
			   "every crash starts '%.*s' with root's rights",
			   (int)strcspn(text + 1, " "), text + 1);
	else
		doctor_say(ret, DOCTOR_OK, "files named '%.200s'", text);
}

/*
 * Linux 6.0 to 6.12 move a thread into the caller's cgroup for each VM, and
 * wait tens of milliseconds for that, unless the hierarchy favours such moves
 * or there is no such thread (kvm.nx_huge_pages).
 */
void doctor_check_start_time(const struct doctor *doctor,
			     struct doctor_finding *ret)
{
	unsigned version = doctor_kernel_version(doctor);
	char pages[16], mounts[FILE_BYTES * 4];

	(void)doctor_read(doctor, "/sys/module/kvm/parameters/nx_huge_pages",
			  pages, sizeof(pages));
	(void)doctor_read(doctor, "/proc/mounts", mounts, sizeof(mounts));
	if (version >= 600 && version < 613 && pages[0] != '\0' &&
	    strcmp(pages, "never") != 0 &&
	    strstr(mounts, "favordynmods") == NULL)
		doctor_say(ret, DOCTOR_WARN,
			   "Linux %u.%u waits 10 ms and more for each new VM "
			   "(kvm.nx_huge_pages=%s, cgroup2 without "
			   "favordynmods)",
			   version / 100, version % 100, pages);
	else
		doctor_say(ret, DOCTOR_OK, "none");
}
