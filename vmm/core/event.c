/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A callback may remove any source, also one that waits in the same batch of
 * events. Its entry is struck out then, so that no callback runs for a source
 * whose owner is gone.
 */
#include "core/event.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"

#define BATCH_MAX 32

struct event_loop {
	int epoll_fd;
	int stop_fd;
	bool stopping;
	struct event_source stop;
	struct epoll_event batch[BATCH_MAX];
	int batch_count;
};

static void stop_ready(void *owner, uint32_t events)
{
	struct event_loop *loop = owner;

	(void)events;
	loop->stopping = true;
}

int event_loop_create(struct event_loop **ret_loop)
{
	struct event_loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (loop == NULL)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->stop_fd = event_notifier_create();
	loop->stop = (struct event_source){
		.fd = loop->stop_fd, .ready = stop_ready, .owner = loop};
	r = event_loop_add(loop, &loop->stop, EPOLLIN);
	if (r < 0) {
		event_loop_destroy(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void event_loop_destroy(struct event_loop *loop)
{
	if (loop == NULL)
		return;
	fd_close(&loop->epoll_fd);
	fd_close(&loop->stop_fd);
	free(loop);
}

static int control(struct event_loop *loop, int op, struct event_source *source,
		   uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(loop->epoll_fd, op, source->fd, &event) < 0)
		return -errno;
	return 0;
}

int event_loop_add(struct event_loop *loop, struct event_source *source,
		   uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, source, events);
}

int event_loop_change(struct event_loop *loop, struct event_source *source,
		      uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

void event_loop_remove(struct event_loop *loop, struct event_source *source)
{
	(void)control(loop, EPOLL_CTL_DEL, source, 0);
	for (int i = 0; i < loop->batch_count; i++) {
		if (loop->batch[i].data.ptr == source)
			loop->batch[i].data.ptr = NULL;
	}
}

int event_loop_run(struct event_loop *loop)
{
	while (!loop->stopping) {
		int n = epoll_wait(loop->epoll_fd, loop->batch, BATCH_MAX, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		loop->batch_count = n < 0 ? 0 : n;
		for (int i = 0; i < loop->batch_count; i++) {
			struct event_source *source = loop->batch[i].data.ptr;

			if (source != NULL)
				source->ready(source->owner,
					      loop->batch[i].events);
		}
		loop->batch_count = 0;
	}
	return 0;
}

void event_loop_stop(struct event_loop *loop)
{
	event_notifier_signal(loop->stop_fd);
}

int event_notifier_create(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void event_notifier_signal(int fd)
{
	uint64_t one = 1;

	/* EAGAIN: the count is at its limit, so the reader will wake anyway. */
	(void)!write(fd, &one, sizeof(one));
}

void event_notifier_clear(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}
