/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input and output belong to whoever started kiln and are not made
 * non-blocking, for that would be true for them as well. Instead they are
 * touched only after poll() has said so, and no more is written at once than
 * a pipe or a terminal that is ready takes (pipe(7): PIPE_BUF).
 */
#include "jailer/console_relay.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define KEY_ESCAPE    0x01 /* Ctrl-A */
#define WRITE_BYTES   256  /* a terminal that is ready has that much room */
#define DRAIN_WAIT_MS 100
#define DRAIN_MOVES   4096

enum {
	POLL_STDIN,
	POLL_GUEST_IN,
	POLL_GUEST_OUT,
	POLL_STDOUT,
};

void console_relay_init(struct console_relay *relay, int guest_in,
			int guest_out, bool terminal)
{
	memset(relay, 0, sizeof(*relay));
	relay->in.from = guest_in < 0 ? -1 : STDIN_FILENO;
	relay->in.to = guest_in;
	relay->out.from = guest_out;
	relay->out.to = STDOUT_FILENO;
	relay->terminal = terminal;
}

static bool way_has_data(const struct console_way *way)
{
	return way->start < way->end;
}

static void way_polls(const struct console_way *way, struct pollfd *from,
		      struct pollfd *to)
{
	bool data = way_has_data(way);

	*from = (struct pollfd){.fd = data ? -1 : way->from, .events = POLLIN};
	*to = (struct pollfd){.fd = data ? way->to : -1, .events = POLLOUT};
}

void console_relay_polls(const struct console_relay *relay,
			 struct pollfd polls[CONSOLE_POLLS])
{
	way_polls(&relay->in, &polls[POLL_STDIN], &polls[POLL_GUEST_IN]);
	way_polls(&relay->out, &polls[POLL_GUEST_OUT], &polls[POLL_STDOUT]);
}

/* EAGAIN can only be the guest's end; of stdin's EIO: in the background. */
static void way_read(struct console_way *way)
{
	ssize_t n = read(way->from, way->data, sizeof(way->data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	way->start = 0;
	way->end = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		way->from = -1;
}

/* Nobody reads any more: go on without, the guest must not notice. */
static void way_write(struct console_way *way)
{
	size_t len = way->end - way->start;
	ssize_t n = write(way->to, way->data + way->start,
			  len < WRITE_BYTES ? len : WRITE_BYTES);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		way->start = way->end;
	else
		way->start += (size_t)n;
}

/* Take Ctrl-A and the key after it out of what was typed. */
static void filter_keys(struct console_relay *relay)
{
	struct console_way *way = &relay->in;
	size_t kept = 0;

	for (size_t i = 0; i < way->end; i++) {
		char key = way->data[i];

		if (!relay->escape && key == KEY_ESCAPE) {
			relay->escape = true;
			continue;
		}
		if (relay->escape && (key == 'x' || key == 'X'))
			relay->leave = true;
		else if (!relay->escape || key == KEY_ESCAPE)
			way->data[kept++] = key;
		relay->escape = false;
	}
	way->end = kept;
}

static bool is_ready(const struct pollfd *poll_fd)
{
	return poll_fd->fd >= 0 && poll_fd->revents != 0;
}

void console_relay_move(struct console_relay *relay,
			const struct pollfd polls[CONSOLE_POLLS])
{
	if (is_ready(&polls[POLL_GUEST_IN]))
		way_write(&relay->in);
	if (is_ready(&polls[POLL_STDOUT]))
		way_write(&relay->out);
	if (is_ready(&polls[POLL_GUEST_OUT]))
		way_read(&relay->out);
	if (!is_ready(&polls[POLL_STDIN]))
		return;
	way_read(&relay->in);
	if (relay->terminal)
		filter_keys(relay);
}

void console_relay_drain(struct console_relay *relay)
{
	struct pollfd polls[CONSOLE_POLLS];

	relay->in.from = -1;
	relay->in.start = relay->in.end = 0;
	for (int i = 0; i < DRAIN_MOVES; i++) {
		if (relay->out.from < 0 && !way_has_data(&relay->out))
			break;
		console_relay_polls(relay, polls);
		if (poll(polls, CONSOLE_POLLS, DRAIN_WAIT_MS) <= 0)
			break;
		console_relay_move(relay, polls);
	}
}
