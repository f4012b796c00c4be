/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry - one directory per running microVM, claimed by a lock.
 *
 *	PARENT/BASE/ID/pid       of kiln; the lock is on this file
 *	               vmm_pid   of the VMM
 *	               cgroup    its path on the host
 *	               taps      "NAME NETNS" a line: interfaces to remove
 *
 * The lock lives as long as kiln does: an entry whose lock is free was left by
 * a kiln that was killed, and is swept by the next start of that id. Names
 * are opened relative to their directory and never through a link. Plain text,
 * for shells to read. Thread: one at a time.
 */
#ifndef KILN_JAILER_REGISTRY_H
#define KILN_JAILER_REGISTRY_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "launch/machine.h"

struct registry {
	char id[MACHINE_ID_MAX + 1];
	int base_fd; /* PARENT/BASE */
	int dir_fd;  /* PARENT/BASE/ID */
	int lock_fd; /* "pid", locked */
	bool stale;  /* it held the remains of another run when claimed */
};

/* registry_init - holds nothing. */
void registry_init(struct registry *registry);

/*
 * registry_claim - make PARENT/BASE/ID and lock it. When `stale` is set after,
 * what the old entry names is to be swept, and then registry_clear() called.
 * Return: 0; -EBUSY with the owner's pid in err; -errno.
 */
int registry_claim(struct registry *registry, const char *parent,
		   const char *base, const char *id, struct err *err);

/* registry_write - a file of the entry. Return: 0 or -errno. */
int registry_write(const struct registry *registry, const char *name,
		   const char *text);

/* registry_read - NUL-terminated; "" when there is none. -E2BIG: too long. */
int registry_read(const struct registry *registry, const char *name, char *out,
		  size_t size_bytes);

/* registry_clear - remove every file but the lock; write the owner's pid. */
int registry_clear(struct registry *registry, struct err *err);

/* registry_release - remove the entry, then let go of the lock. */
void registry_release(struct registry *registry);

#endif
