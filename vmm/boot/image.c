/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/image.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/fd.h"

static const struct {
	mode_t type;
	const char *what;
} file_types[] = {
	{S_IFDIR, "a directory"},    {S_IFIFO, "a FIFO"},
	{S_IFSOCK, "a socket"},      {S_IFCHR, "a character device"},
	{S_IFBLK, "a block device"},
};

static const char *file_type_name(mode_t mode)
{
	for (size_t i = 0; i < ARRAY_LEN(file_types); i++)
		if ((mode & S_IFMT) == file_types[i].type)
			return file_types[i].what;
	return "no file of the file system";
}

int boot_image_open(int fd, struct boot_image *ret_image, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "fstat");
	if (!S_ISREG(st.st_mode))
		return err_say(err, EINVAL,
			       "this is %s: a regular file is needed",
			       file_type_name(st.st_mode));
	if (st.st_size <= 0)
		return err_say(err, ENOEXEC, "the file is empty");
	*ret_image = (struct boot_image){.fd = fd,
					 .size_bytes = (uint64_t)st.st_size};
	return 0;
}

static int check_range(const struct boot_image *image, uint64_t offset,
		       uint64_t len, struct err *err)
{
	if (range_ok(offset, len, image->size_bytes))
		return 0;
	return err_say(err, ENOEXEC,
		       "the file is truncated: %" PRIu64
		       " bytes wanted at offset %" PRIu64
		       " of a file of %" PRIu64 " bytes",
		       len, offset, image->size_bytes);
}

static int read_failed(int r, struct err *err)
{
	if (r == -EPIPE)
		return err_say(err, ENOEXEC,
			       "the file became shorter while it was read");
	return err_set(err, -r, "read");
}

int boot_image_read(const struct boot_image *image, uint64_t offset, void *data,
		    size_t len, struct err *err)
{
	int r = check_range(image, offset, len, err);

	if (r < 0)
		return r;
	r = fd_pread_full(image->fd, data, len, offset);
	return r < 0 ? read_failed(r, err) : 0;
}

int boot_image_load(const struct boot_image *image, uint64_t offset,
		    uint64_t len, const struct guest_memory *memory, gpa_t gpa,
		    struct err *err)
{
	int r = check_range(image, offset, len, err);

	if (r < 0)
		return r;
	r = guest_read_file(memory, gpa, image->fd, offset, len);
	return r < 0 ? read_failed(r, err) : 0;
}
