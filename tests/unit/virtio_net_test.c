/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card between an in-test driver and a link that is one end of a socket
 * pair: one packet, one frame. The link's source is called by hand, and only
 * when the card asks for its events, as the loop would.
 */
#include "virtio/net.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/fd.h"
#include "base/le.h"
#include "core/state.h"
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

static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 0x07};

struct fixture {
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

/* The link */

static ssize_t fake_receive(void *link, const struct iovec *iov, unsigned count)
{
	const struct fixture *f = link;
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov,
			     .msg_iovlen = count};
	ssize_t n;

	if (f->receive_result != 0)
		return f->receive_result;
	n = recvmsg(f->card_fd, &msg, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static ssize_t fake_send(void *link, const struct iovec *iov, unsigned count)
{
	const struct fixture *f = link;
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov,
			     .msg_iovlen = count};
	ssize_t n;

	if (f->send_result != 0)
		return f->send_result;
	n = sendmsg(f->card_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static int fake_set_offload(void *link, unsigned offload)
{
	struct fixture *f = link;

	f->offload = offload;
	return f->offload_result;
}

static void fake_destroy(void *link)
{
	struct fixture *f = link;

	fd_close(&f->card_fd);
}

static const struct link_ops fake_ops = {
	.receive = fake_receive,
	.send = fake_send,
	.set_offload = fake_set_offload,
	.destroy = fake_destroy,
};

/* Life */

static struct fixture *create(const uint8_t *mac, uint16_t mtu)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct net_setup setup = {.mtu = mtu};
	int fds[2];
	int size = 1 << 20;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof(size));
	assert_int_equal(event_loop_create(&f->loop), 0);
	f->card_fd = fds[0];
	f->host_fd = fds[1];
	f->offload = OFFLOAD_UNSET;
	setup.loop = f->loop;
	setup.link = (struct link){&fake_ops, f, f->card_fd};
	if (mac != NULL)
		memcpy(setup.mac, mac, 6);
	assert_int_equal(net_create(&setup, &f->net, NULL), 0);
	driver_open(&f->driver, &net_ops, f->net);
	return f;
}

static int set_up(void **state)
{
	*state = create(our_mac, 1400);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	driver_close(&f->driver);
	event_loop_destroy(f->loop);
	fd_close(&f->host_fd);
	assert_int_equal(f->card_fd, -1); /* the card closed its link */
	free(f);
	return 0;
}

static struct net_counters counters(const struct fixture *f)
{
	struct net_counters got;

	net_read_counters(f->net, &got);
	return got;
}

static void start(struct fixture *f, uint64_t features)
{
	assert_true(driver_start(&f->driver, BASIC | features, QUEUE));
	(void)driver_pump(&f->driver);
}

static bool needs_reset(const struct fixture *f)
{
	return driver_reg(&f->driver, REG_STATUS) & DRIVER_NEEDS_RESET;
}

/* What the loop would do about the link. Return: calls. */
static unsigned pump_link(struct fixture *f)
{
	unsigned calls = 0;

	while (!f->net->link_is_gone) {
		struct pollfd pfd = {.fd = f->card_fd,
				     .events = (short)f->net->watched};
		if (poll(&pfd, 1, 0) != 1)
			break;
		assert_true(++calls < 1000); /* a loop that spins */
		f->net->source.ready(f->net->source.owner,
				     (uint32_t)pfd.revents);
	}
	return calls;
}

/* Frames */

static uint8_t nth_byte(size_t n)
{
	return (uint8_t)(n * 5 + n / 255);
}

static void fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = nth_byte(i);
	memcpy(bytes + 6, our_mac, 6);
}

/* The host sends a frame of len bytes behind `header` (NULL: zeroes). */
static void host_send(const struct fixture *f, const uint8_t *header,
		      size_t len)
{
	static uint8_t packet[LINK_FRAME_MAX + 16];

	memset(packet, 0, HDR);
	if (header != NULL)
		memcpy(packet, header, HDR);
	fill(packet + HDR, len);
	assert_int_equal(send(f->host_fd, packet, HDR + len, MSG_DONTWAIT),
			 HDR + len);
}

static ssize_t host_receive(const struct fixture *f, uint8_t *packet,
			    size_t size)
{
	return recv(f->host_fd, packet, size, MSG_DONTWAIT);
}

static void add_rx(struct fixture *f, gpa_t gpa, uint32_t len)
{
	const struct driver_part part = {gpa, len, true};

	(void)driver_add(&f->driver.queues[NET_RX], &part, 1);
}

