/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claiming has one race worth a loop: between our open() of the lock file and
 * our lock, its owner may end and remove it. Then we hold a lock on a file
 * that has no name any more, which protects nothing; look again.
 */
#include "jailer/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fd.h"

#define LOCK_NAME  "pid"
#define TRIES      100
#define FILES_MAX  64 /* of an entry; kiln makes four */
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW)
#define DIR_FLAGS  (O_RDONLY | O_DIRECTORY | OPEN_FLAGS)

void registry_init(struct registry *registry)
{
	*registry =
		(struct registry){.base_fd = -1, .dir_fd = -1, .lock_fd = -1};
}

static void drop(struct registry *registry)
{
	fd_close(&registry->lock_fd);
	fd_close(&registry->dir_fd);
	fd_close(&registry->base_fd);
}

/* A directory of ours that nobody else can put things into. */
static int open_own_dir(int parent_fd, const char *name, int *ret_fd)
{
	struct stat st;

	if (mkdirat(parent_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	cleanup_fd int fd = openat(parent_fd, name, DIR_FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	*ret_fd = fd_steal(&fd);
	return 0;
}

static int open_base(struct registry *registry, const char *parent,
		     const char *base, struct err *err)
{
	/* The way to the parent is the operator's: links are fine there. */
	cleanup_fd int fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "open '%s'", parent);
	int r = open_own_dir(fd, base, &registry->base_fd);
	/* A link or a file in its place is no directory of ours either. */
	if (r == -EPERM || r == -ENOTDIR || r == -ELOOP)
		return err_say(err, EPERM,
			       "'%s/%s' is not a directory that only uid %u "
			       "can write",
			       parent, base, (unsigned)geteuid());
	return r < 0 ? err_set(err, -r, "make '%s/%s'", parent, base) : 0;
}

/* Has the entry still its name, and the lock file its own? */
static bool still_there(const struct registry *registry)
{
	struct stat held;
	struct stat named;

	if (fstat(registry->lock_fd, &held) < 0 || held.st_nlink == 0)
		return false;
	return fstat(registry->dir_fd, &held) == 0 &&
	       fstatat(registry->base_fd, registry->id, &named,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* Return: 0 claimed; -EAGAIN it vanished below us; -EBUSY; -errno. */
static int try_claim(struct registry *registry)
{
	int r = open_own_dir(registry->base_fd, registry->id,
			     &registry->dir_fd);

	if (r < 0)
		return r == -ENOENT ? -EAGAIN : r;
	registry->lock_fd = openat(registry->dir_fd, LOCK_NAME,
				   O_RDWR | O_CREAT | OPEN_FLAGS, 0600);
	if (registry->lock_fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(registry->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return still_there(registry) ? 0 : -EAGAIN;
}

static int say_busy(const struct registry *registry, struct err *err)
{
	char owner[16];

	if (registry_read(registry, LOCK_NAME, owner, sizeof(owner)) < 0 ||
	    owner[0] == '\0')
		(void)snprintf(owner, sizeof(owner), "?");
	owner[strcspn(owner, "\n")] = '\0';
	return err_say(err, EBUSY,
		       "a microVM with the id '%s' is running already (pid %s)",
		       registry->id, owner);
}

int registry_claim(struct registry *registry, const char *parent,
		   const char *base, const char *id, struct err *err)
{
	char owner[16] = "";
	int r = open_base(registry, parent, base, err);

	if (r < 0)
		return r;
	(void)snprintf(registry->id, sizeof(registry->id), "%s", id);
	r = -EAGAIN;
	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		fd_close(&registry->lock_fd);
		fd_close(&registry->dir_fd);
		r = try_claim(registry);
	}
	if (r == -EBUSY)
		r = say_busy(registry, err);
	else if (r < 0)
		r = err_set(err, -r, "claim '%s/%s/%s'", parent, base, id);
	if (r < 0) {
		drop(registry);
		return r;
	}
	/* A new lock file is empty; one that was left has its owner's pid. */
	registry->stale =
		registry_read(registry, LOCK_NAME, owner, sizeof(owner)) < 0 ||
		owner[0] != '\0';
	return 0;
}

int registry_write(const struct registry *registry, const char *name,
		   const char *text)
{
	cleanup_fd int fd =
		openat(registry->dir_fd, name,
		       O_WRONLY | O_CREAT | O_TRUNC | OPEN_FLAGS, 0600);

	if (fd < 0)
		return -errno;
	return fd_write_full(fd, text, strlen(text));
}

int registry_read(const struct registry *registry, const char *name, char *out,
		  size_t size_bytes)
{
	size_t used = 0;
	ssize_t n = 1;
	cleanup_fd int fd =
		openat(registry->dir_fd, name, O_RDONLY | OPEN_FLAGS);

	out[0] = '\0';
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	while (n > 0 && used < size_bytes) {
		n = read(fd, out + used, size_bytes - used);
		if (n < 0)
			return -errno;
		used += (size_t)n;
	}
	if (used == size_bytes) {
		out[0] = '\0';
		return -E2BIG;
	}
	out[used] = '\0';
	return 0;
}

/* Every name in the entry but the lock's; it holds no directories. */
static void remove_files(int dir_fd)
{
	int fd = openat(dir_fd, ".", DIR_FLAGS);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (dir == NULL) {
		fd_close(&fd);
		return;
	}
	for (int i = 0; i < FILES_MAX; i++) {
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, LOCK_NAME) != 0)
			(void)unlinkat(dir_fd, entry->d_name, 0);
	}
	(void)closedir(dir);
}

int registry_clear(struct registry *registry, struct err *err)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	if (registry->stale)
		remove_files(registry->dir_fd);
	registry->stale = false;
	if (ftruncate(registry->lock_fd, 0) < 0 ||
	    pwrite(registry->lock_fd, pid, (size_t)n, 0) != n)
		return err_set(err, errno, "write the pid of '%s'",
			       registry->id);
	return 0;
}

void registry_release(struct registry *registry)
{
	if (registry->lock_fd >= 0) {
		remove_files(registry->dir_fd);
		(void)unlinkat(registry->dir_fd, LOCK_NAME, 0);
		(void)unlinkat(registry->base_fd, registry->id, AT_REMOVEDIR);
	}
	drop(registry);
}
