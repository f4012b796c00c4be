/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On real taps, in a network namespace that this program makes for itself and
 * that nothing else can see. Frames carry the EtherType for local experiments,
 * so that what the kernel says by itself (IPv6) is told apart.
 */
#include "backend/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/fd.h"

#define FRAME_BYTES 60
#define NAME        "kilntap0"

static char skip_reason[128]; /* empty: taps can be made */

static int tun_open(void)
{
	return open("/dev/net/tun", O_RDWR | O_CLOEXEC);
}

static void enter_namespace(void)
{
	cleanup_fd int fd = -1;

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		(void)snprintf(skip_reason, sizeof(skip_reason),
			       "no network namespace: %s", strerror(errno));
		return;
	}
	fd = tun_open();
	if (fd < 0)
		(void)snprintf(skip_reason, sizeof(skip_reason),
			       "/dev/net/tun: %s", strerror(errno));
}

static void need_taps(void)
{
	if (skip_reason[0] == '\0')
		return;
	print_message("skipped: %s\n", skip_reason);
	skip();
}

static int attach(short flags)
{
	struct ifreq ifr = {.ifr_flags = flags};
	int fd = tun_open();

	assert_true(fd >= 0);
	(void)strcpy(ifr.ifr_name, NAME);
	assert_int_equal(fd_ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

static void set_up_state(bool up)
{
	struct ifreq ifr = {0};
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)strcpy(ifr.ifr_name, NAME);
	ifr.ifr_flags = up ? IFF_UP : 0;
	assert_int_equal(fd_ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
}

static struct link open_good_tap(void)
{
	struct link link = {0};
	struct err err = {0};
	int fd = attach(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);

	assert_int_equal(tap_open(fd, &link, &err), 0);
	assert_int_equal(link.fd, fd);
	return link;
}

/* The host's end: everything that passes the interface. */
static int packet_socket(void)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_802_EX1)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	address.sll_ifindex = (int)if_nametoindex(NAME);
	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&address, sizeof(address)),
		0);
	return fd;
}

static void fill_frame(uint8_t *frame)
{
	static const uint8_t start[] = {0xff, 0xff, 0xff, 0xff, 0xff,
					0xff, 2,    0,    0,    0,
					0,    1,    0x88, 0xb5};

	memset(frame, 0xab, FRAME_BYTES);
	memcpy(frame, start, sizeof(start));
}

struct parts {
	uint8_t header[LINK_HEADER_BYTES];
	uint8_t frame[2048];
	struct iovec iov[2];
};

static void parts_init(struct parts *parts, size_t frame_bytes)
{
	memset(parts, 0, sizeof(*parts));
	fill_frame(parts->frame);
	parts->iov[0] = (struct iovec){parts->header, LINK_HEADER_BYTES};
	parts->iov[1] = (struct iovec){parts->frame, frame_bytes};
}

static void flags_that_do_not_fit_are_refused_by_name(void **state)
{
	static const struct {
		short flags;
		const char *message;
	} cases[] = {
		{IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE,
		 "tap 'kilntap0' has several queues (IFF_MULTI_QUEUE)"},
		{IFF_TAP | IFF_NO_PI,
		 "tap 'kilntap0' has no virtio header: IFF_VNET_HDR unset"},
		{IFF_TUN | IFF_NO_PI | IFF_VNET_HDR,
		 "tap 'kilntap0' is a tun, not a tap: frames are wanted "
		 "(IFF_TAP)"},
	};

	(void)state;
	need_taps();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_fd int fd = attach(cases[i].flags);
		struct link link = {0};
		struct err err = {0};

		assert_int_equal(tap_open(fd, &link, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].message);
		assert_null(link.self);
	}
}

static void a_tap_that_is_not_attached_is_refused(void **state)
{
	cleanup_fd int fd = -1;
	struct link link = {0};
	struct err err = {0};

	(void)state;
	need_taps();
	fd = tun_open();
	assert_int_equal(tap_open(fd, &link, &err), -EBADFD);
	assert_string_equal(err.msg, "not an attached tap: File descriptor in "
				     "bad state");
}

static void something_else_is_refused(void **state)
{
	cleanup_fd int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct link link = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(tap_open(fd, &link, &err), -ENOTTY);
	assert_memory_equal(err.msg, "not an attached tap: ", 21);
}

static void frames_go_out_with_a_header_of_12_bytes(void **state)
{
	struct link link;
	struct parts parts;
	cleanup_fd int host = -1;
	uint8_t got[256];

	(void)state;
	need_taps();
	link = open_good_tap();
	set_up_state(true);
	host = packet_socket();
	parts_init(&parts, FRAME_BYTES);
	assert_int_equal(link.ops->send(link.self, parts.iov, 2),
			 LINK_HEADER_BYTES + FRAME_BYTES);
	assert_int_equal(recv(host, got, sizeof(got), 0), FRAME_BYTES);
	assert_memory_equal(got, parts.frame, FRAME_BYTES);
	link.ops->destroy(link.self);
}

