/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is three byte strings, whatever descriptors they come in (§5.2.6,
 * §2.7.4):
 *
 *	readable:  header (16) | data of a write
 *	writable:  data of a read | status (1, the very last byte)
 *
 * The data never leaves guest memory on its way: what is between header and
 * status is handed to the backend as slices. The header is copied once and
 * checked. A request that makes no sense ends with a status; only a chain
 * without room for a status is a fault of the driver.
 *
 * A backend may answer later (disk.h). What is needed then, the head of the
 * chain, the place of the status byte and the bytes read, waits in a slot;
 * queue.c lets no more than a queue's worth of requests be out.
 */
#include "virtio/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/le.h"
#include "core/state.h"

/* §5.2.3 */
#define BLOCK_F_SEG_MAX (UINT64_C(1) << 2)
#define BLOCK_F_RO      (UINT64_C(1) << 5)
#define BLOCK_F_FLUSH   (UINT64_C(1) << 9)

#define HEADER_BYTES 16u

/* Header and status take a descriptor each in the usual framing. */
#define SEG_MAX (VIRTIO_QUEUE_SIZE_MAX - 2u)

/* What one turn on the loop may take before others get theirs. */
#define BUDGET_REQUESTS 64u
#define BUDGET_BYTES    (UINT64_C(8) << 20)

/* §5.2.6, status */
enum block_status {
	STATUS_OK = 0,
	STATUS_IOERR = 1,
	STATUS_UNSUPP = 2,
};

/* §5.2.6, type */
enum block_type {
	TYPE_IN = 0,
	TYPE_OUT = 1,
	TYPE_FLUSH = 4,
	TYPE_GET_ID = 8,
};

/* §5.2.4; the fields of features that are not offered are zero. */
struct block_config {
	uint64_t capacity_sectors;
	uint32_t size_max;
	uint32_t seg_max;
};

struct slot {
	uint8_t *status;     /* in guest memory */
	uint32_t written;    /* bytes before the status, if all goes well */
	bool status_follows; /* those bytes end where the status is */
	uint16_t head;
	uint16_t next_free;
};

struct block {
	const struct virtio_host *host; /* borrowed, from attach */
	struct disk *disk;
	char id[DISK_ID_BYTES];
	bool writeback;
	struct block_config config;

	struct virtio_queue *queue; /* NULL: not active */
	bool durable;       /* the driver did not take FLUSH: §5.2.6.2 */
	uint16_t free_slot; /* head of a list; VIRTIO_QUEUE_SIZE_MAX: none */
	struct slot slots[VIRTIO_QUEUE_SIZE_MAX];

	/* Scratch of the request at hand; too large for a stack. */
	struct virtio_chain chain;
	struct iovec data[VIRTIO_QUEUE_SIZE_MAX];
};

/* The request at hand, from a checked copy of its header. */
struct request {
	uint32_t type;
	uint64_t sector;
	size_t data_bytes;
	unsigned data_count; /* of block->data */
};

/* Slots */

static void slots_reset(struct block *block)
{
	for (uint16_t i = 0; i < VIRTIO_QUEUE_SIZE_MAX; i++)
		block->slots[i].next_free = (uint16_t)(i + 1);
	block->free_slot = 0;
}

static uint16_t slot_take(struct block *block)
{
	uint16_t index = block->free_slot;

	if (index < VIRTIO_QUEUE_SIZE_MAX)
		block->free_slot = block->slots[index].next_free;
	return index;
}

static void slot_finish(struct block *block, uint16_t index,
			enum block_status status)
{
	struct slot *slot = &block->slots[index];
	uint32_t written = status == STATUS_OK ? slot->written : 0;

	/* §2.7.8.2: what is claimed has been written from the first byte on;
	 * after an error only the status is, if nothing comes before it. */
	if (slot->status_follows && written == slot->written)
		written++;
	*slot->status = (uint8_t)status;
	virtio_queue_push(block->queue, slot->head, written);
	slot->next_free = block->free_slot;
	block->free_slot = index;
}

static enum block_status status_of(int result)
{
	return result == 0 ? STATUS_OK : STATUS_IOERR;
}

/* Thread: loop. */
static void disk_completed(void *owner, uint64_t tag, int result)
{
	struct block *block = owner;

	virtio_host_lock(block->host);
	if (block->queue != NULL && tag < VIRTIO_QUEUE_SIZE_MAX) {
		slot_finish(block, (uint16_t)tag, status_of(result));
		if (virtio_queue_publish(block->queue))
			virtio_host_interrupt(block->host);
	}
	virtio_host_unlock(block->host);
}

