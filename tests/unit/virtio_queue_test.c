/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "core/state.h"
#include "virtio/queue.h"
#include "virtio_driver.h"

struct fixture {
	struct guest_memory memory;
	struct driver_queue driver;
	struct virtio_queue queue;
	struct virtio_chain chain;
};

static void start(struct fixture *f, uint16_t size, uint64_t features)
{
	driver_queue_init(&f->driver, &f->memory, DRIVER_RING(0), size);
	virtio_queue_init(&f->queue, VIRTIO_QUEUE_SIZE_MAX);
	f->queue.size = size;
	f->queue.desc_gpa = f->driver.desc;
	f->queue.avail_gpa = f->driver.avail;
	f->queue.used_gpa = f->driver.used;
	assert_int_equal(virtio_queue_start(&f->queue, &f->memory, features),
			 0);
}

static int set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	driver_memory_create(&f.memory);
	start(&f, 8, VIRTIO_QUEUE_FEATURES);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	guest_memory_destroy(&f->memory);
	return 0;
}

static const uint8_t *host(const struct fixture *f, gpa_t gpa)
{
	void *at = NULL;

	assert_int_equal(guest_slice(&f->memory, gpa, 1, &at), 0);
	return at;
}

/* Starting */

struct start_row {
	const char *name;
	uint16_t size;
	gpa_t desc;
	gpa_t avail;
	gpa_t used;
	int result;
};

#define EDGE DRIVER_LOW_BYTES

static const struct start_row start_rows[] = {
	{"plain", 8, 0x1000, 0x2000, 0x3000, 0},
	{"size 1", 1, 0x1000, 0x2000, 0x3000, 0},
	{"size 256", 256, 0x1000, 0x2000, 0x3000, 0},
	{"smallest alignment", 8, 0x1010, 0x2002, 0x3004, 0},
	{"above the gap", 8, DRIVER_HIGH, DRIVER_HIGH + 0x2000, 0x3000, 0},
	{"all in one place", 8, 0x1000, 0x1000, 0x1000, 0},
	{"size 0", 0, 0x1000, 0x2000, 0x3000, -EINVAL},
	{"size 3", 3, 0x1000, 0x2000, 0x3000, -EINVAL},
	{"size 512", 512, 0x1000, 0x2000, 0x3000, -EINVAL},
	{"desc not aligned", 8, 0x1008, 0x2000, 0x3000, -EINVAL},
	{"avail not aligned", 8, 0x1000, 0x2001, 0x3000, -EINVAL},
	{"used not aligned", 8, 0x1000, 0x2000, 0x3002, -EINVAL},
	{"desc ends with RAM", 8, EDGE - 128, 0x2000, 0x3000, 0},
	{"desc crosses the end", 8, EDGE - 112, 0x2000, 0x3000, -EFAULT},
	{"avail ends with RAM", 8, 0x1000, EDGE - 22, 0x3000, 0},
	{"avail crosses the end", 8, 0x1000, EDGE - 20, 0x3000, -EFAULT},
	{"used ends with RAM", 8, 0x1000, 0x2000, EDGE - 72, 0},
	{"used crosses the end", 8, 0x1000, 0x2000, EDGE - 68, -EFAULT},
	{"used in the gap", 8, 0x1000, 0x2000, DRIVER_HIGH - 4, -EFAULT},
	{"desc at the end of all", 8, UINT64_MAX - 15, 0x2000, 0x3000, -EFAULT},
};

static void start_checks_size_alignment_and_place(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(start_rows); i++) {
		const struct start_row *row = &start_rows[i];

		virtio_queue_init(&f->queue, VIRTIO_QUEUE_SIZE_MAX);
		f->queue.size = row->size;
		f->queue.desc_gpa = row->desc;
		f->queue.avail_gpa = row->avail;
		f->queue.used_gpa = row->used;
		int r = virtio_queue_start(&f->queue, &f->memory, 0);
		if (r != row->result)
			fail_msg("%s: %d", row->name, r);
		assert_int_equal(f->queue.ready, r == 0);
	}
}

