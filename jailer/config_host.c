/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at the host before anything is done to it. It answers an operator's
 * typing mistake at once; it is no protection: what counts is what the open
 * file turns out to be when the plan is carried out.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "jailer/config.h"
#include "jailer/config_report.h"

/* What a named file must be. */
struct host_file {
	const char *section, *key;
	unsigned element;
	const char *path;
	bool block_ok; /* a block device will do */
	bool empty_ok;
	int access; /* R_OK, W_OK */
};

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISSOCK(mode))
		return "a socket";
	return S_ISCHR(mode) ? "a character device" : "a block device";
}

static int check_kind(const struct host_file *file, const struct stat *st,
		      struct err *err)
{
	bool block = S_ISBLK(st->st_mode);

	if (!S_ISREG(st->st_mode) && !(block && file->block_ok))
		return err_say(err, EINVAL, "'%.160s' is %s, not a %s",
			       file->path, kind_of(st->st_mode),
			       file->block_ok ? "regular file or a block device"
					      : "regular file");
	if (!block && st->st_size == 0 && !file->empty_ok)
		return err_say(err, EINVAL, "'%.200s' is empty", file->path);
	return 0;
}

static int check_file(const struct host_file *file, struct err *err)
{
	struct stat st;
	int r;

	if (stat(file->path, &st) < 0)
		return err_set(err, errno, "'%.200s'", file->path);
	r = check_kind(file, &st, err);
	if (r < 0)
		return r;
	if (faccessat(AT_FDCWD, file->path, file->access, AT_EACCESS) < 0)
		return err_set(err, errno, "'%.180s' cannot be %s", file->path,
			       (file->access & W_OK) != 0
				       ? "written (read_only = yes?)"
				       : "read");
	return 0;
}

static void look_at(const struct kiln_config *config,
		    struct config_report *report, const struct host_file *file)
{
	const struct report_subject subject = {CONFIG_ERROR, file->section,
					       file->key, file->element};
	struct err err;

	if (file->path[0] == '\0' || check_file(file, &err) == 0)
		return;
	report_at(report, config, &subject, "%s", err.msg);
}

static void look_at_drives(const struct kiln_config *config,
			   struct config_report *report)
{
	for (unsigned i = 0; i < config->machine.drive_count; i++) {
		bool read_only = config->machine.drives[i].read_only;
		const struct host_file file = {
			.section = "drive",
			.key = "path",
			.element = i,
			.path = config->drives[i].path,
			.block_ok = true,
			.access = read_only ? R_OK : R_OK | W_OK,
		};

		look_at(config, report, &file);
	}
}

static void look_at_nets(const struct kiln_config *config,
			 struct config_report *report)
{
	for (unsigned i = 0; i < config->machine.net_count; i++) {
		const struct host_file file = {
			.section = "net",
			.key = "netns",
			.element = i,
			.path = config->nets[i].netns,
			.empty_ok = true,
			.access = R_OK,
		};

		look_at(config, report, &file);
	}
}

int config_check_host(const struct kiln_config *config,
		      struct config_report *report)
{
	const char *netns = config->jail.netns;
	const struct host_file files[] = {
		{.section = "kernel",
		 .key = "image",
		 .path = config->kernel.image,
		 .access = R_OK},
		{.section = "kernel",
		 .key = "initrd",
		 .path = config->kernel.initrd,
		 .access = R_OK},
		{.section = "jail",
		 .key = "netns",
		 .path = netns[0] == '/' ? netns : "",
		 .empty_ok = true,
		 .access = R_OK},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		look_at(config, report, &files[i]);
	look_at_drives(config, report);
	look_at_nets(config, report);
	return report->error_count == 0 ? 0 : -EINVAL;
}
