/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The length of a frame is known when it has been read, so its buffers must be
 * at hand before. With MRG_RXBUF (§5.1.6.4) enough of them are gathered for
 * the longest frame there can be, and a short one uses the first or two; the
 * rest stays in the window for the next frame, walked once.
 *
 *	window:   [ 1500 ][ 1500 ][ 1500 ] ... [ 1500 ][1]
 *	readv:     header + frame ->                    ^ a byte too many:
 *	used:      first ... last                         did not fit
 *
 * The link is watched only while the window has a buffer. Without one the
 * device waits for a kick instead, and frames wait, and then drop, in the
 * host's queue, where the sender feels it.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "virtio/net_private.h"

/* A link that reports nothing but errors would spin the loop. */
#define ERRORS_IN_A_ROW_MAX 64u

enum rx_stop {
	STOP_NO_BUFFER,
	STOP_NO_FRAME,
	STOP_BUDGET,
	STOP_LINK_GONE,
	STOP_BAD_DRIVER,
};

static void window_add(struct net_rx_window *window,
		       const struct virtio_chain *chain)
{
	struct net_rx_buffer *buffer = &window->buffers[window->buffer_count++];
	size_t size = chain->writable_bytes < LINK_FRAME_MAX
			      ? chain->writable_bytes
			      : LINK_FRAME_MAX;
	unsigned count = virtio_iov_view(virtio_chain_writable(chain),
					 chain->writable_count, 0, size,
					 window->slices + window->slice_count);

	*buffer = (struct net_rx_buffer){.head = chain->head,
					 .slice_count = (uint16_t)count,
					 .size_bytes = (uint32_t)size};
	window->slice_count += count;
	window->room_bytes += size;
}

static void window_remove_first(struct net_rx_window *window, unsigned count)
{
	unsigned slices = 0;

	for (unsigned i = 0; i < count; i++) {
		slices += window->buffers[i].slice_count;
		window->room_bytes -= window->buffers[i].size_bytes;
	}
	window->buffer_count -= count;
	window->slice_count -= slices;
	memmove(window->buffers, window->buffers + count,
		window->buffer_count * sizeof(window->buffers[0]));
	memmove(window->slices, window->slices + slices,
		window->slice_count * sizeof(window->slices[0]));
}

static bool window_wants_more(const struct net *net)
{
	const struct net_rx_window *window = &net->window;

	if (!(net->features & NET_F_MRG_RXBUF))
		return window->buffer_count == 0;
	return window->room_bytes < LINK_FRAME_MAX &&
	       window->buffer_count < VIRTIO_QUEUE_SIZE_MAX &&
	       window->slice_count + VIRTIO_QUEUE_SIZE_MAX <= NET_RX_SLICES_MAX;
}

/* Return: 0, or -EBADMSG. §5.1.6.3.1: only writable, and each buffer at least
 * as long as the header, since any may turn out to be a frame's first. */
static int window_fill(struct net *net)
{
	while (window_wants_more(net)) {
		int r = virtio_queue_pop(&net->queues[NET_RX], &net->chain);

		if (r <= 0)
			return r;
		if (net->chain.readable_bytes > 0 ||
		    net->chain.writable_bytes < NET_HEADER_BYTES)
			return -EBADMSG;
		window_add(&net->window, &net->chain);
	}
	return 0;
}

/* The header in place; the guest spoils its own frame if it writes there. */
static void header_copy(const struct net_rx_window *window, uint8_t *header,
			bool to_guest)
{
	struct iovec pieces[NET_HEADER_BYTES];
	unsigned count = virtio_iov_view(window->slices, window->slice_count, 0,
					 NET_HEADER_BYTES, pieces);

	for (unsigned i = 0; i < count; i++) {
		void *guest = pieces[i].iov_base;

		memcpy(to_guest ? guest : header, to_guest ? header : guest,
		       pieces[i].iov_len);
		header += pieces[i].iov_len;
	}
}

static unsigned buffers_for(const struct net_rx_window *window, size_t len)
{
	unsigned count = 0;

	for (size_t room = 0; room < len; count++)
		room += window->buffers[count].size_bytes;
	return count;
}

