/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - users and groups by name, read from the files themselves: kiln is
 * static, and the C library's name services would have to load modules.
 * Thread: one at a time.
 */
#ifndef KILN_JAILER_IDENTITY_H
#define KILN_JAILER_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

#define IDENTITY_PASSWD "/etc/passwd"
#define IDENTITY_GROUP  "/etc/group"

struct identity_user {
	uid_t uid;
	gid_t gid; /* of an unknown number: the same number */
};

/*
 * identity_user - a name of the file, or a number whether it is there or not.
 * Return: 0; -ENOENT unknown name; -EINVAL a number that no user can have.
 */
int identity_user(const char *passwd_path, const char *text,
		  struct identity_user *ret_user);

/* identity_group - as identity_user(). */
int identity_group(const char *group_path, const char *text, gid_t *ret_gid);

/* identity_group_name - for messages: the name, else the number as text. */
void identity_group_name(const char *group_path, gid_t gid, char *out,
			 size_t size_bytes);

#endif
