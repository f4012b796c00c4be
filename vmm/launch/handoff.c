/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/fd.h"
#include "base/json.h"

/* Nothing may change any more: neither length nor bytes nor the seals. */
#define HANDOFF_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Enough for every field of a full machine and its descriptors. */
#define HANDOFF_TOKENS_MAX 1024

int handoff_add(struct handoff *handoff, int fd, const char *role_fmt, ...)
{
	struct handoff_fd *slot = &handoff->fds[handoff->fd_count];
	va_list args;

	if (handoff->fd_count >= HANDOFF_FDS_MAX)
		return -E2BIG;
	va_start(args, role_fmt);
	int n = vsnprintf(slot->role, sizeof(slot->role), role_fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(slot->role))
		return -ENAMETOOLONG;
	slot->fd = fd;
	handoff->fd_count++;
	return 0;
}

void handoff_encode(const struct handoff *handoff, struct buf *out)
{
	struct json_writer w = {.out = out};

	json_open(&w, NULL, '{');
	json_put_u64(&w, "version", HANDOFF_VERSION);
	json_open(&w, "vm", '{');
	machine_encode(&handoff->machine, &w);
	json_close(&w, '}');
	json_open(&w, "fds", '[');
	for (unsigned i = 0; i < handoff->fd_count; i++) {
		json_open(&w, NULL, '{');
		json_put_string(&w, "role", handoff->fds[i].role);
		json_put_u64(&w, "fd", (uint64_t)handoff->fds[i].fd);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
}

int handoff_send(const struct handoff *handoff, int *ret_memfd, struct err *err)
{
	char text[HANDOFF_JSON_MAX];
	struct buf out;

	buf_init(&out, text, sizeof(text));
	handoff_encode(handoff, &out);
	if (buf_status(&out) < 0)
		return err_say(err, E2BIG, "launch description over %d bytes",
			       HANDOFF_JSON_MAX);
	cleanup_fd int fd =
		memfd_create("kiln-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_set(err, errno, "make the launch memfd");
	int r = fd_write_full(fd, text, out.len);
	if (r < 0)
		return err_set(err, -r, "write the launch memfd");
	if (fcntl(fd, F_ADD_SEALS, HANDOFF_SEALS) < 0)
		return err_set(err, errno, "seal the launch memfd");
	*ret_memfd = fd_steal(&fd);
	return 0;
}

static int read_document(int memfd, char *text, size_t *ret_len,
			 struct err *err)
{
	struct stat st;
	int seals = fcntl(memfd, F_GET_SEALS);
	int r;

	if (seals < 0)
		return err_set(err, errno,
			       "launch descriptor %d is no sealed memfd",
			       memfd);
	if ((seals & HANDOFF_SEALS) != HANDOFF_SEALS)
		return err_say(
			err, EPERM,
			"launch memfd is not sealed (seals 0x%x, wants 0x%x)",
			(unsigned)seals, (unsigned)HANDOFF_SEALS);
	if (fstat(memfd, &st) < 0)
		return err_set(err, errno, "launch memfd");
	if (st.st_size <= 0 || st.st_size > HANDOFF_JSON_MAX)
		return err_say(
			err, E2BIG,
			"launch description of %lld bytes, wants 1 to %d",
			(long long)st.st_size, HANDOFF_JSON_MAX);
	r = fd_pread_full(memfd, text, (size_t)st.st_size, 0);
	if (r < 0)
		return err_set(err, -r, "read the launch memfd");
	*ret_len = (size_t)st.st_size;
	return 0;
}

static int decode_fd(struct handoff *handoff, const struct json *json,
		     uint32_t token, struct err *err)
{
	char role[HANDOFF_ROLE_MAX] = "";
	uint64_t fd = UINT64_MAX;
	uint32_t end = json->tokens[token].next;

	if (json->tokens[token].kind != JSON_OBJECT)
		return err_say(err, EINVAL, "fds: expected objects");
	for (uint32_t i = token + 1; i < end; i = json->tokens[i + 1].next) {
		if (json_key_is(json, i, "role") &&
		    json_get_string(json, i + 1, role, sizeof(role)) == 0)
			continue;
		if (json_key_is(json, i, "fd") &&
		    json_get_u64(json, i + 1, &fd) == 0)
			continue;
		return err_say(
			err, EINVAL,
			"fds: an entry is {\"role\":text,\"fd\":number}");
	}
	if (role[0] == '\0' || fd < 3 || fd >= HANDOFF_FD_LIMIT)
		return err_say(err, EINVAL,
			       "fds: role '%s' needs a descriptor from 3 to %d",
			       role, HANDOFF_FD_LIMIT - 1);
	for (unsigned i = 0; i < handoff->fd_count; i++) {
		if (strcmp(handoff->fds[i].role, role) == 0)
			return err_say(err, EINVAL,
				       "fds: role '%s' occurs twice", role);
		if (handoff->fds[i].fd == (int)fd)
			return err_say(err, EINVAL,
				       "fds: descriptor %d occurs twice",
				       (int)fd);
	}
	if (handoff_add(handoff, (int)fd, "%s", role) < 0)
		return err_say(err, E2BIG, "fds: more than %d descriptors",
			       HANDOFF_FDS_MAX);
	return 0;
}

static int decode_fds(struct handoff *handoff, const struct json *json,
		      uint32_t token, struct err *err)
{
	uint32_t end = json->tokens[token].next;

	if (json->tokens[token].kind != JSON_ARRAY)
		return err_say(err, EINVAL, "fds: expected an array");
	for (uint32_t i = token + 1; i < end; i = json->tokens[i].next) {
		int r = decode_fd(handoff, json, i, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What one member of the frame is about; `vm` is left to the machine. */
static int decode_member(struct handoff *handoff, const struct json *json,
			 uint32_t key, uint32_t *ret_vm, struct err *err)
{
	uint64_t version;
	char name[32] = "?";

	if (json_key_is(json, key, "version")) {
		if (json_get_u64(json, key + 1, &version) == 0 &&
		    version == HANDOFF_VERSION)
			return 0;
		return err_say(err, EINVAL, "version is not %d",
			       HANDOFF_VERSION);
	}
	if (json_key_is(json, key, "fds"))
		return decode_fds(handoff, json, key + 1, err);
	if (json_key_is(json, key, "vm")) {
		*ret_vm = key + 1;
		return 0;
	}
	(void)json_get_string(json, key, name, sizeof(name));
	return err_say(err, EINVAL, "unknown member '%s'", name);
}

/* version, vm and fds: each once, nothing else. */
static int decode_frame(struct handoff *handoff, const struct json *json,
			uint32_t *ret_vm, struct err *err)
{
	uint32_t end = json->tokens[0].next;
	unsigned members = 0;

	if (json->tokens[0].kind != JSON_OBJECT)
		return err_say(err, EINVAL, "expected an object, found %s",
			       json_kind_name(json->tokens[0].kind));
	for (uint32_t i = 1; i < end; i = json->tokens[i + 1].next) {
		int r = decode_member(handoff, json, i, ret_vm, err);

		if (r < 0)
			return r;
		members++;
	}
	if (members != 3)
		return err_say(err, EINVAL,
			       "wants the members version, vm and fds");
	return 0;
}

static const struct handoff_fd *find_fd(const struct handoff *handoff, int fd)
{
	for (unsigned i = 0; i < handoff->fd_count; i++) {
		if (handoff->fds[i].fd == fd)
			return &handoff->fds[i];
	}
	return NULL;
}

/*
 * A few poll() answer for every number which descriptors are open: a closed one
 * gives POLLNVAL. No /proc is there to ask, and 256 fcntl() calls cost more.
 * Few, not one: poll() refuses to look at more than RLIMIT_NOFILE at once.
 */
#define POLL_AT_ONCE 64

_Static_assert(HANDOFF_FD_LIMIT % POLL_AT_ONCE == 0, "polled without a rest");

static int poll_all(struct pollfd polls[HANDOFF_FD_LIMIT])
{
	for (int i = 0; i < HANDOFF_FD_LIMIT; i++)
		polls[i] = (struct pollfd){.fd = i};
	for (int i = 0; i < HANDOFF_FD_LIMIT; i += POLL_AT_ONCE) {
		if (poll(polls + i, POLL_AT_ONCE, 0) < 0)
			return -errno;
	}
	return 0;
}

static int compare_open_fds(const struct handoff *handoff, int memfd,
			    struct err *err)
{
	static struct pollfd polls[HANDOFF_FD_LIMIT];
	int r = poll_all(polls);

	if (r < 0)
		return err_set(err, -r, "look at the open descriptors");
	for (int i = 3; i < HANDOFF_FD_LIMIT; i++) {
		bool open = (polls[i].revents & POLLNVAL) == 0;
		const struct handoff_fd *listed = find_fd(handoff, i);

		if (open && listed == NULL && i != memfd)
			return err_say(err, EINVAL,
				       "descriptor %d is open but not listed",
				       i);
		if (!open && listed != NULL)
			return err_say(
				err, EBADF,
				"descriptor %d with role '%s' is not open", i,
				listed->role);
	}
	return 0;
}

int handoff_receive(int memfd, struct handoff *ret_handoff, struct err *err)
{
	static char text[HANDOFF_JSON_MAX];
	static struct json_token tokens[HANDOFF_TOKENS_MAX];
	struct json json = {
		.text = text, .tokens = tokens, .capacity = ARRAY_LEN(tokens)};
	uint32_t vm = 0;
	int r = read_document(memfd, text, &json.len, err);

	ret_handoff->fd_count = 0;
	r = r < 0 ? r : json_parse(&json, err);
	r = r < 0 ? r : decode_frame(ret_handoff, &json, &vm, err);
	r = r < 0 ? r : machine_decode(&ret_handoff->machine, &json, vm, err);
	r = r < 0 ? r : machine_check(&ret_handoff->machine, err);
	r = r < 0 ? r : compare_open_fds(ret_handoff, memfd, err);
	if (r < 0)
		return r;
	(void)close(memfd);
	for (unsigned i = 0; i < ret_handoff->fd_count; i++)
		(void)fd_set_cloexec(ret_handoff->fds[i].fd);
	return 0;
}

int handoff_take(struct handoff *handoff, const char *role_fmt, ...)
{
	char role[HANDOFF_ROLE_MAX];
	va_list args;

	va_start(args, role_fmt);
	(void)vsnprintf(role, sizeof(role), role_fmt, args);
	va_end(args);
	for (unsigned i = 0; i < handoff->fd_count; i++) {
		struct handoff_fd *slot = &handoff->fds[i];

		if (strcmp(slot->role, role) != 0)
			continue;
		int fd = slot->fd;
		*slot = handoff->fds[--handoff->fd_count];
		return fd;
	}
	return -1;
}

int handoff_finish(const struct handoff *handoff, struct err *err)
{
	if (handoff->fd_count == 0)
		return 0;
	return err_say(err, EINVAL,
		       "descriptor %d with role '%s' belongs to no device",
		       handoff->fds[0].fd, handoff->fds[0].role);
}
