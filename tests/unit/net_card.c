/* SPDX-License-Identifier: Apache-2.0 */
#include "net_card.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

const uint8_t card_mac[6] = {0x02, 0, 0, 0, 0, 0x07};

/* The link */

static ssize_t fake_receive(void *link, const struct iovec *iov, unsigned count)
{
	const struct net_card *f = link;
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
	const struct net_card *f = link;
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
	struct net_card *f = link;

	f->offload = offload;
	return f->offload_result;
}

static void fake_destroy(void *link)
{
	struct net_card *f = link;

	fd_close(&f->card_fd);
}

static const struct link_ops fake_ops = {
	.receive = fake_receive,
	.send = fake_send,
	.set_offload = fake_set_offload,
	.destroy = fake_destroy,
};

/* Life */

struct net_card *card_create(const uint8_t *mac, uint16_t mtu)
{
	struct net_card *f = calloc(1, sizeof(*f));
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

int card_set_up(void **state)
{
	*state = card_create(card_mac, 1400);
	return 0;
}

int card_tear_down(void **state)
{
	struct net_card *f = *state;

	driver_close(&f->driver);
	event_loop_destroy(f->loop);
	fd_close(&f->host_fd);
	assert_int_equal(f->card_fd, -1); /* the card closed its link */
	free(f);
	return 0;
}

struct net_counters card_counters(const struct net_card *f)
{
	struct net_counters got;

	net_read_counters(f->net, &got);
	return got;
}

void card_start(struct net_card *f, uint64_t features)
{
	assert_true(driver_start(&f->driver, BASIC | features, QUEUE));
	(void)driver_pump(&f->driver);
}

bool card_needs_reset(const struct net_card *f)
{
	return driver_reg(&f->driver, REG_STATUS) & DRIVER_NEEDS_RESET;
}

/* What the loop would do about the link. Return: calls. */
unsigned card_pump_link(struct net_card *f)
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

static uint8_t card_nth_byte(size_t n)
{
	return (uint8_t)(n * 5 + n / 255);
}

void card_fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = card_nth_byte(i);
	memcpy(bytes + 6, card_mac, 6);
}

/* The host sends a frame of len bytes behind `header` (NULL: zeroes). */
void card_host_send(const struct net_card *f, const uint8_t *header, size_t len)
{
	static uint8_t packet[LINK_FRAME_MAX + 16];

	memset(packet, 0, HDR);
	if (header != NULL)
		memcpy(packet, header, HDR);
	card_fill(packet + HDR, len);
	assert_int_equal(send(f->host_fd, packet, HDR + len, MSG_DONTWAIT),
			 HDR + len);
}

ssize_t card_host_receive(const struct net_card *f, uint8_t *packet,
			  size_t size)
{
	return recv(f->host_fd, packet, size, MSG_DONTWAIT);
}

void card_add_rx(struct net_card *f, gpa_t gpa, uint32_t len)
{
	const struct driver_part part = {gpa, len, true};

	(void)driver_add(&f->driver.queues[NET_RX], &part, 1);
}

void card_kick(struct net_card *f, unsigned queue)
{
	driver_kick(&f->driver, queue);
	(void)driver_pump(&f->driver);
}

/* The next used receive buffer has `len` bytes, if len is not 0. */
void card_expect_rx(struct net_card *f, uint32_t len)
{
	struct driver_used used = {0};
	bool taken = driver_take_used(&f->driver.queues[NET_RX], &used);

	assert_int_equal(taken, len != 0);
	assert_int_equal(used.len, len);
}

void card_expect_frame(const struct net_card *f, gpa_t gpa, size_t from,
		       size_t len)
{
	static uint8_t want[LINK_FRAME_MAX];
	static uint8_t got[LINK_FRAME_MAX];

	card_fill(want, from + len);
	assert_int_equal(guest_read(&f->driver.memory, gpa, got, len), 0);
	assert_memory_equal(got, want + from, len);
}

uint16_t card_num_buffers(const struct net_card *f, gpa_t gpa)
{
	uint16_t value = 0;

	assert_int_equal(guest_read(&f->driver.memory, gpa + 10, &value, 2), 0);
	return value;
}

/* The guest sends header and frame as one piece of `len` bytes in all. */
void card_guest_send(struct net_card *f, const uint8_t *header, uint32_t len)
{
	static uint8_t packet[LINK_FRAME_MAX + 16];
	const struct driver_part part = {ROOM_A, len, false};

	memset(packet, 0, HDR);
	if (header != NULL)
		memcpy(packet, header, HDR);
	card_fill(packet + HDR, sizeof(packet) - HDR);
	assert_int_equal(guest_write(&f->driver.memory, ROOM_A, packet, len),
			 0);
	(void)driver_add(&f->driver.queues[NET_TX], &part, 1);
	card_kick(f, NET_TX);
}

bool card_tx_came_back(struct net_card *f)
{
	struct driver_used used = {0};
	bool taken = driver_take_used(&f->driver.queues[NET_TX], &used);

	assert_int_equal(used.len, 0);
	return taken;
}

void card_header_of(const struct header_case *c, uint8_t *header)
{
	memset(header, 0, HDR);
	header[0] = c->flags;
	header[1] = c->gso_type;
	le16_store(header + 2, c->hdr_len);
	le16_store(header + 4, c->gso_size);
	le16_store(header + 6, c->csum_start);
	le16_store(header + 8, c->csum_offset);
}