static void kick(struct fixture *f, unsigned queue)
{
	driver_kick(&f->driver, queue);
	(void)driver_pump(&f->driver);
}

/* The next used receive buffer has `len` bytes, if len is not 0. */
static void expect_rx(struct fixture *f, uint32_t len)
{
	struct driver_used used = {0};
	bool taken = driver_take_used(&f->driver.queues[NET_RX], &used);

	assert_int_equal(taken, len != 0);
	assert_int_equal(used.len, len);
}

static void expect_frame(const struct fixture *f, gpa_t gpa, size_t from,
			 size_t len)
{
	static uint8_t want[LINK_FRAME_MAX];
	static uint8_t got[LINK_FRAME_MAX];

	fill(want, from + len);
	assert_int_equal(guest_read(&f->driver.memory, gpa, got, len), 0);
	assert_memory_equal(got, want + from, len);
}

static uint16_t num_buffers(const struct fixture *f, gpa_t gpa)
{
	uint16_t value = 0;

	assert_int_equal(guest_read(&f->driver.memory, gpa + 10, &value, 2), 0);
	return value;
}

/* The guest sends header and frame as one piece of `len` bytes in all. */
static void guest_send(struct fixture *f, const uint8_t *header, uint32_t len)
{
	static uint8_t packet[LINK_FRAME_MAX + 16];
	const struct driver_part part = {ROOM_A, len, false};

	memset(packet, 0, HDR);
	if (header != NULL)
		memcpy(packet, header, HDR);
	fill(packet + HDR, sizeof(packet) - HDR);
	assert_int_equal(guest_write(&f->driver.memory, ROOM_A, packet, len),
			 0);
	(void)driver_add(&f->driver.queues[NET_TX], &part, 1);
	kick(f, NET_TX);
}

static bool tx_came_back(struct fixture *f)
{
	struct driver_used used = {0};
	bool taken = driver_take_used(&f->driver.queues[NET_TX], &used);

	assert_int_equal(used.len, 0);
	return taken;
}

/* Features and configuration */

static void features_depend_on_mac_and_mtu(void **state)
{
	static const uint64_t always =
		VIRTIO_F_VERSION_1 | VIRTIO_QUEUE_FEATURES | 0xdd83;
	const struct fixture *f = *state;
	struct fixture *plain = create(NULL, 0);
	void *plain_state = plain;
	uint8_t config[16];

	assert_int_equal(driver_reg(&f->driver, REG_DEVICE_ID), 1);
	assert_true(driver_features(&f->driver) ==
		    (always | NET_F_MAC | NET_F_MTU));
	driver_config(&f->driver, 0, config, 4);
	driver_config(&f->driver, 4, config + 4, 4);
	driver_config(&f->driver, 8, config + 8, 4);
	assert_memory_equal(config, our_mac, 6);
	assert_int_equal(le16_load(config + 10), 1400);

	assert_true(driver_features(&plain->driver) == always);
	(void)tear_down(&plain_state);
}

static void an_mtu_that_cannot_be_is_refused(void **state)
{
	struct net_setup setup = {.mtu = 67};
	struct net *net = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(net_create(&setup, &net, &err), -EINVAL);
	assert_string_equal(err.msg, "an MTU of 67 is below 68");
}