static void size_is_bounded_by_what_the_device_offers(void **state)
{
	struct fixture *f = *state;

	virtio_queue_init(&f->queue, 16);
	f->queue.size = 32;
	f->queue.desc_gpa = 0x1000;
	assert_int_equal(virtio_queue_start(&f->queue, &f->memory, 0), -EINVAL);
}

/* Chains that are fine */

static void a_chain_is_split_by_direction(void **state)
{
	struct fixture *f = *state;
	const struct driver_part parts[] = {
		{DRIVER_DATA, 16, false},
		{DRIVER_DATA + 0x1000, 100, false},
		{DRIVER_HIGH + 0x10, 200, true},
		{DRIVER_DATA + 0x2000, 1, true},
	};
	uint16_t head = driver_add(&f->driver, parts, 4);
	const struct iovec *iov;

	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.head, head);
	assert_int_equal(f->chain.readable_count, 2);
	assert_int_equal(f->chain.writable_count, 2);
	assert_int_equal(f->chain.readable_bytes, 116);
	assert_int_equal(f->chain.writable_bytes, 201);
	iov = virtio_chain_readable(&f->chain);
	assert_ptr_equal(iov[1].iov_base, host(f, DRIVER_DATA + 0x1000));
	iov = virtio_chain_writable(&f->chain);
	assert_ptr_equal(iov[0].iov_base, host(f, DRIVER_HIGH + 0x10));
	assert_int_equal(iov[1].iov_len, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 0);
}

static void zero_length_descriptors_leave_no_slice(void **state)
{
	struct fixture *f = *state;
	const struct driver_part parts[] = {
		{UINT64_MAX, 0, false},
		{DRIVER_DATA, 16, false},
		{0, 0, true},
		{DRIVER_DATA + 0x100, 1, true},
	};

	(void)driver_add(&f->driver, parts, 4);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.readable_count, 1);
	assert_int_equal(f->chain.writable_count, 1);
	(void)driver_add(&f->driver, parts, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.readable_count + f->chain.writable_count, 0);
}

static void a_chain_may_use_the_whole_table(void **state)
{
	struct fixture *f = *state;
	struct driver_part parts[8];

	for (unsigned i = 0; i < 8; i++)
		parts[i] = (struct driver_part){DRIVER_DATA + i, 1, i > 3};
	f->driver.desc_next = 5; /* and wrap around in it */
	(void)driver_add(&f->driver, parts, 8);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.readable_count, 4);
	assert_int_equal(f->chain.writable_count, 4);
}

static void an_indirect_chain_may_be_longer_than_the_queue(void **state)
{
	static struct driver_part parts[VIRTIO_QUEUE_SIZE_MAX];
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		parts[i] = (struct driver_part){DRIVER_DATA + i, 1, i > 99};
	(void)driver_add_indirect(&f->driver, 0x20003, parts, 256);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.readable_bytes, 100);
	assert_int_equal(f->chain.writable_bytes, 156);
}

/* §2.7.5.3.2: direct descriptors first, then the table, whatever its write
 * flag says. */
static void a_table_may_end_a_direct_chain(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 10, false};
	const struct driver_part in = {DRIVER_DATA, 7, true};
	const struct driver_part table = {0x20000, 32, false};

	driver_desc(&f->memory, f->driver.desc, 0, &part, DRIVER_NEXT, 5);
	driver_desc(&f->memory, f->driver.desc, 5, &table,
		    DRIVER_INDIRECT | DRIVER_WRITE, 77);
	driver_desc(&f->memory, 0x20000, 0, &part, DRIVER_NEXT, 1);
	driver_desc(&f->memory, 0x20000, 1, &in, DRIVER_WRITE, 0);
	driver_offer(&f->driver, 0);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.readable_bytes, 20);
	assert_int_equal(f->chain.writable_bytes, 7);
}

/* Chains that are not */

