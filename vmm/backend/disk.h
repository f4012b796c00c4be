/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk - a file or block device that serves the requests of a virtual disk. An
 * engine (disk_sync.h is one) fills in struct disk and its ops; whoever owns
 * the requests sees neither the file nor how the engine works.
 *
 *	disk_submit() -> 0 or -errno: done        (always, with disk_sync)
 *	              -> -EINPROGRESS: completed() comes from the loop, once
 *	disk_commit() after a batch; disk_drain() before the memory goes away
 */
#ifndef KILN_BACKEND_DISK_H
#define KILN_BACKEND_DISK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

#define DISK_SECTOR_BYTES 512u
#define DISK_IOV_MAX      256u /* slices of one request */
#define DISK_ID_BYTES     20u

enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_WRITE_DURABLE, /* on stable storage before it completes */
	DISK_FLUSH,         /* all completed writes to stable storage */
	DISK_OP_COUNT
};

struct disk_request {
	enum disk_op op;
	unsigned iov_count; /* <= DISK_IOV_MAX */
	/* Borrowed for the call: an engine that defers copies the slices. What
	 * they point to stays until completion or disk_drain(). */
	const struct iovec *iov;
	size_t len; /* the sum of iov; 0 is legal and does nothing */
	/* The owner has checked [offset, offset + len) against size_bytes. */
	uint64_t offset;
	uint64_t tag; /* comes back in completed() */
};

struct disk;

struct disk_ops {
	int (*submit)(struct disk *disk, const struct disk_request *request);
	void (*commit)(struct disk *disk); /* NULL: nothing to do */
	void (*drain)(struct disk *disk);  /* NULL: never anything in flight */
	void (*destroy)(struct disk *disk);
};

struct disk {
	const struct disk_ops *ops;
	/*
	 * Read once when the disk was opened, cut down to whole sectors: the
	 * tail of a file that is not a multiple of 512 bytes does not exist
	 * for the guest. May be 0.
	 */
	uint64_t size_bytes;
	bool read_only;
	/*
	 * What the guest reads as serial number when nobody names another:
	 * decimal device, device-of-special-file and inode numbers, run
	 * together, cut and NUL-padded.
	 */
	char id[DISK_ID_BYTES];
	/* Set by the owner before the first submit. result: 0 or -errno.
	 * Thread: loop, never from inside submit. */
	void (*completed)(void *owner, uint64_t tag, int result);
	void *owner;
};

/*
 * disk_submit - start a request. Return: 0 done; -EINPROGRESS completed() will
 * be called; -errno failed (-EIO also when the file has become shorter).
 */
static inline int disk_submit(struct disk *disk,
			      const struct disk_request *request)
{
	return disk->ops->submit(disk, request);
}

/* disk_commit - the batch is over: an engine that gathers starts it now. */
static inline void disk_commit(struct disk *disk)
{
	if (disk->ops->commit != NULL)
		disk->ops->commit(disk);
}

/*
 * disk_drain - wait until no request is in flight; completed() is not called
 * for what was waited for. Thread: any that holds the owner's lock.
 */
static inline void disk_drain(struct disk *disk)
{
	if (disk->ops->drain != NULL)
		disk->ops->drain(disk);
}

static inline void disk_destroy(struct disk *disk) /* accepts NULL */
{
	if (disk != NULL)
		disk->ops->destroy(disk);
}

/*
 * disk_probe - check that fd can be a disk and fill size_bytes, read_only and
 * id of *disk. Refused: anything but a regular file or block device, a
 * descriptor that cannot be read, or written unless read_only.
 */
int disk_probe(int fd, bool read_only, struct disk *disk, struct err *err);

#endif