static void offloads_mirror_what_was_negotiated(void **state)
{
	static const struct {
		uint64_t features;
		unsigned offload;
	} cases[] = {
		{0, 0},
		{NET_F_GUEST_CSUM, LINK_OFFLOAD_CHECKSUM},
		{NET_F_GUEST_TSO4, 0}, /* means nothing without GUEST_CSUM */
		{NET_F_GUEST_CSUM | NET_F_GUEST_TSO4,
		 LINK_OFFLOAD_CHECKSUM | LINK_OFFLOAD_TSO4},
		{NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 |
			 NET_F_GUEST_UFO,
		 TO_DEVICE_ALL},
		{NET_F_CSUM | NET_F_HOST_TSO4, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		start(f, cases[i].features);
		assert_int_equal(f->offload, cases[i].offload);
		f->offload = OFFLOAD_UNSET;
		driver_reg_set(&f->driver, REG_STATUS, 0);
		assert_int_equal(f->offload, 0);
	}
}

static void a_link_that_refuses_offloads_is_a_fault_unless_gone(void **state)
{
	struct fixture *f = *state;

	f->offload_result = -EINVAL;
	assert_false(driver_start(&f->driver, BASIC, QUEUE));
	assert_true(needs_reset(f));
	f->offload_result = -ENODEV;
	assert_true(driver_start(&f->driver, BASIC, QUEUE));
}

/* Transmit */

static void a_frame_goes_out_with_its_header(void **state)
{
	struct fixture *f = *state;
	uint8_t got[2048];
	uint8_t want[100];

	start(f, 0);
	guest_send(f, NULL, HDR + 100);
	assert_true(tx_came_back(f));
	assert_int_equal(host_receive(f, got, sizeof(got)), HDR + 100);
	fill(want, sizeof(want));
	assert_memory_equal(got + HDR, want, 100);
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(counters(f).tx_frames, 1);
	assert_int_equal(counters(f).tx_bytes, 100);
	assert_int_equal(counters(f).tx_spoofed_mac, 0);
}

static void a_frame_may_come_in_any_pieces(void **state)
{
	const struct driver_part parts[] = {
		{ROOM_A, 5, false},       {ROOM_B, 0, false},
		{ROOM_A + 5, 9, false},   {ROOM_B, 1, false},
		{ROOM_A + 15, 85, false}, {ROOM_B + 0x2000, 30, true},
	};
	struct fixture *f = *state;
	uint8_t packet[100] = {0};
	uint8_t got[256];

	start(f, 0);
	fill(packet + HDR, sizeof(packet) - HDR);
	(void)guest_write(&f->driver.memory, ROOM_A, packet, sizeof(packet));
	(void)guest_write(&f->driver.memory, ROOM_B, packet + 14, 1);
	(void)driver_add(&f->driver.queues[NET_TX], parts, ARRAY_LEN(parts));
	kick(f, NET_TX);
	assert_int_equal(host_receive(f, got, sizeof(got)), sizeof(packet));
	assert_memory_equal(got, packet, sizeof(packet));
}

static void the_longest_frame_passes_and_one_byte_more_does_not(void **state)
{
	static uint8_t got[LINK_FRAME_MAX + 16];
	struct fixture *f = *state;

	start(f, 0);
	guest_send(f, NULL, LINK_FRAME_MAX);
	assert_true(tx_came_back(f));
	assert_int_equal(host_receive(f, got, sizeof(got)), LINK_FRAME_MAX);
	guest_send(f, NULL, LINK_FRAME_MAX + 1);
	assert_true(tx_came_back(f));
	assert_int_equal(host_receive(f, got, sizeof(got)), -1);
	assert_int_equal(counters(f).tx_malformed, 1);
}

static void frames_too_short_are_dropped_and_come_back(void **state)
{
	static const uint32_t lens[] = {1, HDR - 1, HDR, HDR + 13};
	const struct driver_part empty = {ROOM_A, 0, false};
	struct fixture *f = *state;
	uint8_t got[64];

	start(f, 0);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		guest_send(f, NULL, lens[i]);
		assert_true(tx_came_back(f));
	}
	(void)driver_add(&f->driver.queues[NET_TX], &empty, 1);
	kick(f, NET_TX);
	assert_true(tx_came_back(f));
	assert_int_equal(counters(f).tx_malformed, ARRAY_LEN(lens) + 1);
	assert_int_equal(host_receive(f, got, sizeof(got)), -1);
	assert_false(needs_reset(f));
	guest_send(f, NULL, HDR + 14);
	assert_int_equal(host_receive(f, got, sizeof(got)), HDR + 14);
}

struct header_case {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	bool good;
};

static void header_of(const struct header_case *c, uint8_t *header)
{
	memset(header, 0, HDR);
	header[0] = c->flags;
	header[1] = c->gso_type;
	le16_store(header + 2, c->hdr_len);
	le16_store(header + 4, c->gso_size);
	le16_store(header + 6, c->csum_start);
	le16_store(header + 8, c->csum_offset);
}

static void try_headers(struct fixture *f, const struct header_case *cases,
			size_t count)
{
	uint8_t header[HDR];
	uint8_t got[256];

	for (size_t i = 0; i < count; i++) {
		header_of(&cases[i], header);
		guest_send(f, header, HDR + 100);
		assert_true(tx_came_back(f));
		assert_int_equal(host_receive(f, got, sizeof(got)) > 0,
				 cases[i].good);
	}
	assert_false(needs_reset(f));
}

