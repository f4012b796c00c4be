/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* A group line lists its members; longer ones are passed over. */
#define LINE_BYTES_MAX 65536

/* (uid_t)-1 means "leave as it is" to the system calls. */
static int parse_number(const char *text, uint32_t *ret_number)
{
	uint64_t number;
	int r = parse_u64(text, &number);

	if (r < 0)
		return r == -ERANGE ? -EINVAL : -ENOENT;
	if (number >= UINT32_MAX)
		return -EINVAL;
	*ret_number = (uint32_t)number;
	return 0;
}

int identity_user(const char *passwd_path, const char *text,
		  struct identity_user *ret_user)
{
	static char line[LINE_BYTES_MAX];
	struct passwd row;
	struct passwd *found = NULL;
	uint32_t number = 0;
	int as_number = parse_number(text, &number);
	FILE *file = fopen(passwd_path, "re");

	while (file != NULL &&
	       fgetpwent_r(file, &row, line, sizeof(line), &found) == 0) {
		if (strcmp(row.pw_name, text) == 0 ||
		    (as_number == 0 && row.pw_uid == number))
			break;
		found = NULL;
	}
	if (file != NULL)
		(void)fclose(file);
	if (found != NULL)
		*ret_user = (struct identity_user){row.pw_uid, row.pw_gid};
	else if (as_number == 0)
		*ret_user = (struct identity_user){number, number};
	return found != NULL ? 0 : as_number;
}

/* The row of a name, or of a number when name is NULL. */
static int find_group(const char *group_path, const char *name, gid_t gid,
		      struct group *ret_row)
{
	static char line[LINE_BYTES_MAX];
	struct group *found = NULL;
	FILE *file = fopen(group_path, "re");

	while (file != NULL &&
	       fgetgrent_r(file, ret_row, line, sizeof(line), &found) == 0) {
		if (name != NULL ? strcmp(ret_row->gr_name, name) == 0
				 : ret_row->gr_gid == gid)
			break;
		found = NULL;
	}
	if (file != NULL)
		(void)fclose(file);
	return found != NULL ? 0 : -ENOENT;
}

int identity_group(const char *group_path, const char *text, gid_t *ret_gid)
{
	struct group row;
	uint32_t number;
	int r = parse_number(text, &number);

	if (r == 0) {
		*ret_gid = number;
		return 0;
	}
	if (r == -EINVAL || find_group(group_path, text, 0, &row) < 0)
		return r;
	*ret_gid = row.gr_gid;
	return 0;
}

void identity_group_name(const char *group_path, gid_t gid, char *out,
			 size_t size_bytes)
{
	struct group row;

	if (find_group(group_path, NULL, gid, &row) == 0)
		(void)snprintf(out, size_bytes, "%s", row.gr_name);
	else
		(void)snprintf(out, size_bytes, "%u", (unsigned)gid);
}