/* Requests: each returns 0, -EINPROGRESS, -EOPNOTSUPP or another -errno. */

static bool is_in_bounds(const struct block *block,
			 const struct request *request)
{
	return request->data_bytes % DISK_SECTOR_BYTES == 0 &&
	       range_ok(request->sector,
			request->data_bytes / DISK_SECTOR_BYTES,
			block->config.capacity_sectors);
}

static int submit(struct block *block, const struct request *request,
		  enum disk_op op, uint16_t slot)
{
	const struct disk_request io = {
		.op = op,
		.iov = block->data,
		.iov_count = request->data_count,
		.len = request->data_bytes,
		.offset = request->sector * DISK_SECTOR_BYTES,
		.tag = slot,
	};

	return disk_submit(block->disk, &io);
}

static int do_in(struct block *block, struct request *request, uint16_t slot)
{
	request->data_bytes = block->chain.writable_bytes - 1;
	if (!is_in_bounds(block, request))
		return -EINVAL;
	request->data_count =
		virtio_iov_view(virtio_chain_writable(&block->chain),
				block->chain.writable_count, 0,
				request->data_bytes, block->data);
	block->slots[slot].written = (uint32_t)request->data_bytes;
	return submit(block, request, DISK_READ, slot);
}

static int do_out(struct block *block, struct request *request, uint16_t slot)
{
	request->data_bytes = block->chain.readable_bytes - HEADER_BYTES;
	if (block->disk->read_only || !is_in_bounds(block, request))
		return -EINVAL;
	request->data_count =
		virtio_iov_view(virtio_chain_readable(&block->chain),
				block->chain.readable_count, HEADER_BYTES,
				request->data_bytes, block->data);
	return submit(block, request,
		      block->durable ? DISK_WRITE_DURABLE : DISK_WRITE, slot);
}

/* §5.2.6.1: a flush names no sector, a driver that does is not listened to. */
static int do_flush(struct block *block, struct request *request, uint16_t slot)
{
	request->sector = 0;
	if (!block->writeback)
		return 0; /* nothing was promised */
	return submit(block, request, DISK_FLUSH, slot);
}

static int do_get_id(struct block *block, struct request *request,
		     uint16_t slot)
{
	size_t room = block->chain.writable_bytes - 1;
	size_t len = room < DISK_ID_BYTES ? room : DISK_ID_BYTES;

	(void)request;
	block->slots[slot].written = (uint32_t)len;
	return virtio_chain_write(&block->chain, 0, block->id, len);
}

struct operation {
	uint32_t type;
	int (*run)(struct block *block, struct request *request, uint16_t slot);
};

static const struct operation operations[] = {
	{TYPE_IN, do_in},
	{TYPE_OUT, do_out},
	{TYPE_FLUSH, do_flush},
	{TYPE_GET_ID, do_get_id},
};

static enum block_status status_of_errno(int r)
{
	return r == -EOPNOTSUPP ? STATUS_UNSUPP : status_of(r);
}

static int run(struct block *block, struct request *request, uint16_t slot)
{
	uint8_t header[HEADER_BYTES];

	if (virtio_chain_read(&block->chain, 0, header, sizeof(header)) < 0)
		return -EINVAL;
	request->type = le32_load(header);
	request->sector = le64_load(header + 8);
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (operations[i].type == request->type)
			return operations[i].run(block, request, slot);
	}
	return -EOPNOTSUPP;
}

/* Return: 0, or -EBADMSG when there is nowhere to put a status. */
static int handle(struct block *block, struct request *request)
{
	const struct virtio_chain *chain = &block->chain;
	const struct iovec *last;
	struct slot *slot;
	uint16_t index;
	int r;

	if (chain->writable_bytes == 0)
		return -EBADMSG;
	index = slot_take(block);
	if (index >= VIRTIO_QUEUE_SIZE_MAX)
		return -EBADMSG;
	last = virtio_chain_writable(chain) + chain->writable_count - 1;
	slot = &block->slots[index];
	slot->head = chain->head;
	slot->status = (uint8_t *)last->iov_base + last->iov_len - 1;
	slot->written = 0;
	r = run(block, request, index);
	slot->status_follows = slot->written == chain->writable_bytes - 1;
	if (r != -EINPROGRESS)
		slot_finish(block, index, status_of_errno(r));
	return 0;
}

