/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmio_private - the transport's state, for mmio.c (life, queues, snapshots)
 * and mmio_regs.c (what the driver sees). Everything but interrupt_status is
 * under the lock.
 */
#ifndef KILN_VIRTIO_MMIO_PRIVATE_H
#define KILN_VIRTIO_MMIO_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "virtio/mmio.h"

/* §2.1 */
enum {
	STATUS_ACKNOWLEDGE = 1,
	STATUS_DRIVER = 2,
	STATUS_DRIVER_OK = 4,
	STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 64,
	STATUS_FAILED = 128,
	STATUS_BROKEN = STATUS_NEEDS_RESET | STATUS_FAILED,
};

/* §4.2.2, InterruptStatus */
enum {
	INTERRUPT_USED = 1,
	INTERRUPT_CONFIG = 2,
	INTERRUPT_ALL = INTERRUPT_USED | INTERRUPT_CONFIG,
};

struct notifier {
	struct event_source source; /* fd -1 until made */
	struct virtio_mmio *mmio;
	unsigned index;
	bool added;
};

struct virtio_mmio {
	pthread_mutex_t lock;
	const struct virtio_ops *ops;
	void *device;
	const struct guest_memory *memory;
	struct irq_line irq;
	struct event_loop *loop;
	struct virtio_host host;

	uint32_t interrupt_status; /* atomic, without the lock */

	uint32_t status;
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t config_generation;
	uint64_t driver_features;
	bool features_unknown; /* the driver set bits from 64 on */
	struct virtio_queue queues[VIRTIO_QUEUES_MAX];
	struct notifier notifiers[VIRTIO_QUEUES_MAX];
};

/* Past DRIVER_OK and not broken: only then may queues be touched. */
static inline bool mmio_is_running(const struct virtio_mmio *mmio)
{
	return (mmio->status & STATUS_DRIVER_OK) &&
	       !(mmio->status & STATUS_BROKEN);
}

/* Signal every queue's eventfd, so that the loop looks at all of them. */
void mmio_notify_all(const struct virtio_mmio *mmio);

/* Could a driver's writes have led to this status? For a restored one. */
bool mmio_status_is_possible(const struct virtio_mmio *mmio);

#endif