static void headers_are_checked_against_the_frame(void **state)
{
	static const struct header_case cases[] = {
		{0, 0, 0, 0, 0, 0, true},
		{NEEDS_CSUM, 0, 0, 0, 34, 16, true},
		{NEEDS_CSUM, 0, 0, 0, 98, 0, true}, /* its last two bytes */
		{NEEDS_CSUM, 0, 0, 0, 98, 1, false},
		{NEEDS_CSUM, 0, 0, 0, 0xffff, 0xffff, false},
		{NEEDS_CSUM, GSO_TCPV4, 54, 1448, 34, 16, true},
		{NEEDS_CSUM, GSO_TCPV4, 100, 1, 34, 16, true},
		{NEEDS_CSUM, GSO_TCPV4, 101, 1448, 34, 16, false},
		{NEEDS_CSUM, GSO_TCPV4, 54, 0, 34, 16, false},
		{NEEDS_CSUM, GSO_TCPV4 | 0x80, 54, 1448, 34, 16, false},
		{NEEDS_CSUM, 2, 54, 1448, 34, 16, false},
		{NEEDS_CSUM, 3, 54, 1448, 34, 16, true},
		{NEEDS_CSUM, 4, 54, 1448, 34, 16, false}, /* not negotiated */
		{NEEDS_CSUM, 5, 54, 1448, 34, 16, false},
	};
	struct fixture *f = *state;

	start(f, NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_UFO);
	try_headers(f, cases, ARRAY_LEN(cases));
	assert_int_equal(counters(f).tx_malformed, 8);
}

static void headers_may_ask_for_nothing_that_was_not_negotiated(void **state)
{
	static const struct header_case cases[] = {
		{0, 0, 0, 0, 0, 0, true},
		{NEEDS_CSUM, 0, 0, 0, 34, 16, false},
		{0, GSO_TCPV4, 54, 1448, 34, 16, false},
	};
	struct fixture *f = *state;

	start(f, NET_F_HOST_TSO4); /* means nothing without CSUM */
	try_headers(f, cases, ARRAY_LEN(cases));
}

static void fields_without_meaning_do_not_reach_the_link(void **state)
{
	static const struct header_case junk = {0xfe,   0,      0xffff, 0xffff,
						0xffff, 0xffff, true};
	static const uint8_t zero[HDR];
	struct fixture *f = *state;
	uint8_t header[HDR];
	uint8_t got[256];

	start(f, 0);
	header_of(&junk, header);
	le16_store(header + 10, 0xffff);
	guest_send(f, header, HDR + 60);
	assert_int_equal(host_receive(f, got, sizeof(got)), HDR + 60);
	assert_memory_equal(got, zero, HDR);
}

static void a_foreign_sender_is_counted_and_sent(void **state)
{
	const struct driver_part part = {ROOM_A, HDR + 60, false};
	struct fixture *f = *state;
	uint8_t got[256];

	start(f, 0);
	(void)driver_add(&f->driver.queues[NET_TX], &part, 1);
	kick(f, NET_TX); /* all zeroes, the address too */
	assert_int_equal(host_receive(f, got, sizeof(got)), HDR + 60);
	assert_int_equal(counters(f).tx_spoofed_mac, 1);
}

static void transmitting_has_a_budget_and_one_interrupt_a_batch(void **state)
{
	const struct driver_part part = {ROOM_A, HDR + 20, false};
	struct fixture *f = *state;

	assert_true(driver_start(&f->driver, BASIC, 256));
	(void)driver_pump(&f->driver);
	for (int i = 0; i < 100; i++)
		(void)driver_add(&f->driver.queues[NET_TX], &part, 1);
	driver_kick(&f->driver, NET_TX);
	assert_int_equal(driver_pump_rounds(&f->driver, 1), 1);
	assert_int_equal(counters(f).tx_frames, NET_BUDGET_FRAMES);
	assert_int_equal(driver_irqs(&f->driver), 1);
	(void)driver_pump(&f->driver);
	assert_int_equal(counters(f).tx_frames, 100);
}

static void a_link_that_takes_nothing_drops_and_lives(void **state)
{
	static const int errors[] = {-EAGAIN, -EIO, -ENODEV, -EINVAL};
	struct fixture *f = *state;
	uint8_t got[256];

	start(f, 0);
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		f->send_result = errors[i];
		guest_send(f, NULL, HDR + 60);
		assert_true(tx_came_back(f));
	}
	assert_int_equal(counters(f).tx_dropped, ARRAY_LEN(errors));
	f->send_result = 0;
	guest_send(f, NULL, HDR + 60);
	assert_int_equal(host_receive(f, got, sizeof(got)), HDR + 60);
}

/* Receive */

