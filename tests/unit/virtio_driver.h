/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_driver - the guest's side of a virtio device, for tests: RAM, a
 * virtio-mmio transport without KVM, and a driver that can also do everything
 * a driver must not.
 *
 *	driver_open(&d, &block_ops, block);
 *	driver_start(&d, features, 16);
 *	driver_add(&d.queues[0], parts, ARRAY_LEN(parts));
 *	driver_kick(&d, 0);
 *	driver_pump(&d);                       the loop's work, here and now
 *	driver_take_used(&d.queues[0], &used);
 *
 * RAM is 1 MiB at 0 and 1 MiB at 4 GiB, a gap between. Queue i has its rings
 * in DRIVER_RING(i); a test may use from DRIVER_DATA on as it likes.
 */
#ifndef KILN_TESTS_VIRTIO_DRIVER_H
#define KILN_TESTS_VIRTIO_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "core/memory.h"
#include "virtio/mmio.h"

#define DRIVER_LOW_BYTES UINT64_C(0x100000)
#define DRIVER_HIGH      UINT64_C(0x100000000)
#define DRIVER_RING(i)   (UINT64_C(0x10000) + UINT64_C(0x4000) * (i))
#define DRIVER_DATA      UINT64_C(0x40000)

/* virtio 1.2 §2.7.5 */
enum {
	DRIVER_NEXT = 1,
	DRIVER_WRITE = 2,
	DRIVER_INDIRECT = 4,
};

/* virtio 1.2 §2.1 */
enum {
	DRIVER_ACKNOWLEDGE = 1,
	DRIVER_DRIVER = 2,
	DRIVER_OK = 4,
	DRIVER_FEATURES_OK = 8,
	DRIVER_NEEDS_RESET = 64,
	DRIVER_FAILED = 128,
};

/* virtio 1.2 §4.2.2 */
enum {
	REG_MAGIC = 0x00,
	REG_VERSION = 0x04,
	REG_DEVICE_ID = 0x08,
	REG_DEVICE_FEATURES = 0x10,
	REG_DEVICE_FEATURES_SEL = 0x14,
	REG_DRIVER_FEATURES = 0x20,
	REG_DRIVER_FEATURES_SEL = 0x24,
	REG_QUEUE_SEL = 0x30,
	REG_QUEUE_NUM_MAX = 0x34,
	REG_QUEUE_NUM = 0x38,
	REG_QUEUE_READY = 0x44,
	REG_QUEUE_NOTIFY = 0x50,
	REG_INTERRUPT_STATUS = 0x60,
	REG_INTERRUPT_ACK = 0x64,
	REG_STATUS = 0x70,
	REG_QUEUE_DESC = 0x80,
	REG_QUEUE_DRIVER = 0x90,
	REG_QUEUE_DEVICE = 0xa0,
	REG_CONFIG_GENERATION = 0xfc,
	REG_CONFIG = 0x100,
};

/* One queue as the driver knows it. Fields may be bent by a test. */
struct driver_queue {
	const struct guest_memory *memory;
	uint16_t size;
	gpa_t desc;
	gpa_t avail;
	gpa_t used;
	uint16_t avail_idx; /* what was made available */
	uint16_t used_seen;
	uint16_t desc_next; /* next descriptor to fill, round and round */
};

struct driver_part {
	gpa_t addr;
	uint32_t len;
	bool write;
};

struct driver_used {
	uint32_t id;
	uint32_t len;
};

struct driver {
	struct guest_memory memory;
	struct event_loop *loop;
	struct virtio_mmio *mmio;
	int irq_fd;
	struct driver_queue queues[VIRTIO_QUEUES_MAX];
};

/* RAM alone, for tests of the queue. */
void driver_memory_create(struct guest_memory *ret_memory);

/* Place the rings at base and zero them. */
void driver_queue_init(struct driver_queue *queue,
		       const struct guest_memory *memory, gpa_t base,
		       uint16_t size);

/* Raw access: one descriptor of a table; one more entry in the avail ring. */
void driver_desc(const struct guest_memory *memory, gpa_t table, unsigned index,
		 const struct driver_part *part, uint16_t flags, uint16_t next);
void driver_offer(struct driver_queue *queue, uint16_t head);
void driver_set_avail_idx(struct driver_queue *queue, uint16_t idx);

/* A chain of count parts in the next descriptors, offered. Return: head. */
uint16_t driver_add(struct driver_queue *queue, const struct driver_part *parts,
		    unsigned count);
/* The same through an indirect table at `table`. */
uint16_t driver_add_indirect(struct driver_queue *queue, gpa_t table,
			     const struct driver_part *parts, unsigned count);

/* The next used element; false when there is none. */
bool driver_take_used(struct driver_queue *queue, struct driver_used *ret_used);

/* The words of EVENT_IDX and of its absence. */
void driver_set_used_event(const struct driver_queue *queue, uint16_t value);
uint16_t driver_avail_event(const struct driver_queue *queue);
void driver_set_avail_flags(const struct driver_queue *queue, uint16_t value);
uint16_t driver_used_flags(const struct driver_queue *queue);

/* A device behind a transport; takes device. */
void driver_open(struct driver *driver, const struct virtio_ops *ops,
		 void *device);
void driver_close(struct driver *driver);

uint32_t driver_reg(const struct driver *driver, unsigned reg);
void driver_reg_set(const struct driver *driver, unsigned reg, uint32_t value);
void driver_config(const struct driver *driver, unsigned offset, void *data,
		   size_t len);
uint64_t driver_features(const struct driver *driver);

/* Reset to FEATURES_OK. Return: the device took the features. */
bool driver_negotiate(struct driver *driver, uint64_t features);
/* Rings in DRIVER_RING(index), told to the device and made ready. */
void driver_queue_set_up(struct driver *driver, unsigned index, uint16_t size);
/* All of it with all queues, to DRIVER_OK. */
bool driver_start(struct driver *driver, uint64_t features, uint16_t size);

void driver_kick(const struct driver *driver, unsigned index);
/* Let queues run that were kicked, till quiet. Return: callbacks made. */
unsigned driver_pump(const struct driver *driver);
/* The same for at most max rounds over the queues. */
unsigned driver_pump_rounds(const struct driver *driver, unsigned max);
/* Interrupts raised since the last call. */
uint64_t driver_irqs(const struct driver *driver);

#endif
