/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rules of cgroup v2 shape this file. A controller exists in a group only
 * if every group above passes it down (cgroup.subtree_control), so they are
 * switched on level by level, and only those that a limit needs: each costs
 * every group below. And a group that passes controllers down may hold no
 * process of its own, the root aside; when that is kiln itself, it moves into
 * a leaf beside the microVMs.
 */
#include "jailer/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/array.h"
#include "base/fd.h"

#define FILE_BYTES_MAX  4096
#define REMOVE_WAIT_MS  1000
#define SUPERVISOR_LEAF "supervisor"

/* Unified first; systemd's hybrid layout keeps v2 beside the v1 mounts. */
static const char *const places[] = {
	"/sys/fs/cgroup",
	"/sys/fs/cgroup/unified",
};

void cgroup_find_root(char *out, size_t size_bytes)
{
	struct statfs fs;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (statfs(places[i], &fs) < 0 ||
		    fs.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		(void)snprintf(out, size_bytes, "%s", places[i]);
		return;
	}
}

static int read_at(int dir_fd, const char *name, char *out, size_t size_bytes)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	out[0] = '\0';
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, out, size_bytes - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

static int write_at(int dir_fd, const char *name, const char *text)
{
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd_write_full(fd, text, strlen(text));
}

int cgroup_own_path(char *out, size_t size_bytes, struct err *err)
{
	char text[FILE_BYTES_MAX] = "";
	int r = read_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));

	if (r < 0)
		return err_set(err, -r, "read /proc/self/cgroup");
	/* The line of v2 is the one with hierarchy 0 and no controller. */
	for (char *line = text, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		(void)snprintf(out, size_bytes, "%s",
			       line[4] == '\0' ? "" : line + 3);
		return strlen(line) - 3 < size_bytes ? 0 : -ENAMETOOLONG;
	}
	return err_say(err, ENOENT, "kiln is in no cgroup v2");
}

bool cgroup_word_in(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
		if ((at == text || at[-1] == ' ') &&
		    strchr(" \n", at[len]) != NULL)
			return true;
	}
	return false;
}

