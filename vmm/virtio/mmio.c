/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two kinds of thread meet here. A vCPU's comes through the register page, the
 * loop's through the eventfd of a queue; the device's lock lets one in at a
 * time. After a reset the eventfds may still hold a kick: the loop finds the
 * device not running and drops it.
 */
#include "virtio/mmio.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/fd.h"
#include "core/event.h"
#include "core/state.h"
#include "virtio/mmio_private.h"

/* What the device asks of its transport */

static void interrupt_raise(struct virtio_mmio *mmio, uint32_t bit)
{
	__atomic_fetch_or(&mmio->interrupt_status, bit, __ATOMIC_SEQ_CST);
	irq_line_raise(&mmio->irq);
}

static void host_lock(void *transport)
{
	struct virtio_mmio *mmio = transport;

	(void)pthread_mutex_lock(&mmio->lock);
}

static void host_unlock(void *transport)
{
	struct virtio_mmio *mmio = transport;

	(void)pthread_mutex_unlock(&mmio->lock);
}

static void host_interrupt(void *transport)
{
	struct virtio_mmio *mmio = transport;

	if (mmio_is_running(mmio))
		interrupt_raise(mmio, INTERRUPT_USED);
}

static void host_config_changed(void *transport)
{
	struct virtio_mmio *mmio = transport;

	/* The count moves even before DRIVER_OK: the driver may be reading. */
	mmio->config_generation++;
	if (mmio_is_running(mmio))
		interrupt_raise(mmio, INTERRUPT_CONFIG);
}

static void host_fault(void *transport)
{
	struct virtio_mmio *mmio = transport;

	if (mmio->status & STATUS_NEEDS_RESET)
		return;
	mmio->status |= STATUS_NEEDS_RESET;
	for (unsigned i = 0; i < mmio->ops->queue_count; i++)
		virtio_queue_stop(&mmio->queues[i]);
	/* §2.1.2: the notification is for after DRIVER_OK only. */
	if (mmio->status & STATUS_DRIVER_OK)
		interrupt_raise(mmio, INTERRUPT_CONFIG);
}

static void host_again(void *transport, unsigned queue_index)
{
	const struct virtio_mmio *mmio = transport;

	if (queue_index < mmio->ops->queue_count)
		event_notifier_signal(mmio->notifiers[queue_index].source.fd);
}

static const struct virtio_host_ops host_ops = {
	.lock = host_lock,
	.unlock = host_unlock,
	.interrupt = host_interrupt,
	.config_changed = host_config_changed,
	.fault = host_fault,
	.again = host_again,
};

/* Thread: loop. KVM or a trapped QueueNotify has signalled the eventfd. */
static void notifier_ready(void *owner, uint32_t events)
{
	struct notifier *notifier = owner;
	struct virtio_mmio *mmio = notifier->mmio;

	(void)events;
	/* Cleared first: a kick during the work below must come back. */
	event_notifier_clear(notifier->source.fd);
	host_lock(mmio);
	if (mmio_is_running(mmio))
		mmio->ops->queue_ready(mmio->device, notifier->index);
	host_unlock(mmio);
}

void mmio_notify_all(const struct virtio_mmio *mmio)
{
	for (unsigned i = 0; i < mmio->ops->queue_count; i++)
		event_notifier_signal(mmio->notifiers[i].source.fd);
}

unsigned virtio_mmio_queue_count(const struct virtio_mmio *mmio)
{
	return mmio->ops->queue_count;
}

int virtio_mmio_notify_fd(const struct virtio_mmio *mmio, unsigned index)
{
	if (index >= mmio->ops->queue_count)
		return -1;
	return mmio->notifiers[index].source.fd;
}

/* Life */

static int notifier_create(struct virtio_mmio *mmio, unsigned index)
{
	struct notifier *notifier = &mmio->notifiers[index];
	int fd = event_notifier_create();
	int r;

	if (fd < 0)
		return fd;
	notifier->mmio = mmio;
	notifier->index = index;
	notifier->source = (struct event_source){
		.fd = fd, .ready = notifier_ready, .owner = notifier};
	r = event_loop_add(mmio->loop, &notifier->source, EPOLLIN);
	notifier->added = r == 0;
	return r;
}

static void notifiers_destroy(struct virtio_mmio *mmio)
{
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		struct notifier *notifier = &mmio->notifiers[i];

		if (notifier->added)
			event_loop_remove(mmio->loop, &notifier->source);
		fd_close(&notifier->source.fd);
	}
}

