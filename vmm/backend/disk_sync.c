/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/disk_sync.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"

#ifdef IOV_MAX
_Static_assert(DISK_IOV_MAX <= IOV_MAX, "one call takes a whole request");
#endif

struct disk_sync {
	struct disk disk; /* first: the ops get a pointer to it */
	int fd;
	struct iovec rest[DISK_IOV_MAX]; /* after a short transfer */
};

static struct disk_sync *of(struct disk *disk)
{
	return (struct disk_sync *)disk;
}

typedef ssize_t (*transfer_fn)(int fd, const struct iovec *iov, int count,
			       off_t offset);

/* One call; EINTR is no answer. Return: bytes > 0 or -errno. */
static ssize_t transfer_some(transfer_fn transfer, int fd,
			     const struct iovec *iov, unsigned count,
			     uint64_t offset)
{
	ssize_t n;

	do {
		n = transfer(fd, iov, (int)count, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* End of file inside the capacity: somebody cut the file. A write of
	 * nothing without an error would loop for ever. */
	return n > 0 ? n : -EIO;
}

/* Drop the first done bytes of iov into rest. Return: entries left. */
static unsigned advance(const struct iovec *iov, unsigned count, size_t done,
			struct iovec *rest)
{
	unsigned left = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t skip = done < iov[i].iov_len ? done : iov[i].iov_len;

		done -= skip;
		if (skip == iov[i].iov_len)
			continue;
		rest[left].iov_base = (uint8_t *)iov[i].iov_base + skip;
		rest[left].iov_len = iov[i].iov_len - skip;
		left++;
	}
	return left;
}

static int transfer_all(struct disk_sync *sync, transfer_fn transfer,
			const struct disk_request *request)
{
	const struct iovec *iov = request->iov;
	unsigned count = request->iov_count;
	uint64_t offset = request->offset;
	size_t len = request->len;

	while (len > 0) {
		ssize_t n =
			transfer_some(transfer, sync->fd, iov, count, offset);

		if (n < 0)
			return (int)n;
		if ((size_t)n >= len)
			return 0;
		len -= (size_t)n;
		offset += (uint64_t)n;
		count = advance(iov, count, (size_t)n, sync->rest);
		iov = sync->rest;
	}
	return 0;
}

static int sync_file(struct disk_sync *sync)
{
	int r;

	do {
		r = fdatasync(sync->fd);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int do_read(struct disk_sync *sync, const struct disk_request *request)
{
	return transfer_all(sync, preadv, request);
}

static int do_write(struct disk_sync *sync, const struct disk_request *request)
{
	if (sync->disk.read_only)
		return -EROFS;
	return transfer_all(sync, pwritev, request);
}

static int do_write_durable(struct disk_sync *sync,
			    const struct disk_request *request)
{
	int r = do_write(sync, request);

	return r < 0 ? r : sync_file(sync);
}

static int do_flush(struct disk_sync *sync, const struct disk_request *request)
{
	(void)request;
	/* Nothing of ours can be dirty; some block devices refuse it then. */
	return sync->disk.read_only ? 0 : sync_file(sync);
}

static int sync_submit(struct disk *disk, const struct disk_request *request)
{
	static int (*const ops[DISK_OP_COUNT])(struct disk_sync * sync,
					       const struct disk_request *) = {
		[DISK_READ] = do_read,
		[DISK_WRITE] = do_write,
		[DISK_WRITE_DURABLE] = do_write_durable,
		[DISK_FLUSH] = do_flush,
	};

	return ops[request->op](of(disk), request);
}

static void sync_destroy(struct disk *disk)
{
	struct disk_sync *sync = of(disk);

	fd_close(&sync->fd);
	free(sync);
}

static const struct disk_ops sync_ops = {
	.submit = sync_submit,
	.destroy = sync_destroy,
};

int disk_sync_create(int fd, bool read_only, struct disk **ret_disk,
		     struct err *err)
{
	struct disk_sync *sync = calloc(1, sizeof(*sync));
	int r;

	if (sync == NULL)
		return err_set(err, ENOMEM, "disk");
	r = disk_probe(fd, read_only, &sync->disk, err);
	if (r < 0) {
		free(sync);
		return r;
	}
	sync->disk.ops = &sync_ops;
	sync->fd = fd;
	*ret_disk = &sync->disk;
	return 0;
}