struct raw_desc {
	gpa_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct bad_row {
	const char *name;
	struct raw_desc table[4];    /* descriptors 0 to 3 of the queue */
	struct raw_desc indirect[4]; /* at INDIRECT */
	uint16_t head;
};

#define INDIRECT UINT64_C(0x30000)
#define N        DRIVER_NEXT
#define W        DRIVER_WRITE
#define I        DRIVER_INDIRECT

static const struct bad_row bad_rows[] = {
	{.name = "head outside the table", .head = 8},
	{.name = "head at the end of 16 bits", .head = UINT16_MAX},
	{"next outside the table", {{DRIVER_DATA, 1, N, 8}}, {{0}}, 0},
	{"loop of one", {{DRIVER_DATA, 1, N, 0}}, {{0}}, 0},
	{"loop of one without bytes", {{DRIVER_DATA, 0, N, 0}}, {{0}}, 0},
	{"loop of two",
	 {{DRIVER_DATA, 1, N, 1}, {DRIVER_DATA, 1, N, 0}},
	 {{0}},
	 0},
	{"address past the RAM", {{DRIVER_LOW_BYTES, 1, 0, 0}}, {{0}}, 0},
	{"crosses into the gap", {{DRIVER_LOW_BYTES - 1, 2, W, 0}}, {{0}}, 0},
	{"from the gap into RAM", {{DRIVER_HIGH - 1, 2, W, 0}}, {{0}}, 0},
	{"wraps around", {{UINT64_MAX - 1, 16, W, 0}}, {{0}}, 0},
	{"longest length", {{0, UINT32_MAX, W, 0}}, {{0}}, 0},
	{"readable behind writable",
	 {{DRIVER_DATA, 1, W | N, 1}, {DRIVER_DATA, 1, 0, 0}},
	 {{0}},
	 0},
	{"readable behind writable, both empty",
	 {{DRIVER_DATA, 0, W | N, 1}, {DRIVER_DATA, 0, 0, 0}},
	 {{0}},
	 0},
	{"indirect with next",
	 {{INDIRECT, 16, I | N, 1}, {DRIVER_DATA, 1, 0, 0}},
	 {{DRIVER_DATA, 1, 0, 0}},
	 0},
	{"indirect of length 0", {{INDIRECT, 0, I, 0}}, {{0}}, 0},
	{"indirect length not of 16",
	 {{INDIRECT, 24, I, 0}},
	 {{DRIVER_DATA, 1, 0, 0}},
	 0},
	{"indirect of 257",
	 {{INDIRECT, 16 * 257, I, 0}},
	 {{DRIVER_DATA, 1, 0, 0}},
	 0},
	{"indirect in the gap", {{DRIVER_LOW_BYTES, 16, I, 0}}, {{0}}, 0},
	{"indirect across the end",
	 {{DRIVER_LOW_BYTES - 16, 32, I, 0}},
	 {{0}},
	 0},
	{"indirect in indirect",
	 {{INDIRECT, 32, I, 0}},
	 {{INDIRECT + 32, 16, I, 0}, {0}, {DRIVER_DATA, 1, 0, 0}},
	 0},
	{"indirect next outside its table",
	 {{INDIRECT, 32, I, 0}},
	 {{DRIVER_DATA, 1, N, 2}, {0}, {DRIVER_DATA, 1, 0, 0}},
	 0},
	{"indirect loop",
	 {{INDIRECT, 32, I, 0}},
	 {{DRIVER_DATA, 1, N, 1}, {DRIVER_DATA, 1, N, 0}},
	 0},
	{"readable in a table behind writable",
	 {{DRIVER_DATA, 1, W | N, 1}, {INDIRECT, 16, I, 0}},
	 {{DRIVER_DATA, 1, 0, 0}},
	 0},
};

static void put_raw(const struct fixture *f, gpa_t table,
		    const struct raw_desc descs[4])
{
	for (unsigned i = 0; i < 4; i++) {
		const struct driver_part part = {descs[i].addr, descs[i].len,
						 false};

		driver_desc(&f->memory, table, i, &part, descs[i].flags,
			    descs[i].next);
	}
}

static void a_bad_chain_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];

		start(f, 8, VIRTIO_QUEUE_FEATURES);
		put_raw(f, f->driver.desc, row->table);
		put_raw(f, INDIRECT, row->indirect);
		driver_offer(&f->driver, row->head);
		if (virtio_queue_pop(&f->queue, &f->chain) != -EBADMSG)
			fail_msg("%s: not refused", row->name);
	}
}

