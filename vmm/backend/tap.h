/* SPDX-License-Identifier: Apache-2.0 */
/* tap - a link over a tap interface of the host (Linux
 * Documentation/networking/tuntap.rst). */
#ifndef KILN_BACKEND_TAP_H
#define KILN_BACKEND_TAP_H

#include "backend/link.h"
#include "base/err.h"

struct tap;

/*
 * tap_open - check and prepare fd: a tap that is attached already (TUNSETIFF)
 * with exactly IFF_TAP | IFF_NO_PI | IFF_VNET_HDR (IFF_NO_PI is believed: the
 * kernel does not tell). Takes fd on success; no offload is set.
 * ret_link->self is the tap; the link's destroy ends it.
 */
int tap_open(int fd, struct link *ret_link, struct err *err);

/* tap_set_offload, tap_receive, tap_send - as in struct link_ops. */
int tap_set_offload(void *tap, unsigned offload);
ssize_t tap_receive(void *tap, const struct iovec *iov, unsigned count);
ssize_t tap_send(void *tap, const struct iovec *iov, unsigned count);

#endif
