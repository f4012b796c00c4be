/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmio - the virtio-mmio transport, version 2 (virtio 1.2 §4.2): one register
 * page, one interrupt line and one eventfd per queue for each device.
 *
 * Threads: registers are read and written by vCPU threads, queues are worked
 * on by the loop thread; one lock per device covers both. InterruptStatus and
 * InterruptACK take no lock, so that an interrupt handler in the guest never
 * waits for I/O of the host.
 */
#ifndef KILN_VIRTIO_MMIO_H
#define KILN_VIRTIO_MMIO_H

#include <stdint.h>

#include "base/err.h"
#include "core/bus.h"
#include "core/irq.h"
#include "core/memory.h"
#include "virtio/device.h"

struct event_loop;
struct state;

#define VIRTIO_MMIO_SIZE_BYTES   0x1000
#define VIRTIO_MMIO_QUEUE_NOTIFY 0x50 /* §4.2.2, the ioeventfd's address */

struct virtio_mmio_setup {
	const struct virtio_ops *ops;
	void *device;                      /* as ops wants it */
	const struct guest_memory *memory; /* borrowed until destroy */
	struct irq_line irq;               /* copied; its fd is borrowed */
	struct event_loop *loop;           /* borrowed until destroy */
};

struct virtio_mmio;

/*
 * virtio_mmio_create - put a device behind a register page and its queues
 * into the loop. Takes setup->device on success; on failure it stays with the
 * caller. Thread: as event_loop_add().
 */
int virtio_mmio_create(const struct virtio_mmio_setup *setup,
		       struct virtio_mmio **ret_mmio, struct err *err);

/* virtio_mmio_destroy - the device too. When no vCPU runs; accepts NULL. */
void virtio_mmio_destroy(struct virtio_mmio *mmio);

/* For bus_add(bus, base, VIRTIO_MMIO_SIZE_BYTES, ..., mmio). */
extern const struct bus_ops virtio_mmio_bus_ops;

unsigned virtio_mmio_queue_count(const struct virtio_mmio *mmio);

/*
 * virtio_mmio_notify_fd - the eventfd behind queue `index`, for KVM_IOEVENTFD
 * at base + VIRTIO_MMIO_QUEUE_NOTIFY, 4 bytes, datamatch = index. Borrowed. A
 * notification that reaches the bus instead works as well.
 */
int virtio_mmio_notify_fd(const struct virtio_mmio *mmio, unsigned index);

/*
 * virtio_mmio_save, virtio_mmio_restore - transport, queues and device. With
 * the vCPUs stopped, on the loop's thread. Restore wants a transport that was
 * just created with the same ops; on failure it is fit for destroy only.
 * Return: 0; -EINVAL; -errno of the device.
 */
int virtio_mmio_save(struct virtio_mmio *mmio, struct state *state);
int virtio_mmio_restore(struct virtio_mmio *mmio, struct state *state);

#endif