static void indirect_is_refused_unless_negotiated(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 1, false};

	start(f, 8, VIRTIO_F_EVENT_IDX);
	(void)driver_add_indirect(&f->driver, INDIRECT, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), -EBADMSG);
}

static void more_slices_than_a_chain_holds_are_refused(void **state)
{
	static struct driver_part parts[VIRTIO_QUEUE_SIZE_MAX];
	struct fixture *f = *state;
	const struct driver_part table = {INDIRECT, 16 * 256, false};

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		parts[i] = (struct driver_part){DRIVER_DATA, 1, false};
	(void)driver_add_indirect(&f->driver, INDIRECT, parts, 256);
	/* One direct descriptor in front makes it 257. */
	driver_desc(&f->memory, f->driver.desc, 3, parts, DRIVER_NEXT, 4);
	driver_desc(&f->memory, f->driver.desc, 4, &table, DRIVER_INDIRECT, 0);
	driver_offer(&f->driver, 3);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), -EBADMSG);
}

/* 2^32 bytes in all is the limit; it needs large RAM that nobody touches. */
static void total_length_is_bounded(void **state)
{
	static const struct memory_range range = {0, UINT64_C(2) << 30};
	struct fixture *f = *state;
	struct driver_part parts[3] = {
		{0, 0x80000000, true}, {0, 0x80000000, true}, {0, 1, true}};

	guest_memory_destroy(&f->memory);
	assert_int_equal(guest_memory_create(range.size_bytes, PAGES_SMALL,
					     &range, 1, &f->memory, NULL),
			 0);
	start(f, 8, 0);
	(void)driver_add(&f->driver, parts, 2);
	(void)driver_add(&f->driver, parts, 3);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_true(f->chain.writable_bytes == UINT64_C(1) << 32);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), -EBADMSG);
}

/* Indices */

static void an_index_that_jumps_is_refused(void **state)
{
	static const struct {
		uint16_t idx;
		int result;
	} rows[] = {{8, 1},
		    {9, -EBADMSG},
		    {0x8000, -EBADMSG},
		    {0xffff, -EBADMSG},
		    {0, 0}};
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 1, false};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start(f, 8, 0);
		driver_desc(&f->memory, f->driver.desc, 0, &part, 0, 0);
		driver_set_avail_idx(&f->driver, rows[i].idx);
		assert_int_equal(virtio_queue_pop(&f->queue, &f->chain),
				 rows[i].result);
	}
}

static void an_index_that_goes_back_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 1, false};

	(void)driver_add(&f->driver, &part, 1);
	(void)driver_add(&f->driver, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	driver_set_avail_idx(&f->driver, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), -EBADMSG);
}

/* A driver cannot have more out than it has descriptors. */
static void requests_in_flight_are_bounded(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 1, false};

	for (unsigned i = 0; i < 8; i++) {
		(void)driver_add(&f->driver, &part, 1);
		assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	}
	(void)driver_add(&f->driver, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), -EBADMSG);
}

/* Round and round past 65535, every size of batch that fits. */
static void indices_wrap(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};
	struct driver_used used;
	uint32_t round = 0;

	for (unsigned done = 0; done < 70000;) {
		unsigned batch = 1 + round++ % 8;

		for (unsigned i = 0; i < batch; i++)
			(void)driver_add(&f->driver, &part, 1);
		for (unsigned i = 0; i < batch; i++) {
			assert_int_equal(virtio_queue_pop(&f->queue, &f->chain),
					 1);
			virtio_queue_push(&f->queue, f->chain.head, done + i);
		}
		assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 0);
		assert_false(driver_take_used(&f->driver, &used));
		(void)virtio_queue_publish(&f->queue);
		for (unsigned i = 0; i < batch; i++) {
			assert_true(driver_take_used(&f->driver, &used));
			assert_int_equal(used.len, done + i);
			assert_int_equal(used.id, (done + i) % 8);
		}
		done += batch;
	}
}

