/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console - two descriptors and a bounded ring between a guest's console
 * device and the outside.
 *
 *	vCPU: console_put() --> ring, 64 KiB --> console_drain() --> out_fd
 *	                                          (one thread)
 *	                        console_read() <--------------------- in_fd
 *
 * Putting never waits: when the reader of out_fd is slow, the ring fills; when
 * it is full, the newest bytes are dropped and counted. SIGPIPE must be
 * ignored by the program.
 */
#ifndef KILN_BACKEND_CONSOLE_H
#define KILN_BACKEND_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define CONSOLE_RING_BYTES 65536 /* a power of two */

struct console;

struct console_counters {
	uint64_t written_bytes;
	uint64_t dropped_bytes; /* ring full, no out_fd, or the fd failed */
};

/*
 * console_create - takes both descriptors on success; either may be -1. They
 * become non-blocking, which everyone who shares the open file sees.
 */
int console_create(int in_fd, int out_fd, struct console **ret_console,
		   struct err *err);
void console_destroy(struct console *console); /* accepts NULL */

/* Borrowed, for a loop to watch; -1: none. */
int console_in_fd(const struct console *console);
int console_out_fd(const struct console *console);

/*
 * console_put - Return: true when the ring was empty before, so that the
 * draining thread has to be told. Thread: any.
 */
bool console_put(struct console *console, uint8_t byte);

/*
 * console_drain - write what the ring holds, a ring's length at the most.
 * Return: 0 the ring is empty; -EAGAIN call again when out_fd is writable.
 * Thread: one at a time.
 */
int console_drain(struct console *console);

/*
 * console_flush - drain at the end, waiting up to timeout_ms in all for a slow
 * reader. Return: 0; -ETIMEDOUT bytes were left.
 */
int console_flush(struct console *console, unsigned timeout_ms);

/*
 * console_read - Return: bytes read; -EAGAIN none now; 0 the end: nothing will
 * come any more.
 */
ssize_t console_read(struct console *console, void *data, size_t len);

/* Thread: any. */
void console_read_counters(struct console *console,
			   struct console_counters *ret_counters);

#endif
