/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - where a network device's frames go and come from: a tap today. Every
 * frame travels behind a header of 12 bytes (struct virtio_net_hdr_v1 of
 * linux/virtio_net.h), filled by whoever sends.
 */
#ifndef KILN_BACKEND_LINK_H
#define KILN_BACKEND_LINK_H

#include <sys/types.h>
#include <sys/uio.h>

#define LINK_HEADER_BYTES 12
/* Header, Ethernet header and a tag, and what one IP packet can hold. */
#define LINK_FRAME_MAX    65562

/* What may be left undone in frames that are received from the link. */
enum {
	LINK_OFFLOAD_CHECKSUM = 1, /* the others need this one */
	LINK_OFFLOAD_TSO4 = 2,
	LINK_OFFLOAD_TSO6 = 4,
	LINK_OFFLOAD_UFO = 8,
};

struct link_ops {
	/*
	 * receive, send - one frame with its header, never waiting.
	 * Return: bytes, cut at the end of the slices; -EAGAIN not now; -EIO
	 * the link is down and may come up; -ENODEV it is gone for good;
	 * -errno else. Thread: loop.
	 */
	ssize_t (*receive)(void *link, const struct iovec *iov, unsigned count);
	ssize_t (*send)(void *link, const struct iovec *iov, unsigned count);
	/* Return: 0 or -errno. Thread: any. */
	int (*set_offload)(void *link, unsigned offload);
	void (*destroy)(void *link); /* accepts NULL */
};

struct link {
	const struct link_ops *ops;
	void *self;
	int fd; /* readable when a frame waits; borrowed, for a loop */
};

#endif