static ssize_t receive_ours(const struct link *link, struct parts *parts)
{
	ssize_t n;

	do {
		n = link->ops->receive(link->self, parts->iov, 2);
	} while (n > 0 && memcmp(parts->frame + 12, "\x88\xb5", 2) != 0);
	return n;
}

static void frames_come_in_and_never_wait(void **state)
{
	struct link link;
	struct parts parts;
	cleanup_fd int host = -1;
	uint8_t sent[FRAME_BYTES];

	(void)state;
	need_taps();
	link = open_good_tap();
	set_up_state(true);
	host = packet_socket();
	parts_init(&parts, sizeof(parts.frame));
	memset(&parts.frame, 0, sizeof(parts.frame));
	assert_int_equal(receive_ours(&link, &parts), -EAGAIN);
	fill_frame(sent);
	assert_int_equal(send(host, sent, FRAME_BYTES, 0), FRAME_BYTES);
	assert_int_equal(receive_ours(&link, &parts),
			 LINK_HEADER_BYTES + FRAME_BYTES);
	assert_memory_equal(parts.frame, sent, FRAME_BYTES);
	assert_int_equal(parts.header[0], 0);
	assert_int_equal(parts.header[1], 0);

	/* a frame longer than the slices is cut at their end */
	assert_int_equal(send(host, sent, FRAME_BYTES, 0), FRAME_BYTES);
	parts.iov[1].iov_len = 20;
	assert_int_equal(receive_ours(&link, &parts), LINK_HEADER_BYTES + 20);
	link.ops->destroy(link.self);
}

static void a_tap_that_is_down_says_so_and_comes_back(void **state)
{
	struct link link;
	struct parts parts;

	(void)state;
	need_taps();
	link = open_good_tap();
	parts_init(&parts, FRAME_BYTES);
	assert_int_equal(link.ops->send(link.self, parts.iov, 2), -EIO);
	assert_int_equal(link.ops->receive(link.self, parts.iov, 2), -EAGAIN);
	set_up_state(true);
	assert_true(link.ops->send(link.self, parts.iov, 2) > 0);
	set_up_state(false);
	parts_init(&parts, FRAME_BYTES);
	assert_int_equal(link.ops->send(link.self, parts.iov, 2), -EIO);
	link.ops->destroy(link.self);
}

static void offloads_are_taken_in_any_sensible_set(void **state)
{
	static const unsigned sets[] = {
		LINK_OFFLOAD_CHECKSUM,
		LINK_OFFLOAD_CHECKSUM | LINK_OFFLOAD_TSO4,
		LINK_OFFLOAD_CHECKSUM | LINK_OFFLOAD_TSO4 | LINK_OFFLOAD_TSO6 |
			LINK_OFFLOAD_UFO,
		0,
	};
	struct link link;

	(void)state;
	need_taps();
	link = open_good_tap();
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		assert_int_equal(link.ops->set_offload(link.self, sets[i]), 0);
	/* the kernel refuses segmentation without checksums: bits do arrive */
	assert_int_equal(link.ops->set_offload(link.self, LINK_OFFLOAD_TSO4),
			 -EINVAL);
	link.ops->destroy(link.self);
}

static void delete_interface(void)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_DELLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.link.ifi_index = (int)if_nametoindex(NAME),
	};
	cleanup_fd int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	uint8_t answer[256];

	assert_int_equal(send(fd, &request, sizeof(request), 0),
			 sizeof(request));
	assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
	assert_int_equal(if_nametoindex(NAME), 0);
}

static void a_deleted_tap_is_gone_for_good(void **state)
{
	struct link link;
	struct parts parts;

	(void)state;
	need_taps();
	link = open_good_tap();
	set_up_state(true);
	parts_init(&parts, FRAME_BYTES);
	delete_interface();
	assert_int_equal(link.ops->send(link.self, parts.iov, 2), -ENODEV);
	assert_int_equal(link.ops->receive(link.self, parts.iov, 2), -ENODEV);
	assert_int_equal(link.ops->set_offload(link.self, 0), -ENODEV);
	link.ops->destroy(link.self);
	link.ops->destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_that_do_not_fit_are_refused_by_name),
		cmocka_unit_test(a_tap_that_is_not_attached_is_refused),
		cmocka_unit_test(something_else_is_refused),
		cmocka_unit_test(frames_go_out_with_a_header_of_12_bytes),
		cmocka_unit_test(frames_come_in_and_never_wait),
		cmocka_unit_test(a_tap_that_is_down_says_so_and_comes_back),
		cmocka_unit_test(offloads_are_taken_in_any_sensible_set),
		cmocka_unit_test(a_deleted_tap_is_gone_for_good),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