/* Return: 1 the budget is used up; 0 the queue is empty; -EBADMSG. */
static int drain_queue(struct block *block, unsigned *requests, uint64_t *bytes)
{
	while (*requests > 0 && *bytes > 0) {
		struct request request = {0};
		int r = virtio_queue_pop(block->queue, &block->chain);

		if (r > 0)
			r = handle(block, &request) < 0 ? -EBADMSG : 1;
		if (r <= 0)
			return r;
		--*requests;
		*bytes -= request.data_bytes < *bytes ? request.data_bytes
						      : *bytes;
	}
	return 1;
}

static void block_queue_ready(void *device, unsigned index)
{
	struct block *block = device;
	unsigned requests = BUDGET_REQUESTS;
	uint64_t bytes = BUDGET_BYTES;
	int r;

	do {
		virtio_queue_quiet(block->queue);
		r = drain_queue(block, &requests, &bytes);
		disk_commit(block->disk);
		if (virtio_queue_publish(block->queue))
			virtio_host_interrupt(block->host);
	} while (r == 0 && virtio_queue_listen(block->queue));
	if (r < 0)
		virtio_host_fault(block->host);
	else if (r > 0)
		virtio_host_again(block->host, index);
}

/* Life */

static void block_attach(void *device, const struct virtio_host *host)
{
	struct block *block = device;

	block->host = host;
}

static uint64_t block_features(const void *device)
{
	const struct block *block = device;

	return VIRTIO_QUEUE_FEATURES | BLOCK_F_SEG_MAX |
	       (block->disk->read_only ? BLOCK_F_RO : 0) |
	       (block->writeback ? BLOCK_F_FLUSH : 0);
}

static void block_config_read(const void *device, size_t offset, void *data,
			      size_t len)
{
	const struct block *block = device;

	memcpy(data, (const uint8_t *)&block->config + offset, len);
}

static int block_activate(void *device, struct virtio_queue *queues,
			  uint64_t features)
{
	struct block *block = device;

	slots_reset(block);
	block->queue = &queues[0];
	block->durable = block->writeback && !(features & BLOCK_F_FLUSH);
	return 0;
}

static void block_reset(void *device)
{
	struct block *block = device;

	disk_drain(block->disk);
	block->queue = NULL;
	block->durable = false;
}

/* Between requests a disk has no state but the transport's; its size is what
 * the guest goes on to believe in. */
static int block_save(void *device, struct state *state)
{
	const struct block *block = device;
	uint64_t capacity_sectors = block->config.capacity_sectors;

	state_u64(state, &capacity_sectors);
	return state_status(state);
}

static int block_restore(void *device, struct state *state)
{
	struct block *block = device;
	uint64_t capacity_sectors = 0;

	state_u64(state, &capacity_sectors);
	if (capacity_sectors > block->config.capacity_sectors)
		state_refuse(state);
	if (state_status(state) == 0)
		block->config.capacity_sectors = capacity_sectors;
	return state_status(state);
}

static void block_destroy(void *device)
{
	struct block *block = device;

	if (block == NULL)
		return;
	disk_destroy(block->disk);
	free(block);
}

int block_create(const struct block_setup *setup, struct block **ret_block,
		 struct err *err)
{
	struct block *block = calloc(1, sizeof(*block));

	if (block == NULL)
		return err_set(err, ENOMEM, "block device");
	block->disk = setup->disk;
	block->disk->completed = disk_completed;
	block->disk->owner = block;
	block->writeback = setup->writeback;
	if (setup->id != NULL)
		memcpy(block->id, setup->id, strnlen(setup->id, DISK_ID_BYTES));
	else
		memcpy(block->id, setup->disk->id, DISK_ID_BYTES);
	block->config.capacity_sectors =
		setup->disk->size_bytes / DISK_SECTOR_BYTES;
	block->config.seg_max = SEG_MAX;
	slots_reset(block);
	*ret_block = block;
	return 0;
}

const struct virtio_ops block_ops = {
	.device = {.kind = "block",
		   .destroy = block_destroy,
		   .reset = block_reset,
		   .save = block_save,
		   .restore = block_restore},
	.device_id = VIRTIO_ID_BLOCK,
	.queue_count = 1,
	.queue_size_max = VIRTIO_QUEUE_SIZE_MAX,
	.config_size_bytes = sizeof(struct block_config),
	.attach = block_attach,
	.features = block_features,
	.config_read = block_config_read,
	.activate = block_activate,
	.queue_ready = block_queue_ready,
};
