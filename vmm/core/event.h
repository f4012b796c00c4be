/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event - the loop: one thread, one epoll, level-triggered. A source is a
 * struct in its owner; the loop borrows it from add to remove. Adding and
 * removing from inside a callback is allowed.
 * Thread: all functions but event_loop_stop() on the loop's thread, or on any
 * before event_loop_run().
 */
#ifndef KILN_CORE_EVENT_H
#define KILN_CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct event_loop;

struct event_source {
	int fd; /* borrowed */
	/* events: EPOLLIN, EPOLLOUT, ...; EPOLLHUP and EPOLLERR may come
	 * unasked */
	void (*ready)(void *owner, uint32_t events);
	void *owner;
};

int event_loop_create(struct event_loop **ret_loop);
void event_loop_destroy(struct event_loop *loop); /* accepts NULL */

int event_loop_add(struct event_loop *loop, struct event_source *source,
		   uint32_t events);
/* events 0: stay registered, hear only of hang-up and error */
int event_loop_change(struct event_loop *loop, struct event_source *source,
		      uint32_t events);
void event_loop_remove(struct event_loop *loop, struct event_source *source);

/* event_loop_run - until event_loop_stop(). Return: 0 or -errno of epoll. */
int event_loop_run(struct event_loop *loop);
void event_loop_stop(struct event_loop *loop); /* Thread: any */

/* event_notifier_create - a non-blocking eventfd. Return: fd or -errno. */
int event_notifier_create(void);
void event_notifier_signal(int fd); /* Thread: any; never blocks */
void event_notifier_clear(int fd);

#endif
