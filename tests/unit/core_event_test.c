/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/irq.h"

#define MANY 100 /* more than the loop takes in one batch */

struct fixture {
	struct event_loop *loop;
	struct event_source sources[MANY];
	unsigned calls[MANY];
	unsigned index; /* of the source whose callback runs */
	unsigned total;
	unsigned stop_at;
};

struct member {
	struct fixture *fixture;
	unsigned index;
};

static struct member members[MANY];

static void count(void *owner, uint32_t events)
{
	const struct member *m = owner;
	struct fixture *f = m->fixture;

	(void)events;
	event_notifier_clear(f->sources[m->index].fd);
	f->calls[m->index]++;
	if (++f->total == f->stop_at)
		event_loop_stop(f->loop);
}

static void add(struct fixture *f, unsigned index,
		void (*ready)(void *owner, uint32_t events))
{
	members[index] = (struct member){f, index};
	f->sources[index] = (struct event_source){
		.fd = event_notifier_create(),
		.ready = ready,
		.owner = &members[index],
	};
	assert_true(f->sources[index].fd >= 0);
	assert_int_equal(event_loop_add(f->loop, &f->sources[index], EPOLLIN),
			 0);
}

static int create(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	for (unsigned i = 0; i < MANY; i++)
		f->sources[i].fd = -1;
	return event_loop_create(&f->loop);
}

static int destroy(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < MANY; i++) {
		if (f->sources[i].fd >= 0)
			close(f->sources[i].fd);
	}
	event_loop_destroy(f->loop);
	free(f);
	return 0;
}

static void every_source_that_is_ready_is_called_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < MANY; i++) {
		add(f, i, count);
		event_notifier_signal(f->sources[i].fd);
		event_notifier_signal(f->sources[i].fd);
	}
	f->stop_at = MANY;
	assert_int_equal(event_loop_run(f->loop), 0);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(f->calls[i], 1);
}

static void remove_all_others(void *owner, uint32_t events)
{
	const struct member *m = owner;
	struct fixture *f = m->fixture;

	for (unsigned i = 0; i < 8; i++) {
		if (i == m->index)
			continue;
		event_loop_remove(f->loop, &f->sources[i]);
		/* A call through it from now on would be seen. */
		memset(&f->sources[i], 0, sizeof(f->sources[i]));
		f->sources[i].fd = -1;
	}
	f->stop_at = f->total + 1;
	count(owner, events);
}

/* All are ready in one batch; the first to be called removes the rest. */
static void a_removed_source_is_not_called(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++) {
		add(f, i, remove_all_others);
		event_notifier_signal(f->sources[i].fd);
	}
	assert_int_equal(event_loop_run(f->loop), 0);
	assert_int_equal(f->total, 1);
}

static void add_another(void *owner, uint32_t events)
{
	const struct member *m = owner;
	struct fixture *f = m->fixture;

	add(f, 1, count);
	event_notifier_signal(f->sources[1].fd);
	event_loop_remove(f->loop, &f->sources[0]);
	count(owner, events);
}

static void a_callback_may_add_and_remove_itself(void **state)
{
	struct fixture *f = *state;

	add(f, 0, add_another);
	event_notifier_signal(f->sources[0].fd);
	f->stop_at = 2;
	assert_int_equal(event_loop_run(f->loop), 0);
	assert_int_equal(f->calls[0], 1);
	assert_int_equal(f->calls[1], 1);
}

static void a_source_can_be_silenced(void **state)
{
	struct fixture *f = *state;

	add(f, 0, count);
	add(f, 1, count);
	event_notifier_signal(f->sources[0].fd);
	event_notifier_signal(f->sources[1].fd);
	assert_int_equal(event_loop_change(f->loop, &f->sources[0], 0), 0);
	f->stop_at = 1;
	assert_int_equal(event_loop_run(f->loop), 0);
	assert_int_equal(f->calls[0], 0);
	assert_int_equal(f->calls[1], 1);
}

static void *stop(void *loop)
{
	event_loop_stop(loop);
	return NULL;
}

static void another_thread_stops_it(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, stop, f->loop), 0);
	assert_int_equal(event_loop_run(f->loop), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* Stopped for good, and stopping twice is harmless. */
	event_loop_stop(f->loop);
	assert_int_equal(event_loop_run(f->loop), 0);
}

static void what_epoll_refuses_is_told(void **state)
{
	struct fixture *f = *state;
	struct event_source source = {.fd = -1};

	assert_int_equal(event_loop_add(f->loop, &source, EPOLLIN), -EBADF);
	add(f, 0, count);
	assert_int_equal(event_loop_add(f->loop, &f->sources[0], EPOLLIN),
			 -EEXIST);
	event_loop_remove(f->loop, &f->sources[0]);
	assert_int_equal(event_loop_change(f->loop, &f->sources[0], EPOLLIN),
			 -ENOENT);
	event_loop_destroy(NULL);
}

static void also(void *controller, uint32_t gsi)
{
	*(uint32_t *)controller = gsi;
}

static void a_line_raises_its_eventfd_and_its_controller(void **state)
{
	uint32_t seen = 0;
	uint64_t raised = 0;
	struct irq_line line = {.event_fd = event_notifier_create(),
				.gsi = 9,
				.also = also,
				.controller = &seen};

	(void)state;
	irq_line_raise(&line);
	irq_line_raise(&line);
	assert_int_equal(read(line.event_fd, &raised, 8), 8);
	assert_int_equal(raised, 2);
	assert_int_equal(seen, 9);
	/* Nothing waits when the count is at its end. */
	raised = UINT64_MAX - 1;
	assert_int_equal(write(line.event_fd, &raised, 8), 8);
	irq_line_raise(&line);
	close(line.event_fd);
	irq_line_raise(&(struct irq_line){.event_fd = -1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_source_that_is_ready_is_called_once, create,
			destroy),
		cmocka_unit_test_setup_teardown(a_removed_source_is_not_called,
						create, destroy),
		cmocka_unit_test_setup_teardown(
			a_callback_may_add_and_remove_itself, create, destroy),
		cmocka_unit_test_setup_teardown(a_source_can_be_silenced,
						create, destroy),
		cmocka_unit_test_setup_teardown(another_thread_stops_it, create,
						destroy),
		cmocka_unit_test_setup_teardown(what_epoll_refuses_is_told,
						create, destroy),
		cmocka_unit_test(a_line_raises_its_eventfd_and_its_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
