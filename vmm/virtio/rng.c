/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/rng.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/entropy.h"

/* One turn on the loop: half a MiB, about a millisecond of the generator. */
#define BUDGET_REQUESTS 8u

struct rng {
	const struct virtio_host *host; /* borrowed, from attach */
	struct virtio_queue *queue;     /* NULL: not active */
	struct virtio_chain chain;      /* scratch */
};

/*
 * §5.4.6: fewer bytes than there is room for are fine, and readable buffers
 * mean nothing. When the host has none to give the buffer comes back empty.
 */
static uint32_t fill(const struct virtio_chain *chain)
{
	const struct iovec *iov = virtio_chain_writable(chain);
	uint32_t written = 0;

	for (unsigned i = 0; i < chain->writable_count; i++) {
		size_t len = RNG_REQUEST_BYTES_MAX - written;

		if (len > iov[i].iov_len)
			len = iov[i].iov_len;
		if (len == 0 || entropy_fill(iov[i].iov_base, len) < 0)
			break;
		written += (uint32_t)len;
	}
	return written;
}

/* Return: 1 the budget is used up; 0 the queue is empty; -EBADMSG. */
static int drain_queue(struct rng *rng, unsigned *requests)
{
	for (; *requests > 0; --*requests) {
		int r = virtio_queue_pop(rng->queue, &rng->chain);

		if (r <= 0)
			return r;
		virtio_queue_push(rng->queue, rng->chain.head,
				  fill(&rng->chain));
	}
	return 1;
}

static void rng_queue_ready(void *device, unsigned index)
{
	struct rng *rng = device;
	unsigned requests = BUDGET_REQUESTS;
	int r;

	do {
		virtio_queue_quiet(rng->queue);
		r = drain_queue(rng, &requests);
		if (virtio_queue_publish(rng->queue))
			virtio_host_interrupt(rng->host);
	} while (r == 0 && virtio_queue_listen(rng->queue));
	if (r < 0)
		virtio_host_fault(rng->host);
	else if (r > 0)
		virtio_host_again(rng->host, index);
}

static void rng_attach(void *device, const struct virtio_host *host)
{
	struct rng *rng = device;

	rng->host = host;
}

static uint64_t rng_features(const void *device)
{
	(void)device;
	return VIRTIO_QUEUE_FEATURES;
}

static int rng_activate(void *device, struct virtio_queue *queues,
			uint64_t features)
{
	struct rng *rng = device;

	(void)features;
	rng->queue = &queues[0];
	return 0;
}

static void rng_reset(void *device)
{
	struct rng *rng = device;

	rng->queue = NULL;
}

/* All its state is the transport's. */
static int rng_save(void *device, struct state *state)
{
	(void)device;
	(void)state;
	return 0;
}

int rng_create(struct rng **ret_rng, struct err *err)
{
	struct rng *rng = calloc(1, sizeof(*rng));

	if (rng == NULL)
		return err_set(err, ENOMEM, "entropy device");
	*ret_rng = rng;
	return 0;
}

const struct virtio_ops rng_ops = {
	.device = {.kind = "rng",
		   .destroy = free,
		   .reset = rng_reset,
		   .save = rng_save,
		   .restore = rng_save},
	.device_id = VIRTIO_ID_RNG,
	.queue_count = 1,
	.queue_size_max = VIRTIO_QUEUE_SIZE_MAX,
	.attach = rng_attach,
	.features = rng_features,
	.activate = rng_activate,
	.queue_ready = rng_queue_ready,
};
