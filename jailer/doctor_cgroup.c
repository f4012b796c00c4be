/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups are asked through their files alone. Nothing here fails the
 * host: a microVM without limits in [cgroup] needs no group of its own.
 */
#include "jailer/doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "jailer/cgroup.h"

#define FILE_BYTES 4096

static const char *const places[] = {
	"/sys/fs/cgroup",
	"/sys/fs/cgroup/unified",
};

/* What keys of [cgroup] write to. */
static const char *const controllers[] = {"cpu", "memory", "pids"};

/* The place of cgroup v2 and what it offers; NULL: it is not mounted. */
static const char *find_root(const struct doctor *doctor, char *offered,
			     size_t size_bytes)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		(void)snprintf(path, sizeof(path), "%s/cgroup.controllers",
			       places[i]);
		if (doctor_read(doctor, path, offered, size_bytes) == 0)
			return places[i];
	}
	return NULL;
}

static void list_missing(const char *offered, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		if (!cgroup_word_in(offered, controllers[i]))
			buf_printf(out, " %s", controllers[i]);
	}
}

void doctor_check_cgroup(const struct doctor *doctor,
			 struct doctor_finding *ret)
{
	char offered[FILE_BYTES], missing[64];
	const char *root = find_root(doctor, offered, sizeof(offered));
	struct buf list;

	if (root == NULL) {
		doctor_say(ret, DOCTOR_WARN, "cgroup v2 is not mounted at %s",
			   places[0]);
		doctor_fix(ret, "mount -t cgroup2 cgroup2 %s", places[0]);
		return;
	}
	buf_init(&list, missing, sizeof(missing));
	list_missing(offered, &list);
	if (list.len == 0)
		doctor_say(ret, DOCTOR_OK, "%s with %.150s", root, offered);
	else
		doctor_say(ret, DOCTOR_WARN,
			   "%s lacks%s (cgroup v1 has them): such keys of "
			   "[cgroup] are refused",
			   root, missing);
}

/* Where this user's microVMs would live: root's below the root. */
static int own_group(const struct doctor *doctor, const char *root, char *out,
		     size_t size_bytes)
{
	char text[FILE_BYTES];
	char *line = text;
	int len, r = 0;

	if (doctor->uid != 0)
		r = doctor_read(doctor, "/proc/self/cgroup", text,
				sizeof(text));
	if (r < 0)
		return r;
	if (doctor->uid == 0) {
		line = NULL;
	} else if (strncmp(line, "0::/", 4) != 0) {
		line = strstr(text, "\n0::/");
		if (line == NULL)
			return -ENOENT;
		line++;
	}
	len = snprintf(out, size_bytes, "%s%.*s", root,
		       line == NULL ? 0 : (int)strcspn(line + 3, "\n"),
		       line == NULL ? "" : line + 3);
	return len < 0 || (size_t)len >= size_bytes ? -ENAMETOOLONG : 0;
}

static int may_write(const struct doctor *doctor, const char *group,
		     const char *file)
{
	char inside[PATH_MAX], path[PATH_MAX];
	int len = snprintf(inside, sizeof(inside), "%s/%s", group, file);

	if (len < 0 || (size_t)len >= sizeof(inside) ||
	    doctor_path(doctor, inside, path, sizeof(path)) < 0)
		return -ENAMETOOLONG;
	return access(path, W_OK) < 0 ? -errno : 0;
}

void doctor_check_delegation(const struct doctor *doctor,
			     struct doctor_finding *ret)
{
	static const char *const files[] = {"cgroup.procs",
					    "cgroup.subtree_control"};
	char offered[FILE_BYTES], group[PATH_MAX];
	const char *root = find_root(doctor, offered, sizeof(offered));
	int r = root == NULL ? -ENOENT
			     : own_group(doctor, root, group, sizeof(group));

	if (r < 0) {
		doctor_say(ret, DOCTOR_WARN, "this process is in no cgroup v2");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		r = may_write(doctor, group, files[i]);
		if (r == 0)
			continue;
		doctor_say(ret, DOCTOR_WARN,
			   "%.120s/%s cannot be written (%s): no [cgroup]",
			   group, files[i], strerror(-r));
		return;
	}
	doctor_say(ret, DOCTOR_OK, "groups can be made below %.200s", group);
}
