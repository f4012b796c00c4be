/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"

static int check_access(int fd, bool read_only, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	int mode = flags & O_ACCMODE;

	if (flags < 0)
		return err_set(err, errno, "disk: descriptor");
	if (flags & O_PATH)
		return err_say(err, EBADF, "disk: opened for its path only");
	if (mode == O_RDWR || (read_only && mode == O_RDONLY))
		return 0;
	return err_say(err, EBADF, "disk: opened for %s only",
		       mode == O_RDONLY ? "reading" : "writing");
}

static int find_size(int fd, const struct stat *st, uint64_t *ret_bytes,
		     struct err *err)
{
	uint64_t bytes = (uint64_t)st->st_size;

	if (S_ISBLK(st->st_mode)) {
		int r = fd_ioctl(fd, BLKGETSIZE64, &bytes);

		if (r < 0)
			return err_set(err, -r, "disk: size of the device");
	} else if (!S_ISREG(st->st_mode)) {
		return err_say(
			err, ENOTBLK,
			"disk: neither a regular file nor a block device");
	}
	*ret_bytes = bytes - bytes % DISK_SECTOR_BYTES;
	return 0;
}

static void name_by_inode(const struct stat *st, char id[DISK_ID_BYTES])
{
	char text[64];
	struct buf buf;

	buf_init(&buf, text, sizeof(text));
	buf_printf(&buf, "%llu%llu%llu", (unsigned long long)st->st_dev,
		   (unsigned long long)st->st_rdev,
		   (unsigned long long)st->st_ino);
	memset(id, 0, DISK_ID_BYTES);
	memcpy(id, text, buf.len < DISK_ID_BYTES ? buf.len : DISK_ID_BYTES);
}

int disk_probe(int fd, bool read_only, struct disk *disk, struct err *err)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "disk: descriptor");
	r = find_size(fd, &st, &disk->size_bytes, err);
	r = r < 0 ? r : check_access(fd, read_only, err);
	if (r < 0)
		return r;
	disk->read_only = read_only;
	name_by_inode(&st, disk->id);
	return 0;
}
