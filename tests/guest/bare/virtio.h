/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio - the driver's side of virtio-mmio and of split queues, with nothing
 * checked on the way: a program may write whatever it likes (virtio 1.2 §2.7,
 * §4.2).
 */
#ifndef KILN_BARE_VIRTIO_H
#define KILN_BARE_VIRTIO_H

#include "bare.h"

/* §4.2.2 */
enum {
	REG_MAGIC = 0x00,
	REG_VERSION = 0x04,
	REG_DEVICE_ID = 0x08,
	REG_VENDOR_ID = 0x0c,
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

/* §2.1 */
enum {
	STATUS_ACKNOWLEDGE = 1,
	STATUS_DRIVER = 2,
	STATUS_DRIVER_OK = 4,
	STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 64,
	STATUS_FAILED = 128,
	STATUS_RUNNING = 15,
};

#define ID_NET   1
#define ID_BLOCK 2
#define ID_RNG   4

#define F_INDIRECT  (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

#define QUEUE_MAX 256

struct desc {
	uint64_t address;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* A queue's memory: the three parts on pages of their own. */
struct queue_memory {
	struct desc desc[QUEUE_MAX];
	uint16_t avail[2048]; /* flags, idx, ring[size], used_event */
	uint16_t used[2048];  /* flags, idx, {id32, len32}[size], avail_event */
} __attribute__((aligned(4096)));

struct device {
	uint64_t base;
	unsigned irq;
	unsigned id;
	uint64_t features; /* negotiated */
};

struct queue {
	const struct device *device;
	unsigned index;
	unsigned size;
	volatile struct desc *desc;
	volatile uint16_t *avail;
	volatile uint16_t *used;
	uint16_t avail_idx; /* next to give */
	uint16_t used_idx;  /* next to take back */
};

static inline uint32_t reg(const struct device *device, unsigned offset)
{
	return read32(device->base + offset);
}

static inline void reg_set(const struct device *device, unsigned offset,
			   uint32_t value)
{
	write32(device->base + offset, value);
}

/* device_find - the n-th device with this id among those that the command
 * line names; a missing one ends the program. */
struct device device_find(unsigned id, unsigned n);
bool device_exists(unsigned id, unsigned n);

uint64_t device_features(const struct device *device);

/* device_negotiate - reset, then up to FEATURES_OK with `features` of those
 * offered. Return: whether FEATURES_OK stuck. */
bool device_negotiate(struct device *device, uint64_t features);
void device_run(const struct device *device); /* DRIVER_OK */
void device_reset(const struct device *device);

/* queue_setup - rings in `memory`, cleared; size entries. */
void queue_setup(struct queue *queue, const struct device *device,
		 unsigned index, unsigned size, struct queue_memory *memory);
/* queue_tell - the registers alone: where the rings are, then ready. */
void queue_tell(const struct device *device, unsigned index, unsigned size,
		uint64_t desc, uint64_t avail, uint64_t used);

struct part {
	const void *at;
	uint32_t len;
	bool writable; /* by the device */
};

/* queue_chain - descriptors first, first + 1, ... for the parts. */
void queue_chain(const struct queue *queue, unsigned first,
		 const struct part *parts, unsigned count);
/* The same in an indirect table behind descriptor `first`. */
void queue_chain_indirect(const struct queue *queue, unsigned first,
			  struct desc *table, const struct part *parts,
			  unsigned count);

void queue_give(struct queue *queue, uint16_t head); /* and no kick */
void queue_kick(const struct queue *queue);

/* queue_wait - until `count` more are back, which are then taken. False when
 * they do not come. */
bool queue_wait(struct queue *queue, unsigned count);
/* Of the element that came back `ago` takes before now (1: the last). */
uint32_t queue_used_len(const struct queue *queue, unsigned ago);
uint32_t queue_used_id(const struct queue *queue, unsigned ago);

/* device_wait_status - until (status & bits) == bits; false: never. */
bool device_wait_status(const struct device *device, uint32_t bits);

#endif