static void give_to_driver(struct net *net, size_t len)
{
	struct net_rx_window *window = &net->window;
	unsigned count = buffers_for(window, len);
	uint8_t header[NET_HEADER_BYTES];

	header_copy(window, header, false);
	if (!net_header_check_rx(header, net->features, (uint16_t)count)) {
		net->counters.rx_refused++;
		return;
	}
	header_copy(window, header, true);
	net->counters.rx_frames++;
	net->counters.rx_bytes += len - NET_HEADER_BYTES;
	for (unsigned i = 0; i < count; i++) {
		const struct net_rx_buffer *buffer = &window->buffers[i];
		uint32_t part = len < buffer->size_bytes ? (uint32_t)len
							 : buffer->size_bytes;

		virtio_queue_push(&net->queues[NET_RX], buffer->head, part);
		len -= part;
	}
	window_remove_first(window, count);
}

/* Return: bytes of a frame that is in the window; 0 it was dropped; -errno of
 * the link. */
static ssize_t read_frame(struct net *net)
{
	struct net_rx_window *window = &net->window;
	ssize_t n;

	window->slices[window->slice_count] =
		(struct iovec){.iov_base = &window->too_many, .iov_len = 1};
	n = net->link.ops->receive(net->link.self, window->slices,
				   window->slice_count + 1);
	if (n == 0)
		return -ENODEV; /* a socket's far end has closed */
	if (n < 0)
		return n;
	if ((size_t)n > window->room_bytes) {
		net->counters.rx_too_long++;
		return 0;
	}
	if ((size_t)n < NET_HEADER_BYTES + NET_ETHERNET_BYTES) {
		net->counters.rx_refused++;
		return 0;
	}
	return n;
}

/* Return: true to go on. */
static bool link_failed(struct net *net, ssize_t error, enum rx_stop *ret_stop)
{
	*ret_stop = STOP_NO_FRAME;
	if (error == -EAGAIN)
		return false;
	net->counters.rx_errors++;
	if (error == -ENODEV || ++net->errors_in_a_row > ERRORS_IN_A_ROW_MAX) {
		*ret_stop = STOP_LINK_GONE;
		return false;
	}
	return true;
}

static enum rx_stop receive_some(struct net *net, unsigned *budget)
{
	enum rx_stop stop = STOP_BUDGET;

	for (; *budget > 0; --*budget) {
		ssize_t n;

		if (window_fill(net) < 0)
			return STOP_BAD_DRIVER;
		if (net->window.buffer_count == 0)
			return STOP_NO_BUFFER;
		n = read_frame(net);
		if (n < 0 && !link_failed(net, n, &stop))
			return stop;
		if (n >= 0)
			net->errors_in_a_row = 0;
		if (n > 0)
			give_to_driver(net, (size_t)n);
	}
	return STOP_BUDGET;
}

/* A queue that the driver took back or that is stopped: what was popped from
 * it is not ours to write to any more. */
static bool queue_is_usable(struct net *net)
{
	const struct virtio_queue *queue = &net->queues[NET_RX];

	if (queue->ready && !queue->stopped)
		return true;
	window_remove_first(&net->window, net->window.buffer_count);
	return false;
}

void net_receive(struct net *net)
{
	struct virtio_queue *queue = &net->queues[NET_RX];
	unsigned budget = NET_BUDGET_FRAMES;
	enum rx_stop stop = STOP_NO_BUFFER;

	if (net->link_is_gone)
		return;
	if (!queue_is_usable(net)) {
		net_watch_link(net, 0);
		return;
	}
	do {
		virtio_queue_quiet(queue);
		stop = receive_some(net, &budget);
		if (virtio_queue_publish(queue))
			virtio_host_interrupt(net->host);
	} while (stop == STOP_NO_BUFFER && virtio_queue_listen(queue));
	if (stop == STOP_BAD_DRIVER)
		virtio_host_fault(net->host);
	if (stop == STOP_LINK_GONE)
		net_lose_link(net);
	/* Level-triggered: a used-up budget comes back after the others. */
	net_watch_link(net, stop == STOP_NO_FRAME || stop == STOP_BUDGET
				    ? EPOLLIN
				    : 0);
}
