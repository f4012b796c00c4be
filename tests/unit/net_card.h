/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_card - a network card between an in-test driver and a link that is one
 * end of a socket pair: one packet, one frame. The link's source is called by
 * hand, and only when the card asks for its events, as the loop would.
 */
#ifndef KILN_TESTS_UNIT_NET_CARD_H
#define KILN_TESTS_UNIT_NET_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/le.h"
#include "virtio/net.h"
#include "virtio/net_private.h"
#include "virtio_driver.h"

#define BASIC  (VIRTIO_F_VERSION_1 | VIRTIO_QUEUE_FEATURES)
#define HDR    NET_HEADER_BYTES
#define QUEUE  64
#define ROOM_A DRIVER_DATA
#define ROOM_B DRIVER_HIGH

enum {
	TO_DEVICE_ALL = LINK_OFFLOAD_CHECKSUM | LINK_OFFLOAD_TSO4 |
			LINK_OFFLOAD_TSO6 | LINK_OFFLOAD_UFO,
	OFFLOAD_UNSET = 0xffff,
	NEEDS_CSUM = 1,
	DATA_VALID = 2,
	GSO_TCPV4 = 1,
};

extern const uint8_t card_mac[6];

struct net_card {
	struct driver driver;
	struct event_loop *loop;
	struct net *net; /* the driver owns it */
	int card_fd;
	int host_fd;
	unsigned offload; /* last set */
	int offload_result;
	int send_result; /* 0: really send */
	int receive_result;
};

struct header_case {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	bool good;
};

/* For cmocka: *state is a card without a driver's features yet. */
struct net_card *card_create(const uint8_t *mac, uint16_t mtu);
int card_set_up(void **state);
int card_tear_down(void **state);
struct net_counters card_counters(const struct net_card *f);
void card_start(struct net_card *f, uint64_t features);
bool card_needs_reset(const struct net_card *f);
unsigned card_pump_link(struct net_card *f);
void card_fill(uint8_t *bytes, size_t len);
void card_host_send(const struct net_card *f, const uint8_t *header,
		    size_t len);
ssize_t card_host_receive(const struct net_card *f, uint8_t *packet,
			  size_t size);
void card_add_rx(struct net_card *f, gpa_t gpa, uint32_t len);
void card_kick(struct net_card *f, unsigned queue);
void card_expect_rx(struct net_card *f, uint32_t len);
void card_expect_frame(const struct net_card *f, gpa_t gpa, size_t from,
		       size_t len);
uint16_t card_num_buffers(const struct net_card *f, gpa_t gpa);
void card_guest_send(struct net_card *f, const uint8_t *header, uint32_t len);
bool card_tx_came_back(struct net_card *f);

/* The header that a case describes, in its wire format. */
void card_header_of(const struct header_case *c, uint8_t *header);

#endif