static void unpop_gives_the_same_chains_again(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};
	uint16_t first;

	(void)driver_add(&f->driver, &part, 1);
	(void)driver_add(&f->driver, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	first = f->chain.head;
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	virtio_queue_unpop(&f->queue, 3); /* more than are out: nothing */
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 0);
	virtio_queue_unpop(&f->queue, 2);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(f->chain.head, first);
}

static void a_push_with_nothing_out_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct driver_used used;

	virtio_queue_push(&f->queue, 3, 1);
	assert_false(virtio_queue_publish(&f->queue));
	assert_false(driver_take_used(&f->driver, &used));
}

static void a_stopped_queue_is_empty_and_deaf(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};
	struct driver_used used;

	(void)driver_add(&f->driver, &part, 1);
	(void)driver_add(&f->driver, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	virtio_queue_stop(&f->queue);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 0);
	virtio_queue_push(&f->queue, f->chain.head, 4);
	assert_false(virtio_queue_publish(&f->queue));
	assert_false(virtio_queue_listen(&f->queue));
	assert_false(driver_take_used(&f->driver, &used));
}

static void a_queue_never_started_is_empty(void **state)
{
	struct fixture *f = *state;

	virtio_queue_init(&f->queue, 8);
	virtio_queue_quiet(&f->queue);
	virtio_queue_push(&f->queue, 0, 0);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 0);
	assert_false(virtio_queue_publish(&f->queue));
	assert_false(virtio_queue_listen(&f->queue));
}

/* Notifications */

/* The element number `target` (from 0) is the one the driver waits for. */
static void used_event_picks_the_interrupt(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};
	static const struct {
		uint16_t used_event;
		bool interrupt; /* for a batch of elements 2, 3, 4 */
	} rows[] = {{0, false}, {1, false}, {2, true},     {3, true},
		    {4, true},  {5, false}, {65535, false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start(f, 8, VIRTIO_F_EVENT_IDX);
		for (unsigned k = 0; k < 5; k++) {
			(void)driver_add(&f->driver, &part, 1);
			(void)virtio_queue_pop(&f->queue, &f->chain);
			virtio_queue_push(&f->queue, f->chain.head, 4);
			if (k == 1)
				(void)virtio_queue_publish(&f->queue);
		}
		driver_set_used_event(&f->driver, rows[i].used_event);
		assert_int_equal(virtio_queue_publish(&f->queue),
				 rows[i].interrupt);
		assert_false(virtio_queue_publish(&f->queue));
	}
}

static void the_flag_stops_interrupts_without_event_idx(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};

	start(f, 8, 0);
	for (uint16_t flag = 0; flag < 2; flag++) {
		(void)driver_add(&f->driver, &part, 1);
		(void)virtio_queue_pop(&f->queue, &f->chain);
		virtio_queue_push(&f->queue, f->chain.head, 4);
		driver_set_used_event(&f->driver, 0x7777); /* ignored */
		driver_set_avail_flags(&f->driver, flag);
		assert_int_equal(virtio_queue_publish(&f->queue), flag == 0);
	}
}

static void listening_tells_the_driver_and_looks_again(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};

	(void)driver_add(&f->driver, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_false(virtio_queue_listen(&f->queue));
	assert_int_equal(driver_avail_event(&f->driver), 1);
	(void)driver_add(&f->driver, &part, 1);
	assert_true(virtio_queue_listen(&f->queue));
	virtio_queue_quiet(&f->queue);
	assert_int_equal(driver_used_flags(&f->driver), 0); /* §2.7.10.2 */

	start(f, 8, 0);
	virtio_queue_quiet(&f->queue);
	assert_int_equal(driver_used_flags(&f->driver), 1);
	assert_false(virtio_queue_listen(&f->queue));
	assert_int_equal(driver_used_flags(&f->driver), 0);
	assert_int_equal(driver_avail_event(&f->driver), 0);
}

