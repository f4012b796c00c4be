/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is one chain: header, then the frame, in whatever pieces. The header
 * is copied, checked, and sent from the copy; the frame goes to the link from
 * where it lies. A link that does not take it is a full cable: the frame is
 * lost, the buffer comes back at once, and no driver ever waits for a host.
 */
#include <errno.h>
#include <string.h>

#include "virtio/net_private.h"

#define SOURCE_MAC_AT (NET_HEADER_BYTES + 6u)

static void count_foreign_mac(struct net *net)
{
	uint8_t mac[sizeof(net->mac)];

	if (net->has_mac &&
	    virtio_chain_read(&net->chain, SOURCE_MAC_AT, mac, sizeof(mac)) ==
		    0 &&
	    memcmp(mac, net->mac, sizeof(mac)) != 0)
		net->counters.tx_spoofed_mac++;
}

static void transmit_frame(struct net *net)
{
	const struct virtio_chain *chain = &net->chain;
	uint8_t *header = net->tx_header;
	size_t len = chain->readable_bytes;
	unsigned count;

	if (len > LINK_FRAME_MAX ||
	    virtio_chain_read(chain, 0, header, NET_HEADER_BYTES) < 0 ||
	    !net_header_check_tx(header, len - NET_HEADER_BYTES,
				 net->features)) {
		net->counters.tx_malformed++;
		return;
	}
	count_foreign_mac(net);
	net->tx_slices[0] =
		(struct iovec){.iov_base = header, .iov_len = NET_HEADER_BYTES};
	count = virtio_iov_view(virtio_chain_readable(chain),
				chain->readable_count, NET_HEADER_BYTES,
				len - NET_HEADER_BYTES, net->tx_slices + 1);
	if (net->link_is_gone ||
	    net->link.ops->send(net->link.self, net->tx_slices, count + 1) <
		    0) {
		net->counters.tx_dropped++;
		return;
	}
	net->counters.tx_frames++;
	net->counters.tx_bytes += len - NET_HEADER_BYTES;
}

/* Return: 1 the budget is used up; 0 the queue is empty; -EBADMSG. */
static int transmit_some(struct net *net, unsigned *budget)
{
	struct virtio_queue *queue = &net->queues[NET_TX];

	for (; *budget > 0; --*budget) {
		int r = virtio_queue_pop(queue, &net->chain);

		if (r <= 0)
			return r;
		transmit_frame(net);
		virtio_queue_push(queue, net->chain.head, 0);
	}
	return 1;
}

void net_transmit(struct net *net)
{
	struct virtio_queue *queue = &net->queues[NET_TX];
	unsigned budget = NET_BUDGET_FRAMES;
	int r;

	do {
		virtio_queue_quiet(queue);
		r = transmit_some(net, &budget);
		if (virtio_queue_publish(queue))
			virtio_host_interrupt(net->host);
	} while (r == 0 && virtio_queue_listen(queue));
	if (r < 0)
		virtio_host_fault(net->host);
	else if (r > 0)
		virtio_host_again(net->host, NET_TX);
}
