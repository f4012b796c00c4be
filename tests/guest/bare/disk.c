/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

static struct queue_memory memories[2];
static struct header header;
static uint8_t status_byte;

void disk_open(struct disk *disk, unsigned n, uint64_t features, unsigned size)
{
	disk->device = device_find(ID_BLOCK, n);
	(void)device_negotiate(&disk->device, features);
	queue_setup(&disk->queue, &disk->device, 0, size, &memories[n]);
	device_run(&disk->device);
	disk->sectors = read64(disk->device.base + REG_CONFIG);
}

unsigned disk_request(struct disk *disk, uint32_t type, uint64_t sector,
		      void *data, uint32_t len)
{
	struct part parts[3];
	unsigned n = 0;

	header = (struct header){type, 0, sector};
	status_byte = BLOCK_NOTHING;
	parts[n++] = (struct part){&header, sizeof(header), false};
	if (len > 0)
		parts[n++] = (struct part){data, len, type != TYPE_OUT};
	parts[n++] = (struct part){&status_byte, 1, true};
	queue_chain(&disk->queue, 0, parts, n);
	queue_give(&disk->queue, 0);
	queue_kick(&disk->queue);
	if (!queue_wait(&disk->queue, 1))
		return BLOCK_LOST;
	return *(volatile uint8_t *)&status_byte;
}

bool disk_holds_pattern(const void *data, uint64_t sector, uint32_t len)
{
	const uint32_t *words = data;

	for (uint32_t i = 0; i < len / 4; i++) {
		if (words[i] != sector * WORDS_A_SECTOR + i)
			return false;
	}
	return true;
}

bool disk_works(struct disk *disk)
{
	static uint32_t sector[WORDS_A_SECTOR];

	memset(sector, 0, sizeof(sector));
	return disk_request(disk, TYPE_IN, 3, sector, sizeof(sector)) ==
		       BLOCK_OK &&
	       disk_holds_pattern(sector, 3, sizeof(sector));
}