static void a_frame_comes_in_with_one_buffer(void **state)
{
	static const uint8_t zero[10];
	struct fixture *f = *state;
	uint8_t header[10];

	start(f, NET_F_MRG_RXBUF);
	add_rx(f, ROOM_A, 2048);
	kick(f, NET_RX);
	host_send(f, NULL, 100);
	assert_int_equal(pump_link(f), 1);
	expect_rx(f, HDR + 100);
	expect_rx(f, 0);
	expect_frame(f, ROOM_A + HDR, 0, 100);
	assert_int_equal(num_buffers(f, ROOM_A), 1);
	(void)guest_read(&f->driver.memory, ROOM_A, header, sizeof(header));
	assert_memory_equal(header, zero, sizeof(header));
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(counters(f).rx_frames, 1);
	assert_int_equal(counters(f).rx_bytes, 100);
}

static void a_long_frame_takes_buffers_and_leaves_the_rest(void **state)
{
	struct fixture *f = *state;

	start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 4; i++)
		add_rx(f, ROOM_A + 0x1000 * i, 100);
	kick(f, NET_RX);
	host_send(f, NULL, 230); /* 242 with its header: 100 + 100 + 42 */
	(void)pump_link(f);
	expect_rx(f, 100);
	expect_rx(f, 100);
	expect_rx(f, 42);
	expect_rx(f, 0);
	assert_int_equal(num_buffers(f, ROOM_A), 3);
	expect_frame(f, ROOM_A + HDR, 0, 88);
	expect_frame(f, ROOM_A + 0x1000, 88, 100);
	expect_frame(f, ROOM_A + 0x2000, 188, 42);
	host_send(f, NULL, 88); /* exactly the fourth */
	(void)pump_link(f);
	expect_rx(f, 100);
	expect_frame(f, ROOM_A + 0x3000 + HDR, 0, 88);
	assert_int_equal(num_buffers(f, ROOM_A + 0x3000), 1);
}

static void the_longest_frame_is_gathered(void **state)
{
	struct fixture *f = *state;
	uint32_t total = 0;
	struct driver_used used;

	start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 50; i++)
		add_rx(f, ROOM_B + 1500 * i, 1500);
	kick(f, NET_RX);
	host_send(f, NULL, LINK_FRAME_MAX - HDR);
	(void)pump_link(f);
	assert_int_equal(num_buffers(f, ROOM_B), 44);
	for (int i = 0; i < 44; i++) {
		assert_true(driver_take_used(&f->driver.queues[NET_RX], &used));
		total += used.len;
	}
	assert_int_equal(total, LINK_FRAME_MAX);
	expect_frame(f, ROOM_B + HDR, 0, LINK_FRAME_MAX - HDR);
	expect_rx(f, 0);
	for (unsigned i = 0; i < 6; i++) { /* the six that were left */
		host_send(f, NULL, 1000);
		(void)pump_link(f);
		expect_rx(f, HDR + 1000);
		expect_frame(f, ROOM_B + 1500 * (44 + i) + HDR, 0, 1000);
	}
}

static void a_header_may_lie_in_pieces(void **state)
{
	const struct driver_part parts[] = {
		{ROOM_A, 3, true},
		{ROOM_A + 3, 8, true},
		{ROOM_A + 11, 500, true},
	};
	struct fixture *f = *state;

	start(f, NET_F_MRG_RXBUF);
	(void)driver_add(&f->driver.queues[NET_RX], parts, ARRAY_LEN(parts));
	kick(f, NET_RX);
	host_send(f, NULL, 200);
	(void)pump_link(f);
	expect_rx(f, HDR + 200);
	assert_int_equal(num_buffers(f, ROOM_A), 1);
	expect_frame(f, ROOM_A + HDR, 0, 200);
}

static void without_mergeable_buffers_a_frame_has_one_chain(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	add_rx(f, ROOM_A, 200);
	add_rx(f, ROOM_B, 200);
	kick(f, NET_RX);
	host_send(f, NULL, 189); /* one byte too long */
	host_send(f, NULL, 188);
	host_send(f, NULL, 100);
	(void)pump_link(f);
	assert_int_equal(counters(f).rx_too_long, 1);
	expect_rx(f, 200);
	expect_rx(f, HDR + 100);
	expect_rx(f, 0);
	expect_frame(f, ROOM_A + HDR, 0, 188);
	expect_frame(f, ROOM_B + HDR, 0, 100);
	assert_int_equal(num_buffers(f, ROOM_A), 1);
}

