/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a launch description. What is accepted, written out again, is
 * accepted and means the same.
 *
 * The last thing that handoff_receive() looks at is which descriptors are
 * open; the fuzzer has others than the document lists, so for a document that
 * is right this is what it must complain about.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/handoff.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_right(int r, const struct err *err)
{
	return r == 0 || strncmp(err->msg, "descriptor ", 11) == 0;
}

/* Return: was all of the document right? */
static bool receive(const void *text, size_t len, struct handoff *handoff)
{
	struct err err = {0};
	int fd = memfd_create("fuzz", MFD_ALLOW_SEALING);
	int r;

	require(fd >= 0 && fd_write_full(fd, text, len) == 0);
	require(fcntl(fd, F_ADD_SEALS, SEALS) == 0);
	memset(handoff, 0, sizeof(*handoff));
	r = handoff_receive(fd, handoff, &err);
	if (r < 0) /* else it has been closed */
		(void)close(fd);
	require(r == 0 || (err.code == r && err.msg[0] != '\0'));
	return is_right(r, &err);
}

static void check_fds(const struct handoff *handoff)
{
	require(handoff->fd_count <= HANDOFF_FDS_MAX);
	for (unsigned i = 0; i < handoff->fd_count; i++) {
		require(handoff->fds[i].fd >= 3 &&
			handoff->fds[i].fd < HANDOFF_FD_LIMIT);
		require(strnlen(handoff->fds[i].role, HANDOFF_ROLE_MAX) <
			HANDOFF_ROLE_MAX);
	}
}

/* What came back is written as it was the first time. */
static void check_same_text(const struct handoff *handoff, const char *text,
			    size_t len)
{
	static char again[HANDOFF_JSON_MAX];
	struct buf out;

	buf_init(&out, again, sizeof(again));
	handoff_encode(handoff, &out);
	require(out.len == len && memcmp(again, text, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct handoff first;
	static struct handoff second;
	static char text[HANDOFF_JSON_MAX];
	struct buf out;

	if (!receive(data, size, &first))
		return 0;
	check_fds(&first);
	buf_init(&out, text, sizeof(text));
	handoff_encode(&first, &out);
	require(buf_status(&out) == 0);
	require(receive(text, out.len, &second));
	check_same_text(&second, text, out.len);
	require(first.fd_count == second.fd_count);
	return 0;
}
