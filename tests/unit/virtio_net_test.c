/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Features, transmission, trouble and snapshots; virtio_net_rx_test has what
 * comes in.
 */
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

/* Features and configuration */

static void features_depend_on_mac_and_mtu(void **state)
{
	static const uint64_t always =
		VIRTIO_F_VERSION_1 | VIRTIO_QUEUE_FEATURES | 0xdd83;
	const struct net_card *f = *state;
	struct net_card *plain = card_create(NULL, 0);
	void *plain_state = plain;
	uint8_t config[16];

	assert_int_equal(driver_reg(&f->driver, REG_DEVICE_ID), 1);
	assert_true(driver_features(&f->driver) ==
		    (always | NET_F_MAC | NET_F_MTU));
	driver_config(&f->driver, 0, config, 4);
	driver_config(&f->driver, 4, config + 4, 4);
	driver_config(&f->driver, 8, config + 8, 4);
	assert_memory_equal(config, card_mac, 6);
	assert_int_equal(le16_load(config + 10), 1400);

	assert_true(driver_features(&plain->driver) == always);
	(void)card_tear_down(&plain_state);
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
	struct net_card *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		card_start(f, cases[i].features);
		assert_int_equal(f->offload, cases[i].offload);
		f->offload = OFFLOAD_UNSET;
		driver_reg_set(&f->driver, REG_STATUS, 0);
		assert_int_equal(f->offload, 0);
	}
}

static void a_link_that_refuses_offloads_is_a_fault_unless_gone(void **state)
{
	struct net_card *f = *state;

	f->offload_result = -EINVAL;
	assert_false(driver_start(&f->driver, BASIC, QUEUE));
	assert_true(card_needs_reset(f));
	f->offload_result = -ENODEV;
	assert_true(driver_start(&f->driver, BASIC, QUEUE));
}

/* Transmit */

static void a_frame_goes_out_with_its_header(void **state)
{
	struct net_card *f = *state;
	uint8_t got[2048];
	uint8_t want[100];

	card_start(f, 0);
	card_guest_send(f, NULL, HDR + 100);
	assert_true(card_tx_came_back(f));
	assert_int_equal(card_host_receive(f, got, sizeof(got)), HDR + 100);
	card_fill(want, sizeof(want));
	assert_memory_equal(got + HDR, want, 100);
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(card_counters(f).tx_frames, 1);
	assert_int_equal(card_counters(f).tx_bytes, 100);
	assert_int_equal(card_counters(f).tx_spoofed_mac, 0);
}

static void a_frame_may_come_in_any_pieces(void **state)
{
	const struct driver_part parts[] = {
		{ROOM_A, 5, false},       {ROOM_B, 0, false},
		{ROOM_A + 5, 9, false},   {ROOM_B, 1, false},
		{ROOM_A + 15, 85, false}, {ROOM_B + 0x2000, 30, true},
	};
	struct net_card *f = *state;
	uint8_t packet[100] = {0};
	uint8_t got[256];

	card_start(f, 0);
	card_fill(packet + HDR, sizeof(packet) - HDR);
	(void)guest_write(&f->driver.memory, ROOM_A, packet, sizeof(packet));
	(void)guest_write(&f->driver.memory, ROOM_B, packet + 14, 1);
	(void)driver_add(&f->driver.queues[NET_TX], parts, ARRAY_LEN(parts));
	card_kick(f, NET_TX);
	assert_int_equal(card_host_receive(f, got, sizeof(got)),
			 sizeof(packet));
	assert_memory_equal(got, packet, sizeof(packet));
}

static void the_longest_frame_passes_and_one_byte_more_does_not(void **state)
{
	static uint8_t got[LINK_FRAME_MAX + 16];
	struct net_card *f = *state;

	card_start(f, 0);
	card_guest_send(f, NULL, LINK_FRAME_MAX);
	assert_true(card_tx_came_back(f));
	assert_int_equal(card_host_receive(f, got, sizeof(got)),
			 LINK_FRAME_MAX);
	card_guest_send(f, NULL, LINK_FRAME_MAX + 1);
	assert_true(card_tx_came_back(f));
	assert_int_equal(card_host_receive(f, got, sizeof(got)), -1);
	assert_int_equal(card_counters(f).tx_malformed, 1);
}

