/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock covers the ring's indices, never a write(2): a file that blocks
 * all the same (O_NONBLOCK means nothing to a disk) holds up the draining
 * thread alone. The bytes between the indices belong to the drainer, the rest
 * to the putter, so that they need no lock.
 */
#include "backend/console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define RING_MASK (CONSOLE_RING_BYTES - 1u)

_Static_assert((CONSOLE_RING_BYTES & RING_MASK) == 0, "a power of two");

struct console {
	int in_fd;
	int out_fd;
	pthread_mutex_t lock;
	uint32_t put_at; /* free-running */
	uint32_t drain_at;
	struct console_counters counters;
	uint8_t ring[CONSOLE_RING_BYTES];
};

static int prepare_fd(int fd, const char *name, struct err *err)
{
	int r = fd >= 0 ? fd_set_nonblocking(fd) : 0;

	return r < 0 ? err_set(err, -r, "console %s", name) : 0;
}

int console_create(int in_fd, int out_fd, struct console **ret_console,
		   struct err *err)
{
	struct console *console;
	int r = prepare_fd(in_fd, "input", err);

	r = r < 0 ? r : prepare_fd(out_fd, "output", err);
	if (r < 0)
		return r;
	console = calloc(1, sizeof(*console));
	if (console == NULL)
		return err_set(err, ENOMEM, "console");
	console->in_fd = in_fd;
	console->out_fd = out_fd;
	(void)pthread_mutex_init(&console->lock, NULL);
	*ret_console = console;
	return 0;
}

void console_destroy(struct console *console)
{
	if (console == NULL)
		return;
	fd_close(&console->in_fd);
	fd_close(&console->out_fd);
	(void)pthread_mutex_destroy(&console->lock);
	free(console);
}

int console_in_fd(const struct console *console)
{
	return console->in_fd;
}

int console_out_fd(const struct console *console)
{
	return console->out_fd;
}

bool console_put(struct console *console, uint8_t byte)
{
	uint32_t waiting;

	(void)pthread_mutex_lock(&console->lock);
	waiting = console->put_at - console->drain_at;
	if (console->out_fd < 0 || waiting == CONSOLE_RING_BYTES)
		console->counters.dropped_bytes++;
	else
		console->ring[console->put_at++ & RING_MASK] = byte;
	(void)pthread_mutex_unlock(&console->lock);
	return waiting == 0 && console->out_fd >= 0;
}

/* Bytes that lie in one piece at *ret_start; 0: the ring is empty. */
static uint32_t next_piece(struct console *console, uint32_t *ret_start)
{
	uint32_t len;
	uint32_t to_end;

	(void)pthread_mutex_lock(&console->lock);
	*ret_start = console->drain_at & RING_MASK;
	len = console->put_at - console->drain_at;
	(void)pthread_mutex_unlock(&console->lock);
	to_end = CONSOLE_RING_BYTES - *ret_start;
	return len < to_end ? len : to_end;
}

static void piece_done(struct console *console, uint32_t len, bool written)
{
	(void)pthread_mutex_lock(&console->lock);
	console->drain_at += len;
	if (written)
		console->counters.written_bytes += len;
	else
		console->counters.dropped_bytes += len;
	(void)pthread_mutex_unlock(&console->lock);
}

/* Return: 0 go on; -EAGAIN the fd takes no more. */
static int write_piece(struct console *console, uint32_t start, uint32_t len)
{
	ssize_t n = write(console->out_fd, console->ring + start, len);

	if (n >= 0)
		piece_done(console, (uint32_t)n, true);
	else if (errno == EAGAIN)
		return -EAGAIN;
	else if (errno != EINTR)
		piece_done(console, len, false); /* reader gone, disk full */
	return 0;
}

int console_drain(struct console *console)
{
	uint32_t start;
	uint32_t len;

	/* The ring wraps once; a guest that keeps putting gets no third turn,
	 * so that the thread can serve others. */
	for (int turn = 0; turn < 2; turn++) {
		len = next_piece(console, &start);
		if (len == 0)
			return 0;
		if (write_piece(console, start, len) < 0)
			return -EAGAIN;
	}
	return next_piece(console, &start) == 0 ? 0 : -EAGAIN;
}

int console_flush(struct console *console, unsigned timeout_ms)
{
	uint64_t end_us = clock_now_us() + (uint64_t)timeout_ms * 1000;
	struct pollfd out = {.fd = console->out_fd, .events = POLLOUT};
	uint64_t now_us;

	while (console_drain(console) == -EAGAIN) {
		now_us = clock_now_us();
		if (now_us >= end_us)
			return -ETIMEDOUT;
		(void)poll(&out, 1, (int)((end_us - now_us) / 1000) + 1);
	}
	return 0;
}

ssize_t console_read(struct console *console, void *data, size_t len)
{
	ssize_t n = read(console->in_fd, data, len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	/* A terminal that hangs up says EIO: the end, like any other error. */
	return n < 0 ? 0 : n;
}

void console_read_counters(struct console *console,
			   struct console_counters *ret_counters)
{
	(void)pthread_mutex_lock(&console->lock);
	*ret_counters = console->counters;
	(void)pthread_mutex_unlock(&console->lock);
}
