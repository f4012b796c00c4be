/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk - a block device as the programs here use it: requests of one header,
 * data and status (virtio 1.2 §5.2.6), one at a time. The host has filled the
 * disk so that every 32-bit word holds its own number.
 */
#ifndef KILN_BARE_DISK_H
#define KILN_BARE_DISK_H

#include "virtio.h"

#define SECTOR_BYTES   512
#define WORDS_A_SECTOR (SECTOR_BYTES / 4)

#define F_BLOCK_RO    (UINT64_C(1) << 5)
#define F_BLOCK_FLUSH (UINT64_C(1) << 9)

enum {
	TYPE_IN = 0,
	TYPE_OUT = 1,
	TYPE_FLUSH = 4,
	TYPE_GET_ID = 8,
	TYPE_DISCARD = 11,
};

enum {
	BLOCK_OK = 0,
	BLOCK_IOERR = 1,
	BLOCK_UNSUPP = 2,
	BLOCK_NOTHING = 0xee, /* the device has written no status */
	BLOCK_LOST = 0xff,    /* the request has not come back */
};

struct header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

struct disk {
	struct device device;
	struct queue queue;
	uint64_t sectors;
};

/* disk_open - reset, negotiate, one queue of `size`, run. */
void disk_open(struct disk *disk, unsigned n, uint64_t features, unsigned size);

/* disk_request - header, data (none if len is 0), status. Return: the status,
 * or BLOCK_LOST. */
unsigned disk_request(struct disk *disk, uint32_t type, uint64_t sector,
		      void *data, uint32_t len);

/* Is this what the host has put into the sectors? */
bool disk_holds_pattern(const void *data, uint64_t sector, uint32_t len);

/* disk_works - one sector can be read and is right. */
bool disk_works(struct disk *disk);

#endif
