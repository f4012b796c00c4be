/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handoff - how a launcher gives a machine to the VMM: one sealed memfd that
 * holds a JSON document, and descriptors, each with a role, that the document
 * lists by number. Launch with: kiln-vmm --launch-fd N
 *
 *	{"version":1,
 *	 "vm":{"id":"web","machine":{...},"kernel":{...},"drive":[...],...},
 *	 "fds":[{"role":"kvm","fd":3},{"role":"drive:rootfs","fd":6}]}
 *
 * Strict in both directions: an unknown member, a role that the machine does
 * not need, a role it lacks, an open descriptor that the list does not name,
 * a memfd that could still change: each is refused by name.
 *
 * Roles: kvm, kernel, initrd (optional), status (optional: phase and exit
 * lines, see status.h), console-in and console-out (serial enabled; both
 * optional), drive:ID, net:ID (a tap). Descriptors 0, 1 and 2 are not listed.
 */
#ifndef KILN_LAUNCH_HANDOFF_H
#define KILN_LAUNCH_HANDOFF_H

#include "base/err.h"
#include "launch/machine.h"

#define HANDOFF_VERSION  1
#define HANDOFF_FDS_MAX  40
#define HANDOFF_ROLE_MAX 80
#define HANDOFF_JSON_MAX 32768
#define HANDOFF_FD_LIMIT 256 /* descriptors are below this number */

struct handoff_fd {
	char role[HANDOFF_ROLE_MAX];
	int fd;
};

struct handoff {
	struct machine machine;
	struct handoff_fd fds[HANDOFF_FDS_MAX];
	unsigned fd_count;
};

/* handoff_add - append a role. -E2BIG when the list is full. */
int handoff_add(struct handoff *handoff, int fd, const char *role_fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* handoff_encode - the JSON document into out. */
void handoff_encode(const struct handoff *handoff, struct buf *out);

/*
 * handoff_send - write the document to a new sealed memfd. The descriptors
 * are named by the numbers they will have in the VMM. Gives *ret_memfd.
 */
int handoff_send(const struct handoff *handoff, int *ret_memfd,
		 struct err *err);

/*
 * handoff_receive - check the seals of memfd, read it, decode it, compare its
 * list with the descriptors that are open, close memfd. On success the caller
 * owns every listed descriptor. Not reentrant: uses static storage.
 */
int handoff_receive(int memfd, struct handoff *ret_handoff, struct err *err);

/* handoff_take - the descriptor of a role, which the caller now owns and the
 * list forgets; -1 when there is none. */
int handoff_take(struct handoff *handoff, const char *role_fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* handoff_finish - every descriptor must have been taken. */
int handoff_finish(const struct handoff *handoff, struct err *err);

#endif
