/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest and a host that do anything to a network card: the input is a list
 * of steps that write registers and guest memory (rings and descriptors among
 * it), send frames from the link's far end, and let the card work in between.
 * What must hold: the sanitizers are quiet, a frame reaches the link only in
 * sensible length and with a sensible header, offloads come in sets that a
 * kernel takes, the window stays in its bounds, and no work is without end.
 *
 *	step: kind, then a16 b32 (register) | a16 len8 bytes (memory) |
 *	      q8 a64 l32 f8 (a buffer) | len16 bytes (a frame) | nothing
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/array.h"
#include "base/le.h"
#include "tests/unit/virtio_driver.h"
#include "virtio/net.h"
#include "virtio/net_private.h"

#define ROUNDS_MAX 64
#define QUEUE      16

struct input {
	const uint8_t *at;
	size_t left;
};

/* One frame waits at the most. */
static struct {
	uint8_t bytes[LINK_FRAME_MAX + 64];
	size_t len;
	bool waits;
} incoming;

static unsigned send_count;

static uint64_t take(struct input *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && in->left > 0; i++) {
		value |= (uint64_t)*in->at++ << (8 * i);
		in->left--;
	}
	return value;
}

static ssize_t fuzz_receive(void *link, const struct iovec *iov, unsigned count)
{
	size_t at = 0;

	(void)link;
	if (!incoming.waits)
		return -EAGAIN;
	incoming.waits = false;
	for (unsigned i = 0; i < count && at < incoming.len; i++) {
		size_t n = incoming.len - at;

		n = n < iov[i].iov_len ? n : iov[i].iov_len;
		memcpy(iov[i].iov_base, incoming.bytes + at, n);
		at += n;
	}
	return (ssize_t)at;
}

static ssize_t fuzz_send(void *link, const struct iovec *iov, unsigned count)
{
	size_t len = 0;
	uint8_t sum = 0;
	const uint8_t *header = iov[0].iov_base;

	(void)link;
	send_count++;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *bytes = iov[i].iov_base;

		for (size_t k = 0; k < iov[i].iov_len; k += 512)
			sum ^= bytes[k]; /* is it there at all? */
		len += iov[i].iov_len;
	}
	if (iov[0].iov_len != NET_HEADER_BYTES || len > LINK_FRAME_MAX ||
	    len < NET_HEADER_BYTES + NET_ETHERNET_BYTES || header[0] > 1)
		abort();
	if (header[0] == 1 &&
	    (size_t)le16_load(header + 6) + le16_load(header + 8) + 2 >
		    len - NET_HEADER_BYTES)
		abort();
	if (header[1] != 0 && le16_load(header + 4) == 0)
		abort();
	return sum & 1 ? -EAGAIN : (ssize_t)len;
}

static int fuzz_set_offload(void *link, unsigned offload)
{
	(void)link;
	/* the kernel refuses the others without the first */
	if (offload != 0 && !(offload & LINK_OFFLOAD_CHECKSUM))
		abort();
	return 0;
}

static void fuzz_destroy(void *link)
{
	(void)link;
}

static const struct link_ops fuzz_ops = {
	.receive = fuzz_receive,
	.send = fuzz_send,
	.set_offload = fuzz_set_offload,
	.destroy = fuzz_destroy,
};

struct fuzz {
	struct driver driver;
	struct net *net;
};

static void do_register(struct fuzz *fuzz, struct input *in)
{
	unsigned reg = (unsigned)take(in, 2) & 0x1fc;

	driver_reg_set(&fuzz->driver, reg, (uint32_t)take(in, 4));
	(void)driver_reg(&fuzz->driver, reg);
}

static void do_memory(struct fuzz *fuzz, struct input *in)
{
	gpa_t gpa = DRIVER_RING(0) + (take(in, 2) & 0x7fff);
	uint8_t bytes[255];
	size_t len = take(in, 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)take(in, 1);
	(void)guest_write(&fuzz->driver.memory, gpa, bytes, len);
}

static void do_buffer(struct fuzz *fuzz, struct input *in)
{
	unsigned index = (unsigned)take(in, 1) % NET_QUEUE_COUNT;
	struct driver_part parts[2] = {
		{take(in, 8), (uint32_t)take(in, 4), false},
	};
	unsigned flags = (unsigned)take(in, 1);

	if (fuzz->driver.queues[index].size == 0)
		return;
	parts[0].write = flags & 1;
	parts[1] = (struct driver_part){DRIVER_DATA, flags >> 2, flags & 1};
	(void)driver_add(&fuzz->driver.queues[index], parts, flags & 2 ? 2 : 1);
	driver_kick(&fuzz->driver, index);
}

static void do_frame(struct fuzz *fuzz, struct input *in)
{
	size_t len = take(in, 2);

	(void)fuzz;
	incoming.len = len;
	for (size_t i = 0; i < len && i < 32; i++)
		incoming.bytes[i] = (uint8_t)take(in, 1);
	incoming.waits = true;
}

static void do_start(struct fuzz *fuzz, struct input *in)
{
	uint64_t features = take(in, 2) | VIRTIO_QUEUE_FEATURES;

	features &= driver_features(&fuzz->driver);
	(void)driver_start(&fuzz->driver, features | VIRTIO_F_VERSION_1, QUEUE);
}

/* The loop's part: the link first, then the queues. */
static void do_work(struct fuzz *fuzz, struct input *in)
{
	struct net *net = fuzz->net;

	(void)in;
	send_count = 0;
	if (!net->link_is_gone && incoming.waits && net->watched & EPOLLIN)
		net->source.ready(net->source.owner, EPOLLIN);
	(void)driver_pump_rounds(&fuzz->driver, ROUNDS_MAX);
	if (send_count > ROUNDS_MAX * 2 * NET_BUDGET_FRAMES)
		abort();
	if (net->window.buffer_count > VIRTIO_QUEUE_SIZE_MAX ||
	    net->window.slice_count > NET_RX_SLICES_MAX)
		abort();
}

typedef void step_fn(struct fuzz *fuzz, struct input *in);

static step_fn *const steps[] = {
	do_register, do_memory, do_buffer, do_frame, do_start, do_work,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));
	struct event_loop *loop = NULL;
	struct net_setup setup = {.mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500};
	int fd = event_notifier_create();

	if (fuzz == NULL || fd < 0 || event_loop_create(&loop) < 0)
		abort();
	setup.loop = loop;
	setup.link = (struct link){&fuzz_ops, NULL, fd};
	if (net_create(&setup, &fuzz->net, NULL) < 0)
		abort();
	driver_open(&fuzz->driver, &net_ops, fuzz->net);
	incoming.waits = false;
	while (in.left > 0)
		steps[take(&in, 1) % ARRAY_LEN(steps)](fuzz, &in);
	do_work(fuzz, &in);
	driver_close(&fuzz->driver);
	event_loop_destroy(loop);
	(void)close(fd);
	free(fuzz);
	return 0;
}
