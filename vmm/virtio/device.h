/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - what a virtio device gives to a transport (struct virtio_ops) and
 * what the transport gives to it (struct virtio_host). Neither sees more of
 * the other, so that a device works behind any transport and in a unit test.
 *
 * Life: create (by the builder, x_create() with plain parameters) -> attach ->
 * { activate -> queue_ready... -> reset }... -> destroy.
 *
 * One lock per device, the transport's. It is held in every callback below
 * but attach and destroy. A device with sources of its own in the event loop
 * (a tap, a timer) takes it in their callbacks with virtio_host_lock().
 */
#ifndef KILN_VIRTIO_DEVICE_H
#define KILN_VIRTIO_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "virtio/queue.h"

#define VIRTIO_QUEUES_MAX 8 /* of one device */

#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32) /* virtio 1.2 §6 */

/* virtio 1.2 §5 */
enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_RNG = 4,
};

/* The transport, as a device sees it. Lock held in all but lock(). */
struct virtio_host_ops {
	void (*lock)(void *transport);
	void (*unlock)(void *transport);
	void (*interrupt)(void *transport);
	void (*config_changed)(void *transport);
	void (*fault)(void *transport);
	void (*again)(void *transport, unsigned queue_index);
};

struct virtio_host {
	const struct virtio_host_ops *ops;
	void *transport;
};

static inline void virtio_host_lock(const struct virtio_host *host)
{
	host->ops->lock(host->transport);
}

static inline void virtio_host_unlock(const struct virtio_host *host)
{
	host->ops->unlock(host->transport);
}

/* Used buffer notification; when virtio_queue_publish() said so (§2.3). */
static inline void virtio_host_interrupt(const struct virtio_host *host)
{
	host->ops->interrupt(host->transport);
}

/* The device changed its configuration space by itself (§2.3). */
static inline void virtio_host_config_changed(const struct virtio_host *host)
{
	host->ops->config_changed(host->transport);
}

/*
 * The driver broke the rules: DEVICE_NEEDS_RESET (§2.1.2). All queues of the
 * device are stopped: from now on they pop nothing and ignore pushes. Only a
 * reset by the driver ends it. Calling it again does nothing.
 */
static inline void virtio_host_fault(const struct virtio_host *host)
{
	host->ops->fault(host->transport);
}

/*
 * Come back to this queue: queue_ready() will be called from the loop, after
 * other devices have had their turn (a budget is used up).
 */
static inline void virtio_host_again(const struct virtio_host *host,
				     unsigned queue_index)
{
	host->ops->again(host->transport, queue_index);
}

struct virtio_ops {
	/*
	 * kind, destroy, reset, save, restore of the device alone; the
	 * transport saves features and queues. reset: the driver resets, on a
	 * vCPU thread; on return the device touches no queue and no guest
	 * memory any more. It may not call event_loop_*: a source of the
	 * device's goes quiet in its next callback. Called whether or not the
	 * device was activated. restore: after activate, if it was active.
	 */
	struct device_ops device;
	enum virtio_id device_id;
	unsigned queue_count;    /* <= VIRTIO_QUEUES_MAX */
	uint16_t queue_size_max; /* power of two <= VIRTIO_QUEUE_SIZE_MAX */
	uint32_t config_size_bytes;

	/* Once, from the transport's create; host is borrowed until destroy. */
	void (*attach)(void *device, const struct virtio_host *host);

	/* Feature bits offered; the transport adds VIRTIO_F_VERSION_1. */
	uint64_t (*features)(const void *device);

	/*
	 * [offset, offset + len) is inside config_size_bytes. Thread: vcpu.
	 * config_write may be NULL: nothing is writable.
	 */
	void (*config_read)(const void *device, size_t offset, void *data,
			    size_t len);
	void (*config_write)(void *device, size_t offset, const void *data,
			     size_t len);

	/*
	 * DRIVER_OK. queues[queue_count] are borrowed until reset; a driver
	 * may have left some not ready, which then stay empty. features: a
	 * subset of what was offered. No I/O here (Thread: vcpu): queue_ready
	 * follows at once for every queue. Return: 0; -errno makes the
	 * transport set DEVICE_NEEDS_RESET.
	 */
	int (*activate)(void *device, struct virtio_queue *queues,
			uint64_t features);

	/*
	 * The driver kicked queue `index`, or activate or virtio_host_again()
	 * wants a look; spurious calls happen. Only while activated.
	 * Thread: loop, so event_loop_change() is allowed.
	 */
	void (*queue_ready)(void *device, unsigned index);
};

#endif
