/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from the link into the guest's buffers. */
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
#include "core/state.h"

/* Receive */

static void a_frame_comes_in_with_one_buffer(void **state)
{
	static const uint8_t zero[10];
	struct net_card *f = *state;
	uint8_t header[10];

	card_start(f, NET_F_MRG_RXBUF);
	card_add_rx(f, ROOM_A, 2048);
	card_kick(f, NET_RX);
	card_host_send(f, NULL, 100);
	assert_int_equal(card_pump_link(f), 1);
	card_expect_rx(f, HDR + 100);
	card_expect_rx(f, 0);
	card_expect_frame(f, ROOM_A + HDR, 0, 100);
	assert_int_equal(card_num_buffers(f, ROOM_A), 1);
	(void)guest_read(&f->driver.memory, ROOM_A, header, sizeof(header));
	assert_memory_equal(header, zero, sizeof(header));
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(card_counters(f).rx_frames, 1);
	assert_int_equal(card_counters(f).rx_bytes, 100);
}

static void a_long_frame_takes_buffers_and_leaves_the_rest(void **state)
{
	struct net_card *f = *state;

	card_start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 4; i++)
		card_add_rx(f, ROOM_A + 0x1000 * i, 100);
	card_kick(f, NET_RX);
	card_host_send(f, NULL, 230); /* 242 with its header: 100 + 100 + 42 */
	(void)card_pump_link(f);
	card_expect_rx(f, 100);
	card_expect_rx(f, 100);
	card_expect_rx(f, 42);
	card_expect_rx(f, 0);
	assert_int_equal(card_num_buffers(f, ROOM_A), 3);
	card_expect_frame(f, ROOM_A + HDR, 0, 88);
	card_expect_frame(f, ROOM_A + 0x1000, 88, 100);
	card_expect_frame(f, ROOM_A + 0x2000, 188, 42);
	card_host_send(f, NULL, 88); /* exactly the fourth */
	(void)card_pump_link(f);
	card_expect_rx(f, 100);
	card_expect_frame(f, ROOM_A + 0x3000 + HDR, 0, 88);
	assert_int_equal(card_num_buffers(f, ROOM_A + 0x3000), 1);
}

static void the_longest_frame_is_gathered(void **state)
{
	struct net_card *f = *state;
	uint32_t total = 0;
	struct driver_used used;

	card_start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 50; i++)
		card_add_rx(f, ROOM_B + 1500 * i, 1500);
	card_kick(f, NET_RX);
	card_host_send(f, NULL, LINK_FRAME_MAX - HDR);
	(void)card_pump_link(f);
	assert_int_equal(card_num_buffers(f, ROOM_B), 44);
	for (int i = 0; i < 44; i++) {
		assert_true(driver_take_used(&f->driver.queues[NET_RX], &used));
		total += used.len;
	}
	assert_int_equal(total, LINK_FRAME_MAX);
	card_expect_frame(f, ROOM_B + HDR, 0, LINK_FRAME_MAX - HDR);
	card_expect_rx(f, 0);
	for (unsigned i = 0; i < 6; i++) { /* the six that were left */
		card_host_send(f, NULL, 1000);
		(void)card_pump_link(f);
		card_expect_rx(f, HDR + 1000);
		card_expect_frame(f, ROOM_B + 1500 * (44 + i) + HDR, 0, 1000);
	}
}

static void a_header_may_lie_in_pieces(void **state)
{
	const struct driver_part parts[] = {
		{ROOM_A, 3, true},
		{ROOM_A + 3, 8, true},
		{ROOM_A + 11, 500, true},
	};
	struct net_card *f = *state;

	card_start(f, NET_F_MRG_RXBUF);
	(void)driver_add(&f->driver.queues[NET_RX], parts, ARRAY_LEN(parts));
	card_kick(f, NET_RX);
	card_host_send(f, NULL, 200);
	(void)card_pump_link(f);
	card_expect_rx(f, HDR + 200);
	assert_int_equal(card_num_buffers(f, ROOM_A), 1);
	card_expect_frame(f, ROOM_A + HDR, 0, 200);
}

static void without_mergeable_buffers_a_frame_has_one_chain(void **state)
{
	struct net_card *f = *state;

	card_start(f, 0);
	card_add_rx(f, ROOM_A, 200);
	card_add_rx(f, ROOM_B, 200);
	card_kick(f, NET_RX);
	card_host_send(f, NULL, 189); /* one byte too long */
	card_host_send(f, NULL, 188);
	card_host_send(f, NULL, 100);
	(void)card_pump_link(f);
	assert_int_equal(card_counters(f).rx_too_long, 1);
	card_expect_rx(f, 200);
	card_expect_rx(f, HDR + 100);
	card_expect_rx(f, 0);
	card_expect_frame(f, ROOM_A + HDR, 0, 188);
	card_expect_frame(f, ROOM_B + HDR, 0, 100);
	assert_int_equal(card_num_buffers(f, ROOM_A), 1);
}

