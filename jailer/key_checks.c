/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/key_checks.h"

#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "jailer/config.h"

/* Linux net/core/dev.c, dev_valid_name(); '%' besides, because TUNSETIFF
 * takes it for a pattern. */
int key_check_tap(const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (len < IFNAMSIZ && strpbrk(text, "/:% \t") == NULL &&
	    strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
		return 0;
	return err_say(err, EINVAL,
		       "'%.64s' is not an interface name: at most %d bytes "
		       "without blanks, '/', ':' or '%%'; or auto",
		       text, IFNAMSIZ - 1);
}

int key_check_address(const char *text, struct err *err)
{
	uint32_t address;
	uint8_t prefix_len;

	if (parse_cidr(text, &address, &prefix_len) == 0 && prefix_len > 0 &&
	    address >> 24 != 0 && address >> 28 < 0xe)
		return 0;
	return err_say(err, EINVAL,
		       "'%.64s' is not a host's IPv4 address with a prefix, "
		       "such as 172.16.0.1/30",
		       text);
}

int key_check_netns(const char *text, struct err *err)
{
	if (text[0] == '/')
		return 0;
	return err_say(err, EINVAL,
		       "'%.64s' is not an absolute path, such as "
		       "/run/netns/blue",
		       text);
}

int key_check_jail_netns(const char *text, struct err *err)
{
	if (text[0] == '/' || strcmp(text, "none") == 0)
		return 0;
	return err_say(err, EINVAL,
		       "'%.64s' is neither none nor an absolute path, such as "
		       "/run/netns/blue",
		       text);
}

/* Whether there is such a user is asked when the jail is planned. */
int key_check_user(const char *text, struct err *err)
{
	if (text[0] != '-' && strpbrk(text, ":/ \t") == NULL &&
	    strlen(text) < CONFIG_USER_MAX)
		return 0;
	return err_say(err, EINVAL,
		       "'%.64s' is not the name or the number of a user or "
		       "group",
		       text);
}

/* No part of the path may lead upwards or nowhere. */
int key_check_cgroup(const char *text, struct err *err)
{
	const char *part = text[0] == '/' ? text + 1 : text;

	while (*part != '\0') {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return err_say(err, EINVAL,
				       "'%.64s' is not a path below "
				       "/sys/fs/cgroup without '.' and '..'",
				       text);
		part += len;
		part += *part == '/' ? 1 : 0;
	}
	return 0;
}

int key_check_raw_name(const char *name, struct err *err)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
	const char *dot = strchr(name, '.');

	/* The kernel spells some with capitals: hugetlb.2MB.max. */
	if (dot == NULL || dot == name || dot[1] == '\0' ||
	    name[strspn(name, chars)] != '\0' ||
	    strlen(name) >= CONFIG_RAW_NAME_MAX || strstr(name, "..") != NULL)
		return err_say(err, EINVAL,
			       "'%.64s' is not the name of a controller's "
			       "file, such as cpu.weight",
			       name);
	if (strncmp(name, "cgroup.", 7) == 0)
		return err_say(err, EINVAL,
			       "'%.64s' is kiln's own business; only files of "
			       "controllers can be set",
			       name);
	return 0;
}

int key_check_raw_value(const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (len < CONFIG_RAW_VALUE_MAX && utf8_text_ok(text, len))
		return 0;
	return err_say(err, EINVAL,
		       "the value is not one line of at most %d bytes",
		       CONFIG_RAW_VALUE_MAX - 1);
}