static void frames_too_short_are_dropped_and_come_back(void **state)
{
	static const uint32_t lens[] = {1, HDR - 1, HDR, HDR + 13};
	const struct driver_part empty = {ROOM_A, 0, false};
	struct net_card *f = *state;
	uint8_t got[64];

	card_start(f, 0);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		card_guest_send(f, NULL, lens[i]);
		assert_true(card_tx_came_back(f));
	}
	(void)driver_add(&f->driver.queues[NET_TX], &empty, 1);
	card_kick(f, NET_TX);
	assert_true(card_tx_came_back(f));
	assert_int_equal(card_counters(f).tx_malformed, ARRAY_LEN(lens) + 1);
	assert_int_equal(card_host_receive(f, got, sizeof(got)), -1);
	assert_false(card_needs_reset(f));
	card_guest_send(f, NULL, HDR + 14);
	assert_int_equal(card_host_receive(f, got, sizeof(got)), HDR + 14);
}

static void try_headers(struct net_card *f, const struct header_case *cases,
			size_t count)
{
	uint8_t header[HDR];
	uint8_t got[256];

	for (size_t i = 0; i < count; i++) {
		card_header_of(&cases[i], header);
		card_guest_send(f, header, HDR + 100);
		assert_true(card_tx_came_back(f));
		assert_int_equal(card_host_receive(f, got, sizeof(got)) > 0,
				 cases[i].good);
	}
	assert_false(card_needs_reset(f));
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
	struct net_card *f = *state;

	card_start(f, NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_UFO);
	try_headers(f, cases, ARRAY_LEN(cases));
	assert_int_equal(card_counters(f).tx_malformed, 8);
}

static void headers_may_ask_for_nothing_that_was_not_negotiated(void **state)
{
	static const struct header_case cases[] = {
		{0, 0, 0, 0, 0, 0, true},
		{NEEDS_CSUM, 0, 0, 0, 34, 16, false},
		{0, GSO_TCPV4, 54, 1448, 34, 16, false},
	};
	struct net_card *f = *state;

	card_start(f, NET_F_HOST_TSO4); /* means nothing without CSUM */
	try_headers(f, cases, ARRAY_LEN(cases));
}

static void fields_without_meaning_do_not_reach_the_link(void **state)
{
	static const struct header_case junk = {0xfe,   0,      0xffff, 0xffff,
						0xffff, 0xffff, true};
	static const uint8_t zero[HDR];
	struct net_card *f = *state;
	uint8_t header[HDR];
	uint8_t got[256];

	card_start(f, 0);
	card_header_of(&junk, header);
	le16_store(header + 10, 0xffff);
	card_guest_send(f, header, HDR + 60);
	assert_int_equal(card_host_receive(f, got, sizeof(got)), HDR + 60);
	assert_memory_equal(got, zero, HDR);
}

static void a_foreign_sender_is_counted_and_sent(void **state)
{
	const struct driver_part part = {ROOM_A, HDR + 60, false};
	struct net_card *f = *state;
	uint8_t got[256];

	card_start(f, 0);
	(void)driver_add(&f->driver.queues[NET_TX], &part, 1);
	card_kick(f, NET_TX); /* all zeroes, the address too */
	assert_int_equal(card_host_receive(f, got, sizeof(got)), HDR + 60);
	assert_int_equal(card_counters(f).tx_spoofed_mac, 1);
}