/* Copies and views */

static void copies_cross_slices_and_stop_at_the_end(void **state)
{
	struct fixture *f = *state;
	const struct driver_part parts[] = {
		{DRIVER_DATA, 3, false},
		{DRIVER_DATA + 0x100, 1, false},
		{DRIVER_DATA + 0x200, 4, false},
		{DRIVER_DATA + 0x300, 2, true},
		{DRIVER_DATA + 0x400, 2, true},
	};
	char got[9] = "";

	(void)guest_write(&f->memory, DRIVER_DATA, "abc", 3);
	(void)guest_write(&f->memory, DRIVER_DATA + 0x100, "d", 1);
	(void)guest_write(&f->memory, DRIVER_DATA + 0x200, "efgh", 4);
	(void)driver_add(&f->driver, parts, 5);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	assert_int_equal(virtio_chain_read(&f->chain, 0, got, 8), 0);
	assert_string_equal(got, "abcdefgh");
	assert_int_equal(virtio_chain_read(&f->chain, 2, got, 3), 0);
	assert_memory_equal(got, "cde", 3);
	assert_int_equal(virtio_chain_read(&f->chain, 8, got, 0), 0);
	memset(got, '-', 8);
	assert_int_equal(virtio_chain_read(&f->chain, 1, got, 8), -ERANGE);
	assert_string_equal(got, "--------"); /* nothing, not a part */
	assert_int_equal(virtio_chain_read(&f->chain, SIZE_MAX, got, 2),
			 -ERANGE);

	assert_int_equal(virtio_chain_write(&f->chain, 1, "XYZ", 3), 0);
	assert_memory_equal(host(f, DRIVER_DATA + 0x300), "\0X", 2);
	assert_memory_equal(host(f, DRIVER_DATA + 0x400), "YZ", 2);
	assert_int_equal(virtio_chain_write(&f->chain, 2, "XYZ", 3), -ERANGE);
	assert_memory_equal(host(f, DRIVER_DATA + 0x400), "YZ", 2);
}

static void a_view_cuts_both_ends(void **state)
{
	char a[4], b[2], c[4];
	const struct iovec iov[] = {{a, 4}, {b, 2}, {c, 4}};
	struct iovec out[3];

	(void)state;
	assert_int_equal(virtio_iov_view(iov, 3, 3, 4, out), 3);
	assert_ptr_equal(out[0].iov_base, a + 3);
	assert_int_equal(out[0].iov_len, 1);
	assert_int_equal(out[2].iov_len, 1);
	assert_int_equal(virtio_iov_view(iov, 3, 4, 2, out), 1);
	assert_ptr_equal(out[0].iov_base, b);
	assert_int_equal(virtio_iov_view(iov, 3, 10, 1, out), 0);
	assert_int_equal(virtio_iov_view(iov, 3, 9, 50, out), 1);
	memcpy(out, iov, sizeof(iov));
	assert_int_equal(virtio_iov_view(out, 3, 5, 3, out), 2);
	assert_ptr_equal(out[0].iov_base, b + 1);
	assert_ptr_equal(out[1].iov_base, c);
	assert_int_equal(out[1].iov_len, 2);
}

/* Snapshots */