static void the_link_rests_until_there_is_a_buffer(void **state)
{
	struct fixture *f = *state;

	host_send(f, NULL, 60);
	assert_int_equal(pump_link(f), 0); /* no driver */
	assert_true(driver_negotiate(&f->driver, BASIC));
	assert_int_equal(pump_link(f), 0); /* not DRIVER_OK */
	start(f, 0);
	assert_int_equal(f->net->watched, 0);
	assert_int_equal(pump_link(f), 0); /* no buffer */
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	expect_rx(f, HDR + 60); /* waited in the host's queue */
	assert_int_equal(f->net->watched, 0);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	assert_int_equal(f->net->watched, EPOLLIN);
	driver_reg_set(&f->driver, REG_STATUS, 0);
	host_send(f, NULL, 60);
	assert_int_equal(pump_link(f), 1); /* once, to go quiet */
	assert_int_equal(f->net->watched, 0);
}

/* With EVENT_IDX a kick for new buffers is wanted only when there is none. */
static void a_kick_is_asked_for_when_buffers_run_out(void **state)
{
	struct fixture *f = *state;
	const struct driver_queue *queue = &f->driver.queues[NET_RX];

	start(f, 0);
	assert_int_equal(driver_avail_event(queue), 0);
	add_rx(f, ROOM_A, 200);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	assert_int_equal(driver_avail_event(queue), 0);
	host_send(f, NULL, 60);
	(void)pump_link(f);
	assert_int_equal(driver_avail_event(queue), 0);
	host_send(f, NULL, 60);
	(void)pump_link(f);
	assert_int_equal(driver_avail_event(queue), 2);
}

static void a_batch_of_frames_is_one_interrupt(void **state)
{
	struct fixture *f = *state;

	start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 10; i++)
		add_rx(f, ROOM_A + 0x400 * i, 0x400);
	kick(f, NET_RX);
	(void)driver_irqs(&f->driver);
	for (int i = 0; i < 9; i++)
		host_send(f, NULL, 60);
	assert_int_equal(pump_link(f), 1);
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(counters(f).rx_frames, 9);
}

static void receiving_has_a_budget(void **state)
{
	struct fixture *f = *state;
	unsigned calls;

	assert_true(driver_start(&f->driver, BASIC | NET_F_MRG_RXBUF, 256));
	(void)driver_pump(&f->driver);
	for (unsigned i = 0; i < 200; i++)
		add_rx(f, ROOM_A + 0x100 * i, 0x100);
	kick(f, NET_RX);
	for (int i = 0; i < 150; i++)
		host_send(f, NULL, 60);
	calls = pump_link(f);
	assert_int_equal(calls, 3);
	assert_int_equal(counters(f).rx_frames, 150);
}

static void frames_that_need_a_refused_offload_are_dropped(void **state)
{
	static const struct header_case cases[] = {
		{NEEDS_CSUM, 0, 0, 0, 34, 16, false},
		{NEEDS_CSUM, GSO_TCPV4, 54, 1448, 34, 16, false},
		{0, GSO_TCPV4, 54, 1448, 0, 0, false},
		{DATA_VALID, 0, 0, 0, 0, 0, true},
	};
	struct fixture *f = *state;
	uint8_t header[HDR];
	uint8_t flags = 0xee;

	start(f, 0);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		header_of(&cases[i], header);
		host_send(f, header, 60);
		(void)pump_link(f);
		expect_rx(f, cases[i].good ? HDR + 60 : 0);
	}
	assert_int_equal(counters(f).rx_refused, 3);
	(void)guest_read(&f->driver.memory, ROOM_A, &flags, 1);
	assert_int_equal(flags, 0); /* "valid" is for those who asked */
}

static void frames_with_a_negotiated_offload_keep_their_header(void **state)
{
	static const struct header_case c = {NEEDS_CSUM, GSO_TCPV4, 54,  1448,
					     34,         16,        true};
	struct fixture *f = *state;
	uint8_t want[HDR];
	uint8_t got[HDR];

	start(f, NET_F_GUEST_CSUM | NET_F_GUEST_TSO4);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	header_of(&c, want);
	host_send(f, want, 60);
	(void)pump_link(f);
	expect_rx(f, HDR + 60);
	le16_store(want + 10, 1);
	(void)guest_read(&f->driver.memory, ROOM_A, got, HDR);
	assert_memory_equal(got, want, HDR);
}

static void junk_from_the_link_is_dropped(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	assert_int_equal(send(f->host_fd, "short", 5, 0), 5);
	host_send(f, NULL, 13);
	(void)pump_link(f);
	assert_int_equal(counters(f).rx_refused, 2);
	host_send(f, NULL, 14);
	(void)pump_link(f);
	expect_rx(f, HDR + 14);
}

/* Trouble */