static void transmitting_has_a_budget_and_one_interrupt_a_batch(void **state)
{
	const struct driver_part part = {ROOM_A, HDR + 20, false};
	struct net_card *f = *state;

	assert_true(driver_start(&f->driver, BASIC, 256));
	(void)driver_pump(&f->driver);
	for (int i = 0; i < 100; i++)
		(void)driver_add(&f->driver.queues[NET_TX], &part, 1);
	driver_kick(&f->driver, NET_TX);
	assert_int_equal(driver_pump_rounds(&f->driver, 1), 1);
	assert_int_equal(card_counters(f).tx_frames, NET_BUDGET_FRAMES);
	assert_int_equal(driver_irqs(&f->driver), 1);
	(void)driver_pump(&f->driver);
	assert_int_equal(card_counters(f).tx_frames, 100);
}

static void a_link_that_takes_nothing_drops_and_lives(void **state)
{
	static const int errors[] = {-EAGAIN, -EIO, -ENODEV, -EINVAL};
	struct net_card *f = *state;
	uint8_t got[256];

	card_start(f, 0);
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		f->send_result = errors[i];
		card_guest_send(f, NULL, HDR + 60);
		assert_true(card_tx_came_back(f));
	}
	assert_int_equal(card_counters(f).tx_dropped, ARRAY_LEN(errors));
	f->send_result = 0;
	card_guest_send(f, NULL, HDR + 60);
	assert_int_equal(card_host_receive(f, got, sizeof(got)), HDR + 60);
}

/* Trouble */

static void a_receive_buffer_that_cannot_be_is_a_fault(void **state)
{
	static const struct driver_part bad[] = {
		{ROOM_A, 200, false},    /* to read */
		{ROOM_A, HDR - 1, true}, /* no room for a header */
		{0x200000, 200, true},   /* no RAM */
	};
	struct net_card *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		card_start(f, NET_F_MRG_RXBUF);
		card_add_rx(f, ROOM_B, 200);
		(void)driver_add(&f->driver.queues[NET_RX], &bad[i], 1);
		card_kick(f, NET_RX);
		assert_true(card_needs_reset(f));
		card_host_send(f, NULL, 60);
		(void)card_pump_link(f);
		card_expect_rx(f, 0);
		assert_int_equal(f->net->watched, 0);
	}
	card_start(f, 0); /* and a reset heals it */
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	card_expect_rx(f, HDR + 60);
}

static void a_bad_transmit_chain_stops_both_ways(void **state)
{
	const struct driver_part bad = {0x200000, 100, false};
	struct net_card *f = *state;

	card_start(f, NET_F_MRG_RXBUF);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	(void)driver_add(&f->driver.queues[NET_TX], &bad, 1);
	card_kick(f, NET_TX);
	assert_true(card_needs_reset(f));
	card_host_send(f, NULL, 60);
	(void)card_pump_link(f);
	card_expect_rx(f, 0);
	assert_int_equal(card_num_buffers(f, ROOM_A), 0); /* untouched */
}

static void buffers_from_before_a_reset_are_not_written(void **state)
{
	struct net_card *f = *state;

	card_start(f, NET_F_MRG_RXBUF);
	for (unsigned i = 0; i < 3; i++)
		card_add_rx(f, ROOM_A + 0x1000 * i, 200);
	card_kick(f, NET_RX);
	card_start(f, NET_F_MRG_RXBUF);
	card_host_send(f, NULL, 60);
	(void)card_pump_link(f);
	assert_int_equal(card_num_buffers(f, ROOM_A), 0);
	card_add_rx(f, ROOM_B, 200);
	card_kick(f, NET_RX);
	card_expect_rx(f, HDR + 60);
	assert_int_equal(card_num_buffers(f, ROOM_A), 0);
	assert_int_equal(card_num_buffers(f, ROOM_B), 1);
}

