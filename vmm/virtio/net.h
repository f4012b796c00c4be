/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - a virtio network card (virtio 1.2 §5.1): one queue each way, frames
 * that go straight between guest memory and a link, with checksum and
 * segmentation left to whoever wants to do them.
 */
#ifndef KILN_VIRTIO_NET_H
#define KILN_VIRTIO_NET_H

#include <stdint.h>

#include "backend/link.h"
#include "base/err.h"
#include "virtio/device.h"

struct event_loop;

#define NET_MTU_MIN 68 /* §5.1.4.1 */

enum net_queue {
	NET_RX = 0,
	NET_TX = 1,
	NET_QUEUE_COUNT,
};

struct net_setup {
	struct link link;
	struct event_loop *loop; /* borrowed until destroy */
	uint8_t mac[6];          /* all zero: not offered, the driver's own */
	uint16_t mtu;            /* 0: not offered */
};

struct net_counters {
	uint64_t rx_frames;
	uint64_t rx_bytes;    /* headers not counted, here and below */
	uint64_t rx_too_long; /* longer than the buffers that were there */
	uint64_t rx_refused;  /* no header, or an offload not negotiated */
	uint64_t rx_errors;   /* the link said so */
	uint64_t tx_frames;
	uint64_t tx_bytes;
	uint64_t tx_malformed;   /* too short, too long, or a bad header */
	uint64_t tx_dropped;     /* the link did not take them */
	uint64_t tx_spoofed_mac; /* sent, but from a foreign address */
};

struct net;

/*
 * net_create - takes setup->link on success. Gives *ret_net to a transport or
 * to net_ops.device.destroy(). Thread: as event_loop_add().
 */
int net_create(const struct net_setup *setup, struct net **ret_net,
	       struct err *err);

/* Thread: any, once attached to a transport. */
void net_read_counters(struct net *net, struct net_counters *ret_counters);

extern const struct virtio_ops net_ops;

#endif