static void a_receive_buffer_that_cannot_be_is_a_fault(void **state)
{
	static const struct driver_part bad[] = {
		{ROOM_A, 200, false},    /* to read */
		{ROOM_A, HDR - 1, true}, /* no room for a header */
		{0x200000, 200, true},   /* no RAM */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		start(f, NET_F_MRG_RXBUF);
		add_rx(f, ROOM_B, 200);
		(void)driver_add(&f->driver.queues[NET_RX], &bad[i], 1);
		kick(f, NET_RX);
		assert_true(needs_reset(f));
		host_send(f, NULL, 60);
		(void)pump_link(f);
		expect_rx(f, 0);
		assert_int_equal(f->net->watched, 0);
	}
	start(f, 0); /* and a reset heals it */
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	expect_rx(f, HDR + 60);
}

static void a_bad_transmit_chain_stops_both_ways(void **state)
{
	const struct driver_part bad = {0x200000, 100, false};
	struct fixture *f = *state;

	start(f, NET_F_MRG_RXBUF);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	(void)driver_add(&f->driver.queues[NET_TX], &bad, 1);
	kick(f, NET_TX);
	assert_true(needs_reset(f));
	host_send(f, NULL, 60);
	(void)pump_link(f);
	expect_rx(f, 0);
	assert_int_equal(num_buffers(f, ROOM_A), 0); /* untouched */
}

static void buffers_from_before_a_reset_are_not_written(void **state)
{
	struct fixture *f = *state;

	start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 3; i++)
		add_rx(f, ROOM_A + 0x1000 * i, 200);
	kick(f, NET_RX);
	start(f, NET_F_MRG_RXBUF);
	host_send(f, NULL, 60);
	(void)pump_link(f);
	assert_int_equal(num_buffers(f, ROOM_A), 0);
	add_rx(f, ROOM_B, 200);
	kick(f, NET_RX);
	expect_rx(f, HDR + 60);
	assert_int_equal(num_buffers(f, ROOM_A), 0);
	assert_int_equal(num_buffers(f, ROOM_B), 1);
}

static void a_queue_that_is_taken_back_is_not_written(void **state)
{
	struct fixture *f = *state;

	start(f, NET_F_MRG_RXBUF);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	driver_reg_set(&f->driver, REG_QUEUE_SEL, NET_RX);
	driver_reg_set(&f->driver, REG_QUEUE_READY, 0);
	host_send(f, NULL, 60);
	assert_int_equal(pump_link(f), 1);
	assert_int_equal(num_buffers(f, ROOM_A), 0);
	assert_int_equal(f->net->watched, 0);
}

static void a_link_that_is_gone_leaves_a_quiet_card(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	fd_close(&f->host_fd);
	assert_int_equal(pump_link(f), 1);
	assert_true(f->net->link_is_gone);
	kick(f, NET_RX);
	guest_send(f, NULL, HDR + 60);
	assert_true(tx_came_back(f));
	assert_int_equal(counters(f).tx_dropped, 1);
	assert_false(needs_reset(f));
	start(f, 0); /* a driver that starts again is fine too */
	guest_send(f, NULL, HDR + 60);
	assert_true(tx_came_back(f));
}

static void a_hang_up_while_resting_does_not_spin(void **state)
{
	struct fixture *f = *state;

	fd_close(&f->host_fd);
	assert_int_equal(pump_link(f), 1);
	assert_true(f->net->link_is_gone);
	start(f, 0);
	assert_false(needs_reset(f));
}

static void a_link_of_errors_is_given_up(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	add_rx(f, ROOM_A, 200);
	kick(f, NET_RX);
	host_send(f, NULL, 60);
	f->receive_result = -EINVAL;
	assert_true(pump_link(f) <= 3);
	assert_true(f->net->link_is_gone);
	assert_int_equal(counters(f).rx_errors, 65);
	guest_send(f, NULL, HDR + 60); /* both ways */
	assert_true(tx_came_back(f));
	assert_int_equal(counters(f).tx_dropped, 1);
}

static void a_receive_chain_with_something_to_read_is_a_fault(void **state)
{
	const struct driver_part parts[] = {
		{ROOM_A, 20, false},
		{ROOM_B, 200, true},
	};
	struct fixture *f = *state;

	start(f, 0);
	(void)driver_add(&f->driver.queues[NET_RX], parts, ARRAY_LEN(parts));
	kick(f, NET_RX);
	assert_true(needs_reset(f));
}

/* Snapshot */

static size_t save(const struct fixture *f, void *data, size_t size)
{
	struct state state = {.data = data, .size_bytes = size, .saving = true};

	assert_int_equal(virtio_mmio_save(f->driver.mmio, &state), 0);
	return state.at;
}