static void a_queue_survives_save_and_restore(void **state)
{
	struct fixture *f = *state;
	const struct driver_part part = {DRIVER_DATA, 4, true};
	uint8_t bytes[64];
	struct state save = {bytes, sizeof(bytes), 0, true, false};
	struct state load = {bytes, sizeof(bytes), 0, false, false};
	struct driver_used used;

	for (unsigned i = 0; i < 3; i++)
		(void)driver_add(&f->driver, &part, 1);
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
	virtio_queue_push(&f->queue, f->chain.head, 4);
	(void)virtio_queue_publish(&f->queue);
	assert_int_equal(virtio_queue_save(&f->queue, &save, &f->memory,
					   VIRTIO_QUEUE_FEATURES),
			 0);
	virtio_queue_init(&f->queue, VIRTIO_QUEUE_SIZE_MAX);
	assert_int_equal(virtio_queue_save(&f->queue, &load, &f->memory,
					   VIRTIO_QUEUE_FEATURES),
			 0);
	assert_int_equal(load.at, save.at);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 1);
		assert_int_equal(f->chain.head, i);
		virtio_queue_push(&f->queue, f->chain.head, 4);
	}
	assert_int_equal(virtio_queue_pop(&f->queue, &f->chain), 0);
	(void)virtio_queue_publish(&f->queue);
	for (unsigned i = 0; i < 3; i++)
		assert_true(driver_take_used(&f->driver, &used));
	assert_false(driver_take_used(&f->driver, &used));
}

static void restore_refuses_what_a_guest_could_not_have(void **state)
{
	static const struct {
		size_t at; /* in the saved bytes */
		uint8_t value;
	} rows[] = {
		{0, 1},     /* desc_gpa not aligned */
		{7, 0x80},  /* desc_gpa outside RAM */
		{24, 3},    /* size not a power of two */
		{25, 2},    /* size too large */
		{26, 2},    /* ready neither yes nor no */
		{28, 0xf0}, /* avail_next far from used_next */
	};
	struct fixture *f = *state;
	uint8_t bytes[64];
	struct state save = {bytes, sizeof(bytes), 0, true, false};

	assert_int_equal(virtio_queue_save(&f->queue, &save, &f->memory, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bent[64];
		struct state load = {bent, save.at, 0, false, false};

		memcpy(bent, bytes, sizeof(bent));
		bent[rows[i].at] = rows[i].value;
		virtio_queue_init(&f->queue, VIRTIO_QUEUE_SIZE_MAX);
		assert_int_equal(
			virtio_queue_save(&f->queue, &load, &f->memory, 0),
			-EINVAL);
		assert_false(f->queue.ready);
	}
}

static void restore_refuses_a_short_state(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64];
	struct state save = {bytes, sizeof(bytes), 0, true, false};

	assert_int_equal(virtio_queue_save(&f->queue, &save, &f->memory, 0), 0);
	for (size_t len = 0; len < save.at; len++) {
		struct state load = {bytes, len, 0, false, false};

		virtio_queue_init(&f->queue, VIRTIO_QUEUE_SIZE_MAX);
		assert_int_equal(
			virtio_queue_save(&f->queue, &load, &f->memory, 0),
			-EINVAL);
		assert_false(f->queue.ready);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(start_checks_size_alignment_and_place),
		TEST(size_is_bounded_by_what_the_device_offers),
		TEST(a_chain_is_split_by_direction),
		TEST(zero_length_descriptors_leave_no_slice),
		TEST(a_chain_may_use_the_whole_table),
		TEST(an_indirect_chain_may_be_longer_than_the_queue),
		TEST(a_table_may_end_a_direct_chain),
		TEST(a_bad_chain_is_refused),
		TEST(indirect_is_refused_unless_negotiated),
		TEST(more_slices_than_a_chain_holds_are_refused),
		TEST(total_length_is_bounded),
		TEST(an_index_that_jumps_is_refused),
		TEST(an_index_that_goes_back_is_refused),
		TEST(requests_in_flight_are_bounded),
		TEST(indices_wrap),
		TEST(unpop_gives_the_same_chains_again),
		TEST(a_push_with_nothing_out_is_dropped),
		TEST(a_stopped_queue_is_empty_and_deaf),
		TEST(a_queue_never_started_is_empty),
		TEST(used_event_picks_the_interrupt),
		TEST(the_flag_stops_interrupts_without_event_idx),
		TEST(listening_tells_the_driver_and_looks_again),
		TEST(copies_cross_slices_and_stop_at_the_end),
		TEST(a_view_cuts_both_ends),
		TEST(a_queue_survives_save_and_restore),
		TEST(restore_refuses_what_a_guest_could_not_have),
		TEST(restore_refuses_a_short_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