static void a_queue_that_is_taken_back_is_not_written(void **state)
{
	struct net_card *f = *state;

	card_start(f, NET_F_MRG_RXBUF);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	driver_reg_set(&f->driver, REG_QUEUE_SEL, NET_RX);
	driver_reg_set(&f->driver, REG_QUEUE_READY, 0);
	card_host_send(f, NULL, 60);
	assert_int_equal(card_pump_link(f), 1);
	assert_int_equal(card_num_buffers(f, ROOM_A), 0);
	assert_int_equal(f->net->watched, 0);
}

static void a_link_that_is_gone_leaves_a_quiet_card(void **state)
{
	struct net_card *f = *state;

	card_start(f, 0);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	fd_close(&f->host_fd);
	assert_int_equal(card_pump_link(f), 1);
	assert_true(f->net->link_is_gone);
	card_kick(f, NET_RX);
	card_guest_send(f, NULL, HDR + 60);
	assert_true(card_tx_came_back(f));
	assert_int_equal(card_counters(f).tx_dropped, 1);
	assert_false(card_needs_reset(f));
	card_start(f, 0); /* a driver that starts again is fine too */
	card_guest_send(f, NULL, HDR + 60);
	assert_true(card_tx_came_back(f));
}

static void a_hang_up_while_resting_does_not_spin(void **state)
{
	struct net_card *f = *state;

	fd_close(&f->host_fd);
	assert_int_equal(card_pump_link(f), 1);
	assert_true(f->net->link_is_gone);
	card_start(f, 0);
	assert_false(card_needs_reset(f));
}

static void a_link_of_errors_is_given_up(void **state)
{
	struct net_card *f = *state;

	card_start(f, 0);
	card_add_rx(f, ROOM_A, 200);
	card_kick(f, NET_RX);
	card_host_send(f, NULL, 60);
	f->receive_result = -EINVAL;
	assert_true(card_pump_link(f) <= 3);
	assert_true(f->net->link_is_gone);
	assert_int_equal(card_counters(f).rx_errors, 65);
	card_guest_send(f, NULL, HDR + 60); /* both ways */
	assert_true(card_tx_came_back(f));
	assert_int_equal(card_counters(f).tx_dropped, 1);
}

static void a_receive_chain_with_something_to_read_is_a_fault(void **state)
{
	const struct driver_part parts[] = {
		{ROOM_A, 20, false},
		{ROOM_B, 200, true},
	};
	struct net_card *f = *state;

	card_start(f, 0);
	(void)driver_add(&f->driver.queues[NET_RX], parts, ARRAY_LEN(parts));
	card_kick(f, NET_RX);
	assert_true(card_needs_reset(f));
}

/* Snapshot */

static size_t save(const struct net_card *f, void *data, size_t size)
{
	struct state state = {.data = data, .size_bytes = size, .saving = true};

	assert_int_equal(virtio_mmio_save(f->driver.mmio, &state), 0);
	return state.at;
}

static void gathered_buffers_survive_a_snapshot(void **state)
{
	struct net_card *f = *state;
	struct net_card *other = card_create(card_mac, 1400);
	void *other_state = other;
	struct state loading;
	uint8_t data[1024];
	uint8_t *low = f->driver.memory.regions[0].host;

	card_start(f, NET_F_MRG_RXBUF | NET_F_GUEST_CSUM);
	for (unsigned i = 0; i < 3; i++)
		card_add_rx(f, ROOM_A + 0x1000 * i, 200);
	card_kick(f, NET_RX);
	card_host_send(f, NULL, 60);
	(void)card_pump_link(f);
	card_expect_rx(f, HDR + 60);
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
		card_host_send(other, NULL, 100);
		(void)card_pump_link(other);
		card_expect_rx(other, HDR + 100);
		card_expect_frame(other, ROOM_A + 0x1000 * i + HDR, 0, 100);
	}
	card_host_send(other, NULL, 100);
	(void)card_pump_link(other);
	card_expect_rx(other, 0);
	(void)card_tear_down(&other_state);
}

static void an_impossible_snapshot_is_refused(void **state)
{
	struct net_card *f = *state;
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

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, card_set_up, card_tear_down)

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