/* Out of a group that is about to pass controllers down. */
static int move_self(int dir_fd)
{
	int r;

	if (mkdirat(dir_fd, SUPERVISOR_LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	r = write_at(dir_fd, SUPERVISOR_LEAF "/cgroup.procs", "0");
	if (r < 0)
		(void)unlinkat(dir_fd, SUPERVISOR_LEAF, AT_REMOVEDIR);
	return r;
}

static int enable_one(int dir_fd, const char *path, const char *controller,
		      struct err *err)
{
	char available[FILE_BYTES_MAX];
	char word[32];
	int r = read_at(dir_fd, "cgroup.controllers", available,
			sizeof(available));

	if (r < 0)
		return err_set(err, -r, "cgroup '%s'", path);
	available[strcspn(available, "\n")] = '\0';
	if (!cgroup_word_in(available, controller))
		return err_say(err, ENOTSUP,
			       "no controller '%s' in cgroup '%s', it has: %s; "
			       "cgroup v1 may hold it, or it is not delegated",
			       controller, path,
			       available[0] == '\0' ? "none" : available);
	(void)snprintf(word, sizeof(word), "+%s", controller);
	r = write_at(dir_fd, "cgroup.subtree_control", word);
	if (r == -EBUSY && move_self(dir_fd) == 0)
		r = write_at(dir_fd, "cgroup.subtree_control", word);
	if (r == -EBUSY)
		return err_say(err, EBUSY,
			       "cgroup '%s' holds processes, so it cannot pass "
			       "down '%s'; start kiln in a group of its own: "
			       "systemd-run --scope -p Delegate=yes kiln ...",
			       path, controller);
	if (r < 0)
		return err_set(err, -r,
			       "cgroup '%s' is not delegated: pass down '%s'",
			       path, controller);
	return 0;
}

static int enable_level(int dir_fd, const char *path,
			const struct plan_cgroup *cgroup, struct err *err)
{
	char enabled[FILE_BYTES_MAX];
	int r = read_at(dir_fd, "cgroup.subtree_control", enabled,
			sizeof(enabled));

	if (r < 0)
		return err_set(err, -r, "cgroup '%s'", path);
	for (unsigned i = 0; i < cgroup->controller_count && r == 0; i++) {
		if (!cgroup_word_in(enabled, cgroup->controllers[i]))
			r = enable_one(dir_fd, path, cgroup->controllers[i],
				       err);
	}
	return r;
}

static int enter_level(const char *path, const struct plan_cgroup *cgroup,
		       int *ret_fd, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "make cgroup '%s'", path);
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open cgroup '%s'", path);
	int r = enable_level(fd, path, cgroup, err);
	if (r < 0)
		return r;
	fd_close(ret_fd);
	*ret_fd = fd_steal(&fd);
	return 0;
}

/* From the root to the parent of the leaf, which *ret_fd is then open on. */
static int make_parents(const struct plan_cgroup *cgroup, int *ret_fd,
			struct err *err)
{
	char path[PATH_MAX];
	size_t from = strlen(cgroup->root);
	size_t len = strlen(cgroup->leaf);
	int r = 0;

	memcpy(path, cgroup->leaf, len + 1);
	/* Every slash from the root's end on closes the name of a level. */
	for (size_t i = from; i < len && r == 0; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		r = enter_level(path, cgroup, ret_fd, err);
		path[i] = '/';
	}
	return r;
}

static int write_limits(const struct plan_cgroup *cgroup, int leaf_fd,
			struct err *err)
{
	for (unsigned i = 0; i < cgroup->write_count; i++) {
		const struct plan_cgroup_write *w = &cgroup->writes[i];
		int r = write_at(leaf_fd, w->file, w->value);

		if (r < 0)
			return err_set(err, -r, "write '%s' to '%s/%s'",
				       w->value, cgroup->leaf, w->file);
	}
	return 0;
}

/* A leaf that is there already is empty, or somebody else's. */
static int make_leaf(const struct plan_cgroup *cgroup, int parent_fd,
		     struct err *err)
{
	const char *name = strrchr(cgroup->leaf, '/') + 1;

	if (mkdirat(parent_fd, name, 0755) == 0)
		return 0;
	if (errno == EEXIST && unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 &&
	    mkdirat(parent_fd, name, 0755) == 0)
		return 0;
	if (errno == EBUSY || errno == ENOTEMPTY)
		return err_say(err, EBUSY, "cgroup '%s' is in use",
			       cgroup->leaf);
	return err_set(err, errno, "make cgroup '%s'", cgroup->leaf);
}

int cgroup_create(const struct plan_cgroup *cgroup, int *ret_fd,
		  struct err *err)
{
	cleanup_fd int parent_fd = -1;
	int r = make_parents(cgroup, &parent_fd, err);

	if (r == 0)
		r = make_leaf(cgroup, parent_fd, err);
	if (r < 0)
		return r;
	cleanup_fd int fd =
		open(cgroup->leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		r = err_set(err, errno, "open cgroup '%s'", cgroup->leaf);
	if (r == 0)
		r = write_limits(cgroup, fd, err);
	if (r < 0) {
		(void)rmdir(cgroup->leaf);
		return r;
	}
	*ret_fd = fd_steal(&fd);
	return 0;
}

void cgroup_remove(const char *leaf)
{
	int waited_ms = 0;

	if (rmdir(leaf) == 0 || errno != EBUSY)
		return;
	cleanup_fd int fd = open(leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)write_at(fd, "cgroup.kill", "1");
	while (rmdir(leaf) < 0 && errno == EBUSY &&
	       waited_ms++ < REMOVE_WAIT_MS)
		(void)poll(NULL, 0, 1);
}

uint64_t cgroup_oom_kills(int leaf_fd)
{
	char text[FILE_BYTES_MAX];
	const char *found;

	if (leaf_fd < 0 ||
	    read_at(leaf_fd, "memory.events", text, sizeof(text)) < 0)
		return 0;
	found = strstr(text, "oom_kill ");
	return found == NULL ? 0
			     : strtoull(found + strlen("oom_kill "), NULL, 10);
}