static void fill(struct virtio_mmio *mmio,
		 const struct virtio_mmio_setup *setup)
{
	mmio->ops = setup->ops;
	mmio->device = setup->device;
	mmio->memory = setup->memory;
	mmio->irq = setup->irq;
	mmio->loop = setup->loop;
	mmio->host = (struct virtio_host){&host_ops, mmio};
	(void)pthread_mutex_init(&mmio->lock, NULL);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		mmio->notifiers[i].source.fd = -1;
		virtio_queue_init(&mmio->queues[i], setup->ops->queue_size_max);
	}
}

int virtio_mmio_create(const struct virtio_mmio_setup *setup,
		       struct virtio_mmio **ret_mmio, struct err *err)
{
	struct virtio_mmio *mmio = calloc(1, sizeof(*mmio));
	int r = 0;

	if (mmio == NULL)
		return err_set(err, ENOMEM, "virtio device '%s'",
			       setup->ops->device.kind);
	fill(mmio, setup);
	for (unsigned i = 0; i < setup->ops->queue_count && r == 0; i++)
		r = notifier_create(mmio, i);
	if (r < 0) {
		mmio->device = NULL; /* stays with the caller */
		virtio_mmio_destroy(mmio);
		return err_set(err, -r, "notifier of virtio device '%s'",
			       setup->ops->device.kind);
	}
	mmio->ops->attach(mmio->device, &mmio->host);
	*ret_mmio = mmio;
	return 0;
}

void virtio_mmio_destroy(struct virtio_mmio *mmio)
{
	if (mmio == NULL)
		return;
	notifiers_destroy(mmio);
	if (mmio->device != NULL)
		mmio->ops->device.destroy(mmio->device);
	(void)pthread_mutex_destroy(&mmio->lock);
	free(mmio);
}

/* Snapshots */

static void transport_state(struct virtio_mmio *mmio, struct state *state)
{
	state_u32(state, &mmio->interrupt_status);
	state_u32(state, &mmio->status);
	state_u32(state, &mmio->device_features_sel);
	state_u32(state, &mmio->driver_features_sel);
	state_u32(state, &mmio->queue_sel);
	state_u32(state, &mmio->config_generation);
	state_u64(state, &mmio->driver_features);
	state_bool(state, &mmio->features_unknown);
}

static int queues_state(struct virtio_mmio *mmio, struct state *state)
{
	int r = 0;

	for (unsigned i = 0; i < mmio->ops->queue_count && r == 0; i++)
		r = virtio_queue_save(&mmio->queues[i], state, mmio->memory,
				      mmio->driver_features);
	return r;
}

static bool queues_are_possible(const struct virtio_mmio *mmio)
{
	bool ready = false;

	for (unsigned i = 0; i < mmio->ops->queue_count; i++)
		ready |= mmio->queues[i].ready;
	return !ready || (mmio->status & STATUS_FEATURES_OK);
}

static int save_locked(struct virtio_mmio *mmio, struct state *state)
{
	int r;

	transport_state(mmio, state);
	r = queues_state(mmio, state);
	return r < 0 ? r : mmio->ops->device.save(mmio->device, state);
}

static int restore_locked(struct virtio_mmio *mmio, struct state *state)
{
	int r;

	transport_state(mmio, state);
	if (state_status(state) < 0 || !mmio_status_is_possible(mmio))
		return -EINVAL;
	r = queues_state(mmio, state);
	if (r < 0)
		return r;
	if (!queues_are_possible(mmio))
		return -EINVAL;
	if (mmio_is_running(mmio)) {
		r = mmio->ops->activate(mmio->device, mmio->queues,
					mmio->driver_features);
		if (r < 0)
			return r;
	}
	return mmio->ops->device.restore(mmio->device, state);
}

int virtio_mmio_save(struct virtio_mmio *mmio, struct state *state)
{
	int r;

	host_lock(mmio);
	r = save_locked(mmio, state);
	host_unlock(mmio);
	return r;
}

int virtio_mmio_restore(struct virtio_mmio *mmio, struct state *state)
{
	int r;

	host_lock(mmio);
	r = restore_locked(mmio, state);
	if (r == 0 && mmio_is_running(mmio))
		mmio_notify_all(mmio);
	/* An edge on its way when the snapshot was taken is lost. */
	if (r == 0 && mmio->interrupt_status != 0)
		irq_line_raise(&mmio->irq);
	host_unlock(mmio);
	return r;
}