static void gathered_buffers_survive_a_snapshot(void **state)
{
	struct fixture *f = *state;
	struct fixture *other = create(our_mac, 1400);
	void *other_state = other;
	struct state loading;
	uint8_t data[1024];
	uint8_t *low = f->driver.memory.regions[0].host;

	start(f, NET_F_MRG_RXBUF | NET_F_GUEST_CSUM);
	for (unsigned i = 0; i < 3; i++)
		add_rx(f, ROOM_A + 0x1000 * i, 200);
	kick(f, NET_RX);
	host_send(f, NULL, 60);
	(void)pump_link(f);
	expect_rx(f, HDR + 60);
	loading = (struct state){.data = data,
				 .size_bytes = save(f, data, sizeof(data))};
	memcpy(other->driver.memory.regions[0].host, low, DRIVER_LOW_BYTES);
	memcpy(other->driver.queues, f->driver.queues,
	       sizeof(other->driver.queues));
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		other->driver.queues[i].memory = &other->driver.memory;
	assert_int_equal(virtio_mmio_restore(other->driver.mmio, &loading), 0);
	assert_int_equal(other->offload, LINK_OFFLOAD_CHECKSUM);
	(void)driver_pump(&other->driver);
	for (unsigned i = 1; i < 3; i++) {
		host_send(other, NULL, 100);
		(void)pump_link(other);
		expect_rx(other, HDR + 100);
		expect_frame(other, ROOM_A + 0x1000 * i + HDR, 0, 100);
	}
	host_send(other, NULL, 100);
	(void)pump_link(other);
	expect_rx(other, 0);
	(void)tear_down(&other_state);
}

static void an_impossible_snapshot_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t data[] = {2, 0, 0, 0, 0, 7, 0, 0, 1, 0};
	struct state loading = {.data = data, .size_bytes = sizeof(data)};

	/* a buffer waits, but no driver has given any */
	assert_int_equal(net_ops.device.restore(f->net, &loading), -EINVAL);
	data[8] = 0;
	loading = (struct state){.data = data, .size_bytes = sizeof(data) - 1};
	assert_int_equal(net_ops.device.restore(f->net, &loading), -EINVAL);
	loading = (struct state){.data = data, .size_bytes = sizeof(data)};
	assert_int_equal(net_ops.device.restore(f->net, &loading), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(features_depend_on_mac_and_mtu),
		cmocka_unit_test(an_mtu_that_cannot_be_is_refused),
		TEST(offloads_mirror_what_was_negotiated),
		TEST(a_link_that_refuses_offloads_is_a_fault_unless_gone),
		TEST(a_frame_goes_out_with_its_header),
		TEST(a_frame_may_come_in_any_pieces),
		TEST(the_longest_frame_passes_and_one_byte_more_does_not),
		TEST(frames_too_short_are_dropped_and_come_back),
		TEST(headers_are_checked_against_the_frame),
		TEST(headers_may_ask_for_nothing_that_was_not_negotiated),
		TEST(fields_without_meaning_do_not_reach_the_link),
		TEST(a_foreign_sender_is_counted_and_sent),
		TEST(transmitting_has_a_budget_and_one_interrupt_a_batch),
		TEST(a_link_that_takes_nothing_drops_and_lives),
		TEST(a_frame_comes_in_with_one_buffer),
		TEST(a_long_frame_takes_buffers_and_leaves_the_rest),
		TEST(the_longest_frame_is_gathered),
		TEST(a_header_may_lie_in_pieces),
		TEST(without_mergeable_buffers_a_frame_has_one_chain),
		TEST(the_link_rests_until_there_is_a_buffer),
		TEST(a_kick_is_asked_for_when_buffers_run_out),
		TEST(a_batch_of_frames_is_one_interrupt),
		TEST(receiving_has_a_budget),
		TEST(frames_that_need_a_refused_offload_are_dropped),
		TEST(frames_with_a_negotiated_offload_keep_their_header),
		TEST(junk_from_the_link_is_dropped),
		TEST(a_receive_buffer_that_cannot_be_is_a_fault),
		TEST(a_receive_chain_with_something_to_read_is_a_fault),
		TEST(a_bad_transmit_chain_stops_both_ways),
		TEST(buffers_from_before_a_reset_are_not_written),
		TEST(a_queue_that_is_taken_back_is_not_written),
		TEST(a_link_that_is_gone_leaves_a_quiet_card),
		TEST(a_hang_up_while_resting_does_not_spin),
		TEST(a_link_of_errors_is_given_up),
		TEST(gathered_buffers_survive_a_snapshot),
		TEST(an_impossible_snapshot_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