static void the_link_rests_until_there_is_a_buffer(void **state)
{
	struct net_card *f = *state;

	card_host_send(f, NULL, 60);
	assert_int_equal(card_pump_link(f), 0); /* no driver */
	assert_true(driver_negotiate(&f->driver, BASIC));
	assert_int_equal(card_pump_link(f), 0); /* not DRIVER_OK */
	card_start(f, 0);
	assert_int_equal(f->net->watched, 0);
	assert_int_equal(card_pump_link(f), 0); /* no buffer */
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	card_expect_rx(f, HDR + 60); /* waited in the host's queue */
	assert_int_equal(f->net->watched, 0);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	assert_int_equal(f->net->watched, EPOLLIN);
	driver_reg_set(&f->driver, REG_STATUS, 0);
	card_host_send(f, NULL, 60);
	assert_int_equal(card_pump_link(f), 1); /* once, to go quiet */
	assert_int_equal(f->net->watched, 0);
}

/* With EVENT_IDX a kick for new buffers is wanted only when there is none. */
static void a_kick_is_asked_for_when_buffers_run_out(void **state)
{
	struct net_card *f = *state;
	const struct driver_queue *queue = &f->driver.queues[NET_RX];

	card_start(f, 0);
	assert_int_equal(driver_avail_event(queue), 0);
	card_add_rx(f, ROOM_A, 200);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	assert_int_equal(driver_avail_event(queue), 0);
	card_host_send(f, NULL, 60);
	(void)card_pump_link(f);
	assert_int_equal(driver_avail_event(queue), 0);
	card_host_send(f, NULL, 60);
	(void)card_pump_link(f);
	assert_int_equal(driver_avail_event(queue), 2);
}

static void a_batch_of_frames_is_one_interrupt(void **state)
{
	struct net_card *f = *state;

	card_start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 10; i++)
		card_add_rx(f, ROOM_A + 0x400 * i, 0x400);
	card_kick(f, NET_RX);
	(void)driver_irqs(&f->driver);
	for (int i = 0; i < 9; i++)
		card_host_send(f, NULL, 60);
	assert_int_equal(card_pump_link(f), 1);
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(card_counters(f).rx_frames, 9);
}

static void receiving_has_a_budget(void **state)
{
	struct net_card *f = *state;
	unsigned calls;

	assert_true(driver_start(&f->driver, BASIC | NET_F_MRG_RXBUF, 256));
	(void)driver_pump(&f->driver);
	for (unsigned i = 0; i < 200; i++)
		card_add_rx(f, ROOM_A + 0x100 * i, 0x100);
	card_kick(f, NET_RX);
	for (int i = 0; i < 150; i++)
		card_host_send(f, NULL, 60);
	calls = card_pump_link(f);
	assert_int_equal(calls, 3);
	assert_int_equal(card_counters(f).rx_frames, 150);
}

static void frames_that_need_a_refused_offload_are_dropped(void **state)
{
	static const struct header_case cases[] = {
		{NEEDS_CSUM, 0, 0, 0, 34, 16, false},
		{NEEDS_CSUM, GSO_TCPV4, 54, 1448, 34, 16, false},
		{0, GSO_TCPV4, 54, 1448, 0, 0, false},
		{DATA_VALID, 0, 0, 0, 0, 0, true},
	};
	struct net_card *f = *state;
	uint8_t header[HDR];
	uint8_t flags = 0xee;

	card_start(f, 0);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		card_header_of(&cases[i], header);
		card_host_send(f, header, 60);
		(void)card_pump_link(f);
		card_expect_rx(f, cases[i].good ? HDR + 60 : 0);
	}
	assert_int_equal(card_counters(f).rx_refused, 3);
	(void)guest_read(&f->driver.memory, ROOM_A, &flags, 1);
	assert_int_equal(flags, 0); /* "valid" is for those who asked */
}

static void frames_with_a_negotiated_offload_keep_their_header(void **state)
{
	static const struct header_case c = {NEEDS_CSUM, GSO_TCPV4, 54,  1448,
					     34,         16,        true};
	struct net_card *f = *state;
	uint8_t want[HDR];
	uint8_t got[HDR];

	card_start(f, NET_F_GUEST_CSUM | NET_F_GUEST_TSO4);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	card_header_of(&c, want);
	card_host_send(f, want, 60);
	(void)card_pump_link(f);
	card_expect_rx(f, HDR + 60);
	le16_store(want + 10, 1);
	(void)guest_read(&f->driver.memory, ROOM_A, got, HDR);
	assert_memory_equal(got, want, HDR);
}

static void junk_from_the_link_is_dropped(void **state)
{
	struct net_card *f = *state;

	card_start(f, 0);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	assert_int_equal(send(f->host_fd, "short", 5, 0), 5);
	card_host_send(f, NULL, 13);
	(void)card_pump_link(f);
	assert_int_equal(card_counters(f).rx_refused, 2);
	card_host_send(f, NULL, 14);
	(void)card_pump_link(f);
	card_expect_rx(f, HDR + 14);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, card_set_up, card_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
