/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap - the host's end of a guest's network interface (Linux Documentation/
 * networking/tuntap.rst; rtnetlink(7) through libnl). netns: path of the
 * network namespace where the interface lives; "" is the caller's.
 *
 * A tap that kiln makes is persistent and removed by netlink: when the last
 * descriptor of one that is not persistent closes, the closing process, which
 * would be the VMM, waits some 30 ms for the kernel. Thread: one at a time.
 */
#ifndef KILN_JAILER_TAP_H
#define KILN_JAILER_TAP_H

#include <net/if.h>
#include <stdint.h>

#include "base/err.h"

struct tap_settings {
	const char *name;
	const char *netns;
	const char *alias;   /* shown by ip link */
	uint32_t address;    /* host byte order */
	uint8_t prefix_bits; /* 0: no address */
	uint64_t mtu;        /* 0: the kernel's */
};

/* tap_name - "kiln-ID-INDEX"; ids too long for that become a hash. */
void tap_name(const char *id, unsigned index, char out[IFNAMSIZ]);

/*
 * tap_create - make it, give it its address, bring it up. Gives *ret_fd.
 * On failure it is gone again. -EEXIST when the name is taken.
 */
int tap_create(const struct tap_settings *settings, int *ret_fd,
	       unsigned *ret_ifindex, struct err *err);

/* tap_attach - to a persistent one that is there. Gives *ret_fd. */
int tap_attach(const char *netns, const char *name, int *ret_fd,
	       struct err *err);

/* tap_remove - by index, or by name when that is 0. Gone already is fine. */
int tap_remove(const char *netns, const char *name, unsigned ifindex,
	       struct err *err);

#endif
