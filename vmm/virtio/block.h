/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block - a virtio disk (virtio 1.2 §5.2): one queue, reads and writes that go
 * straight between guest memory and the backend, flush and an id string.
 */
#ifndef KILN_VIRTIO_BLOCK_H
#define KILN_VIRTIO_BLOCK_H

#include <stdbool.h>

#include "backend/disk.h"
#include "base/err.h"
#include "virtio/device.h"

struct block;

struct block_setup {
	struct disk *disk; /* says capacity and whether it is read-only */
	/*
	 * Offer FLUSH, and keep its promise. Without it the host's page cache
	 * decides when data reaches the disk ("Unsafe").
	 */
	bool writeback;
	/* Serial number, at most 20 bytes are used; NULL: disk->id. */
	const char *id;
};

/*
 * block_create - Takes setup->disk on success; copies id. Gives *ret_block to
 * a transport or to block_ops.device.destroy().
 */
int block_create(const struct block_setup *setup, struct block **ret_block,
		 struct err *err);

extern const struct virtio_ops block_ops;

#endif
