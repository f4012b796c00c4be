/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_private - the network card's state, for net.c (life), net_rx.c and
 * net_tx.c. All of it is under the device's lock.
 */
#ifndef KILN_VIRTIO_NET_PRIVATE_H
#define KILN_VIRTIO_NET_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/event.h"
#include "virtio/net.h"
#include "virtio/net_header.h"

/* What one turn on the loop may take before others get theirs. */
#define NET_BUDGET_FRAMES 64u

/* readv(2) takes 1024 (UIO_MAXIOV); one is for the byte too many. */
#define NET_RX_SLICES_MAX 1023u

struct net_rx_buffer {
	uint16_t head;
	uint16_t slice_count;
	uint32_t size_bytes; /* <= LINK_FRAME_MAX */
};

/* Chains that are popped and wait for frames; the first is used first. */
struct net_rx_window {
	unsigned buffer_count;
	unsigned slice_count;
	size_t room_bytes;
	struct net_rx_buffer buffers[VIRTIO_QUEUE_SIZE_MAX];
	struct iovec slices[NET_RX_SLICES_MAX + 1];
	uint8_t too_many; /* where a frame goes that is longer than room */
};

struct net {
	const struct virtio_host *host; /* borrowed, from attach */
	struct link link;
	uint8_t mac[6];
	bool has_mac;
	uint16_t mtu;
	struct net_counters counters;

	struct virtio_queue *queues; /* NULL: not active */
	uint64_t features;           /* negotiated, and usable */

	/* Thread: loop */
	struct event_loop *loop;
	struct event_source source; /* the link's */
	uint32_t watched;           /* events asked for */
	bool link_is_gone;          /* the source is out of the loop */
	unsigned errors_in_a_row;   /* of the link */

	struct net_rx_window window;
	struct virtio_chain chain; /* scratch, too large for a stack */
	uint8_t tx_header[NET_HEADER_BYTES];
	struct iovec tx_slices[VIRTIO_QUEUE_SIZE_MAX + 1];
};

/* Let frames through until there is nothing left to do or a budget is used up.
 * Lock held, while active. Thread: loop. */
void net_receive(struct net *net);
void net_transmit(struct net *net);

/* net_watch_link - events: EPOLLIN or 0. Thread: loop. */
void net_watch_link(struct net *net, uint32_t events);
/* net_lose_link - the interface was deleted: stay alive without it. */
void net_lose_link(struct net *net);

#endif
