/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/tap.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/array.h"
#include "base/fd.h"

struct tap {
	int fd;
};

/*
 * Flags of the interface, and what to say when they are wrong. IFF_NO_PI has
 * no row: TUNGETIFF sets the same bit for "no filter attached" (IFF_NOFILTER,
 * drivers/net/tun.c), so a tap without it cannot be told apart.
 */
static const struct tap_rule {
	unsigned flag;
	unsigned wanted;
	const char *complaint;
} rules[] = {
	{IFF_TAP, IFF_TAP, "is a tun, not a tap: frames are wanted (IFF_TAP)"},
	{IFF_MULTI_QUEUE, 0, "has several queues (IFF_MULTI_QUEUE)"},
	{IFF_VNET_HDR, IFF_VNET_HDR,
	 "has no virtio header: IFF_VNET_HDR unset"},
};

static int check_flags(int fd, struct err *err)
{
	struct ifreq ifr = {0};
	unsigned flags;
	int r = fd_ioctl(fd, TUNGETIFF, &ifr);

	if (r < 0)
		return err_set(err, -r, "not an attached tap");
	ifr.ifr_name[sizeof(ifr.ifr_name) - 1] = '\0';
	flags = (unsigned short)ifr.ifr_flags;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if ((flags & rules[i].flag) != rules[i].wanted)
			return err_say(err, EINVAL, "tap '%s' %s", ifr.ifr_name,
				       rules[i].complaint);
	}
	return 0;
}

static int prepare(int fd, struct err *err)
{
	int header_bytes = LINK_HEADER_BYTES;
	int r = check_flags(fd, err);

	if (r < 0)
		return r;
	r = fd_ioctl(fd, TUNSETVNETHDRSZ, &header_bytes);
	r = r < 0 ? r : fd_ioctl_number(fd, TUNSETOFFLOAD, 0);
	r = r < 0 ? r : fd_set_nonblocking(fd);
	return r < 0 ? err_set(err, -r, "prepare the tap") : 0;
}

/* EBADFD: the interface was deleted; EIO: it is not up. */
static ssize_t result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EBADFD ? -ENODEV : -errno;
}

ssize_t tap_receive(void *tap, const struct iovec *iov, unsigned count)
{
	const struct tap *self = tap;

	return result(readv(self->fd, iov, (int)count));
}

ssize_t tap_send(void *tap, const struct iovec *iov, unsigned count)
{
	const struct tap *self = tap;

	return result(writev(self->fd, iov, (int)count));
}

int tap_set_offload(void *tap, unsigned offload)
{
	static const unsigned pairs[][2] = {
		{LINK_OFFLOAD_CHECKSUM, TUN_F_CSUM},
		{LINK_OFFLOAD_TSO4, TUN_F_TSO4},
		{LINK_OFFLOAD_TSO6, TUN_F_TSO6},
		{LINK_OFFLOAD_UFO, TUN_F_UFO},
	};
	const struct tap *self = tap;
	unsigned long flags = 0;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (offload & pairs[i][0])
			flags |= pairs[i][1];
	}
	r = fd_ioctl_number(self->fd, TUNSETOFFLOAD, flags);
	return r == -EBADFD ? -ENODEV : r;
}

static void tap_close(void *tap)
{
	struct tap *self = tap;

	if (self == NULL)
		return;
	fd_close(&self->fd);
	free(self);
}

static const struct link_ops tap_ops = {
	.receive = tap_receive,
	.send = tap_send,
	.set_offload = tap_set_offload,
	.destroy = tap_close,
};

int tap_open(int fd, struct link *ret_link, struct err *err)
{
	struct tap *tap;
	int r = prepare(fd, err);

	if (r < 0)
		return r;
	tap = malloc(sizeof(*tap));
	if (tap == NULL)
		return err_set(err, ENOMEM, "tap");
	tap->fd = fd;
	*ret_link = (struct link){.ops = &tap_ops, .self = tap, .fd = fd};
	return 0;
}
