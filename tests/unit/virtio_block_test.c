/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/block.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/le.h"
#include "core/state.h"
#include "virtio_driver.h"

/* A disk in memory that can fail and can answer later. */
#define SECTORS 64u

struct fake {
	struct disk disk;
	uint8_t bytes[SECTORS * 512];
	int result;
	bool later;
	uint64_t tags[256];
	unsigned tag_count;
	unsigned ops[DISK_OP_COUNT];
	unsigned commits;
	unsigned drains;
	bool destroyed;
};

static int fake_submit(struct disk *disk, const struct disk_request *request)
{
	struct fake *fake = (struct fake *)disk;
	uint8_t *at = fake->bytes + request->offset;
	size_t len = 0;

	fake->ops[request->op]++;
	assert_true(
		range_ok(request->offset, request->len, sizeof(fake->bytes)));
	for (unsigned i = 0; i < request->iov_count; i++) {
		const struct iovec *iov = &request->iov[i];

		if (request->op == DISK_READ)
			memcpy(iov->iov_base, at + len, iov->iov_len);
		else
			memcpy(at + len, iov->iov_base, iov->iov_len);
		len += iov->iov_len;
	}
	assert_int_equal(len, request->len);
	if (!fake->later)
		return fake->result;
	fake->tags[fake->tag_count++] = request->tag;
	return -EINPROGRESS;
}

static void fake_commit(struct disk *disk)
{
	((struct fake *)disk)->commits++;
}

static void fake_drain(struct disk *disk)
{
	((struct fake *)disk)->drains++;
	((struct fake *)disk)->tag_count = 0;
}

static void fake_destroy(struct disk *disk)
{
	((struct fake *)disk)->destroyed = true;
}

static const struct disk_ops fake_ops = {
	.submit = fake_submit,
	.commit = fake_commit,
	.drain = fake_drain,
	.destroy = fake_destroy,
};

struct fixture {
	struct driver driver;
	struct fake fake;
};

#define F_SEG_MAX (UINT64_C(1) << 2)
#define F_RO      (UINT64_C(1) << 5)
#define F_FLUSH   (UINT64_C(1) << 9)
#define V1        VIRTIO_F_VERSION_1

static void open_disk(struct fixture *f, bool read_only, bool writeback,
		      const char *id)
{
	struct block_setup setup = {
		.disk = &f->fake.disk, .writeback = writeback, .id = id};
	struct block *block = NULL;

	memset(f, 0, sizeof(*f));
	f->fake.disk = (struct disk){.ops = &fake_ops,
				     .size_bytes = sizeof(f->fake.bytes),
				     .read_only = read_only,
				     .id = "backend's own id"};
	for (size_t i = 0; i < sizeof(f->fake.bytes); i++)
		f->fake.bytes[i] = (uint8_t)(i / 512 + i % 7);
	assert_int_equal(block_create(&setup, &block, NULL), 0);
	driver_open(&f->driver, &block_ops, block);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	open_disk(f, false, true, "the id");
	assert_true(driver_start(&f->driver,
				 V1 | F_FLUSH | VIRTIO_QUEUE_FEATURES, 64));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	driver_close(&f->driver);
	assert_true(f->fake.destroyed);
	free(f);
	return 0;
}

/* Where requests lie in guest memory */
#define HEADER (DRIVER_DATA)
#define STATUS (DRIVER_DATA + 0x100)
#define DATA   (DRIVER_DATA + 0x1000)

static void put_header(const struct fixture *f, uint32_t type, uint64_t sector)
{
	uint8_t header[16];
	const uint8_t none = 0xee;

	le32_store(header, type);
	le32_store(header + 4, 0xdeadbeef); /* reserved: not looked at */
	le64_store(header + 8, sector);
	assert_int_equal(guest_write(&f->driver.memory, HEADER, header, 16), 0);
	assert_int_equal(guest_write(&f->driver.memory, STATUS, &none, 1), 0);
}

static uint8_t byte_at(const struct fixture *f, gpa_t gpa)
{
	uint8_t byte = 0;

	assert_int_equal(guest_read(&f->driver.memory, gpa, &byte, 1), 0);
	return byte;
}

/* Kick, work, take the one answer. Return: what used says was written. */
static uint32_t serve(struct fixture *f)
{
	struct driver_used used = {0};

	driver_kick(&f->driver, 0);
	(void)driver_pump(&f->driver);
	assert_true(driver_take_used(&f->driver.queues[0], &used));
	return used.len;
}

/* The usual framing. Return: status; *ret_written: what used says. */
static uint8_t request_of(struct fixture *f, uint32_t type, uint64_t sector,
			  const struct driver_part *data, uint32_t *ret_written)
{
	const struct driver_part parts[] = {
		{HEADER, 16, false}, *data, {STATUS, 1, true}};

	put_header(f, type, sector);
	(void)driver_add(&f->driver.queues[0], parts, 3);
	*ret_written = serve(f);
	return byte_at(f, STATUS);
}

static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector,
		       uint32_t len, bool write)
{
	const struct driver_part data = {DATA, len, write};
	uint32_t written;

	return request_of(f, type, sector, &data, &written);
}

/* Requests */

static void data_is_read(void **state)
{
	struct fixture *f = *state;
	uint8_t got[1024];

	assert_int_equal(request(f, 0, 3, 1024, true), 0);
	(void)guest_read(&f->driver.memory, DATA, got, sizeof(got));
	assert_memory_equal(got, f->fake.bytes + 1536, 1024);
	assert_int_equal(driver_irqs(&f->driver), 1);
}

static void data_is_written(void **state)
{
	struct fixture *f = *state;

	(void)guest_write(&f->driver.memory, DATA, "hello", 5);
	assert_int_equal(request(f, 1, 63, 512, false), 0);
	assert_memory_equal(f->fake.bytes + 63 * 512, "hello", 5);
	assert_int_equal(f->fake.ops[DISK_WRITE], 1);
	assert_int_equal(f->fake.commits > 0, 1);
}

/* What one request left behind does not show in the next. */
static void written_is_what_this_request_wrote(void **state)
{
	static const struct {
		uint32_t type;
		struct driver_part data;
		uint32_t written;
	} rows[] = {
		{0, {DATA, 512, true}, 513},   {1, {DATA, 512, false}, 1},
		{0, {DATA, 1024, true}, 1025}, {4, {DATA, 0, true}, 1},
		{8, {DATA, 20, true}, 21},     {8, {DATA, 30, true}, 20},
		{0, {DATA, 100, true}, 0},     {99, {DATA, 0, true}, 1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t written = UINT32_MAX;

		(void)request_of(f, rows[i].type, 0, &rows[i].data, &written);
		assert_int_equal(written, rows[i].written);
	}
}

static void a_driver_that_wants_no_interrupt_gets_none(void **state)
{
	struct fixture *f = *state;

	assert_true(driver_start(&f->driver, V1, 8));
	driver_set_avail_flags(&f->driver.queues[0], 1);
	(void)driver_irqs(&f->driver);
	assert_int_equal(request(f, 0, 0, 512, true), 0);
	assert_int_equal(driver_irqs(&f->driver), 0);
	assert_int_equal(driver_reg(&f->driver, REG_INTERRUPT_STATUS), 0);
}

struct bounds_row {
	uint32_t type;
	uint64_t sector;
	uint32_t len;
	uint8_t status;
};

static const struct bounds_row bounds_rows[] = {
	{0, 0, 512 * SECTORS, 0},
	{1, 0, 512 * SECTORS, 0},
	{0, SECTORS - 1, 512, 0},
	{0, SECTORS - 1, 1024, 1},
	{1, SECTORS - 1, 1024, 1},
	{0, SECTORS, 512, 1},
	{0, SECTORS, 0, 0}, /* nothing at the end is inside */
	{0, SECTORS + 1, 0, 1},
	{0, 0, 511, 1},
	{0, 0, 513, 1},
	{1, 0, 1, 1},
	{0, UINT64_MAX, 512, 1},
	{1, UINT64_MAX, 512, 1},
	{1, UINT64_MAX / 512 + 1, 512, 1}, /* times 512 it is 0 */
	{0, (UINT64_C(1) << 63) / 256, 512, 1},
	{2, 0, 512, 2},  /* SCSI */
	{11, 0, 512, 2}, /* DISCARD, not offered */
	{13, 0, 512, 2}, /* WRITE_ZEROES, not offered */
	{UINT32_MAX, 0, 512, 2},
};

static void requests_stay_inside_the_disk(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bounds_rows); i++) {
		const struct bounds_row *row = &bounds_rows[i];
		uint8_t status = request(f, row->type, row->sector, row->len,
					 row->type != 1);

		if (status != row->status)
			fail_msg("row %zu: status %u", i, status);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15);
	}
}

/* The same read in every framing that the spec allows (§2.7.4). */
struct framing_row {
	const char *name;
	struct driver_part parts[6];
	unsigned count;
};

static const struct framing_row read_framings[] = {
	{"usual",
	 {{HEADER, 16, false}, {DATA, 512, true}, {STATUS, 1, true}},
	 3},
	{"header in three",
	 {{HEADER, 1, false},
	  {HEADER + 1, 8, false},
	  {HEADER + 9, 7, false},
	  {DATA, 512, true},
	  {STATUS, 1, true}},
	 5},
	{"data in two, odd",
	 {{HEADER, 16, false},
	  {DATA, 13, true},
	  {DATA + 13, 499, true},
	  {STATUS, 1, true}},
	 4},
	{"status behind the data", {{HEADER, 16, false}, {DATA, 513, true}}, 2},
	{"empty descriptors",
	 {{HEADER, 16, false},
	  {0, 0, false},
	  {DATA, 512, true},
	  {STATUS, 1, true},
	  {UINT64_MAX, 0, true}},
	 5},
	{"more to read than a header",
	 {{HEADER, 116, false}, {DATA, 512, true}, {STATUS, 1, true}},
	 3},
};

static void any_framing_of_a_read_will_do(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(read_framings); i++) {
		const struct framing_row *row = &read_framings[i / 2];
		struct driver_queue *q = &f->driver.queues[0];
		uint8_t got[513];

		put_header(f, 0, 9);
		memset(got, 0xee, sizeof(got));
		(void)guest_write(&f->driver.memory, DATA, got, 513);
		if (i % 2)
			(void)driver_add_indirect(q, 0x30000, row->parts,
						  row->count);
		else
			(void)driver_add(q, row->parts, row->count);
		uint32_t written = serve(f);
		(void)guest_read(&f->driver.memory, DATA, got, 513);
		if (written != 513 ||
		    memcmp(got, f->fake.bytes + 9 * 512, 512) != 0)
			fail_msg("%s", row->name);
		assert_int_equal(i / 2 == 3 ? got[512] : byte_at(f, STATUS), 0);
		assert_int_equal(got[512], i / 2 == 3 ? 0 : 0xee);
	}
}

static void header_and_data_of_a_write_may_share(void **state)
{
	struct fixture *f = *state;
	const gpa_t at = DATA - 16;
	const struct driver_part parts[] = {{at, 16 + 512, false},
					    {STATUS, 1, true}};
	uint8_t header[16] = {1};

	(void)guest_write(&f->driver.memory, at, header, 16);
	(void)guest_write(&f->driver.memory, DATA, "together", 8);
	(void)driver_add(&f->driver.queues[0], parts, 2);
	assert_int_equal(serve(f), 1);
	assert_memory_equal(f->fake.bytes, "together", 8);
	assert_int_equal(byte_at(f, STATUS), 0);
}

/* The status is the last byte of all that is writable, however much that is;
 * what used claims has been written from the front (§2.7.8.2). */
static void room_before_the_status_is_left_alone(void **state)
{
	struct fixture *f = *state;
	const struct driver_part parts[] = {{HEADER, 16, false},
					    {DATA, 512, false},
					    {DATA + 512, 32, true}};
	uint8_t ones[32];

	memset(ones, 0xff, sizeof(ones));
	(void)guest_write(&f->driver.memory, DATA + 512, ones, 32);
	put_header(f, 1, 0);
	(void)driver_add(&f->driver.queues[0], parts, 3);
	assert_int_equal(serve(f), 0);
	assert_int_equal(byte_at(f, DATA + 512 + 31), 0);
	assert_int_equal(byte_at(f, DATA + 512 + 30), 0xff);
}

static void a_header_cut_short_is_an_io_error(void **state)
{
	struct fixture *f = *state;
	const struct driver_part parts[] = {{HEADER, 15, false},
					    {STATUS, 1, true}};

	put_header(f, 0, 0);
	(void)driver_add(&f->driver.queues[0], parts, 2);
	assert_int_equal(serve(f), 1);
	assert_int_equal(byte_at(f, STATUS), 1);
	(void)driver_add(&f->driver.queues[0], parts + 1, 1);
	assert_int_equal(serve(f), 1);
	assert_int_equal(byte_at(f, STATUS), 1);
}

static void no_room_for_a_status_is_a_fault(void **state)
{
	struct fixture *f = *state;
	const struct driver_part parts[] = {{HEADER, 16, false},
					    {STATUS, 0, true}};
	struct driver_used used;

	put_header(f, 0, 0);
	(void)driver_add(&f->driver.queues[0], parts, 2);
	driver_kick(&f->driver, 0);
	(void)driver_pump(&f->driver);
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15 | 64);
	assert_false(driver_take_used(&f->driver.queues[0], &used));
	/* And a reset heals it. */
	assert_true(driver_start(&f->driver, V1, 8));
	assert_int_equal(request(f, 0, 0, 512, true), 0);
}

/* What was fine before the bad chain is answered. */
static void a_bad_chain_does_not_lose_the_good_ones(void **state)
{
	struct fixture *f = *state;
	const struct driver_part good[] = {
		{HEADER, 16, false}, {DATA, 512, true}, {STATUS, 1, true}};
	const struct driver_part bad = {DRIVER_LOW_BYTES, 512, true};
	struct driver_used used;

	put_header(f, 0, 0);
	(void)driver_add(&f->driver.queues[0], good, 3);
	(void)driver_add(&f->driver.queues[0], &bad, 1);
	(void)driver_pump(&f->driver);
	assert_true(driver_take_used(&f->driver.queues[0], &used));
	assert_int_equal(byte_at(f, STATUS), 0);
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15 | 64);
	assert_int_equal(driver_reg(&f->driver, REG_INTERRUPT_STATUS), 3);
}

static void the_id_is_padded_and_cut(void **state)
{
	static const char long_id[] = "0123456789abcdefghijKLMN";
	static const struct {
		const char *id;
		const char *want; /* 20 bytes */
	} rows[] = {
		{"the id", "the id\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
		{long_id, long_id},
		{NULL, "backend's own id\0\0\0\0"},
		{"", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
	};
	struct fixture *f = *state;
	char got[21];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		driver_close(&f->driver);
		open_disk(f, true, false, rows[i].id);
		assert_true(driver_start(&f->driver, V1, 8));
		memset(got, 0x7f, sizeof(got));
		(void)guest_write(&f->driver.memory, DATA, got, 21);
		assert_int_equal(request(f, 8, 0, 20, true), 0);
		(void)guest_read(&f->driver.memory, DATA, got, 21);
		assert_memory_equal(got, rows[i].want, 20);
		assert_int_equal(got[20], 0x7f);
		/* With less room: as much as there is. */
		assert_int_equal(request(f, 8, 0, 3, true), 0);
		assert_int_equal(request(f, 8, 0, 0, true), 0);
	}
}

/* Caches and modes */

static void features_follow_the_setup(void **state)
{
	struct fixture *f = *state;
	const uint64_t common = V1 | VIRTIO_QUEUE_FEATURES | F_SEG_MAX;
	uint64_t capacity = 0;
	uint32_t seg_max = 0;

	for (unsigned i = 0; i < 4; i++) {
		driver_close(&f->driver);
		open_disk(f, i & 1, i & 2, "x");
		assert_true(
			driver_features(&f->driver) ==
			(common | (i & 1 ? F_RO : 0) | (i & 2 ? F_FLUSH : 0)));
	}
	driver_config(&f->driver, 0, &capacity, 8);
	driver_config(&f->driver, 12, &seg_max, 4);
	assert_true(capacity == SECTORS);
	assert_int_equal(seg_max, 254);
	assert_int_equal(driver_reg(&f->driver, REG_DEVICE_ID), 2);
}

static void a_read_only_disk_refuses_writes(void **state)
{
	struct fixture *f = *state;

	driver_close(&f->driver);
	open_disk(f, true, true, "x");
	/* The driver need not have taken the feature. */
	assert_true(driver_start(&f->driver, V1, 8));
	assert_int_equal(request(f, 1, 0, 512, false), 1);
	assert_int_equal(request(f, 0, 0, 512, true), 0);
	assert_int_equal(f->fake.ops[DISK_WRITE], 0);
	assert_int_equal(f->fake.ops[DISK_WRITE_DURABLE], 0);
}

static void a_flush_reaches_the_disk(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, 4, 0, 0, true), 0);
	assert_int_equal(request(f, 4, 1000, 0, true), 0); /* no bounds */
	assert_int_equal(f->fake.ops[DISK_FLUSH], 2);
	f->fake.result = -EIO;
	assert_int_equal(request(f, 4, 0, 0, true), 1);
}

/* §5.2.6.2: without FLUSH a completed write is stable. */
static void writes_are_durable_for_a_driver_that_cannot_flush(void **state)
{
	struct fixture *f = *state;

	assert_true(driver_start(&f->driver, V1, 8));
	assert_int_equal(request(f, 1, 0, 512, false), 0);
	assert_int_equal(f->fake.ops[DISK_WRITE_DURABLE], 1);
	assert_true(driver_start(&f->driver, V1 | F_FLUSH, 8));
	assert_int_equal(request(f, 1, 0, 512, false), 0);
	assert_int_equal(f->fake.ops[DISK_WRITE], 1);
}

static void without_writeback_nothing_is_promised(void **state)
{
	struct fixture *f = *state;

	driver_close(&f->driver);
	open_disk(f, false, false, "x");
	assert_true(driver_start(&f->driver, V1, 8));
	assert_int_equal(request(f, 4, 0, 0, true), 0);
	assert_int_equal(request(f, 1, 0, 512, false), 0);
	assert_int_equal(f->fake.ops[DISK_FLUSH], 0);
	assert_int_equal(f->fake.ops[DISK_WRITE], 1);
}

static void a_failing_disk_is_an_io_error(void **state)
{
	static const int results[] = {-EIO, -ENOSPC, -EROFS, -EFBIG};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		f->fake.result = results[i];
		assert_int_equal(request(f, 0, 0, 512, true), 1);
		assert_int_equal(request(f, 1, 0, 512, false), 1);
	}
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15);
}

/* Many */

static void add_read(struct fixture *f, unsigned i, uint32_t len)
{
	const gpa_t status = STATUS + 1 + i;
	const struct driver_part parts[] = {
		{HEADER, 16, false}, {DATA, len, true}, {status, 1, true}};

	(void)driver_add_indirect(&f->driver.queues[0], 0x60000 + 0x100 * i,
				  parts, 3);
}

static void a_batch_makes_one_interrupt(void **state)
{
	struct fixture *f = *state;
	struct driver_used used;

	(void)driver_pump(&f->driver);
	put_header(f, 0, 0);
	for (unsigned i = 0; i < 40; i++)
		add_read(f, i, 512);
	driver_kick(&f->driver, 0);
	assert_int_equal(driver_pump(&f->driver), 1);
	for (unsigned i = 0; i < 40; i++)
		assert_true(driver_take_used(&f->driver.queues[0], &used));
	assert_int_equal(driver_irqs(&f->driver), 1);
}

/* A full queue of large requests takes several turns of the loop. */
static void a_turn_has_a_budget(void **state)
{
	struct fixture *f = *state;
	struct driver_used used;
	unsigned turns;

	assert_true(driver_start(&f->driver, V1 | VIRTIO_QUEUE_FEATURES, 256));
	(void)driver_pump(&f->driver);
	put_header(f, 0, 0);
	for (unsigned i = 0; i < 256; i++)
		add_read(f, i, 512);
	driver_kick(&f->driver, 0);
	turns = driver_pump(&f->driver);
	assert_in_range(turns, 4, 6);
	for (unsigned i = 0; i < 256; i++)
		assert_true(driver_take_used(&f->driver.queues[0], &used));
	/* By bytes, too: what a refused request asks for counts as well. */
	for (unsigned i = 0; i < 60; i++)
		add_read(f, i, 512 * 1024);
	driver_kick(&f->driver, 0);
	turns = driver_pump(&f->driver);
	assert_in_range(turns, 3, 6);
}

/* Every subset of what the queue offers, past the wrap of the indices. */
static void each_subset_of_features_works(void **state)
{
	static const uint64_t subsets[] = {
		V1,
		V1 | VIRTIO_F_EVENT_IDX,
		V1 | VIRTIO_F_INDIRECT_DESC,
		V1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | F_SEG_MAX,
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(subsets); i++) {
		assert_true(driver_start(&f->driver, subsets[i], 4));
		for (unsigned k = 0; k < 66000; k++) {
			if (request(f, 0, k % SECTORS, 512, true) != 0)
				fail_msg("subset %zu request %u", i, k);
		}
	}
}

/* An engine that answers later */

static void complete(struct fixture *f, unsigned i, int result)
{
	f->fake.disk.completed(f->fake.disk.owner, f->fake.tags[i], result);
}

static void answers_may_come_later_and_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct driver_queue *q = &f->driver.queues[0];
	struct driver_used used;

	(void)driver_pump(&f->driver);
	f->fake.later = true;
	put_header(f, 0, 0);
	for (unsigned i = 0; i < 3; i++)
		add_read(f, i, 512);
	driver_kick(&f->driver, 0);
	(void)driver_pump(&f->driver);
	assert_int_equal(f->fake.tag_count, 3);
	assert_false(driver_take_used(q, &used));
	assert_int_equal(driver_irqs(&f->driver), 0);
	complete(f, 2, 0);
	assert_true(driver_take_used(q, &used));
	assert_int_equal(used.id, 2);
	assert_int_equal(used.len, 513);
	assert_int_equal(byte_at(f, STATUS + 3), 0);
	assert_int_equal(driver_irqs(&f->driver), 1);
	complete(f, 0, -EIO);
	assert_true(driver_take_used(q, &used));
	assert_int_equal(used.id, 0);
	assert_int_equal(used.len, 0);
	assert_int_equal(byte_at(f, STATUS + 1), 1);
}

static void a_reset_waits_for_what_is_in_flight(void **state)
{
	struct fixture *f = *state;
	struct driver_used used;
	unsigned drains = f->fake.drains;

	f->fake.later = true;
	put_header(f, 0, 0);
	add_read(f, 0, 512);
	driver_kick(&f->driver, 0);
	(void)driver_pump(&f->driver);
	driver_reg_set(&f->driver, REG_STATUS, 0);
	assert_int_equal(f->fake.drains, drains + 1);
	/* An engine that talks out of turn moves nothing. */
	complete(f, 0, 0);
	assert_false(driver_take_used(&f->driver.queues[0], &used));
	f->fake.later = false;
	assert_true(driver_start(&f->driver, V1, 8));
	assert_int_equal(request(f, 0, 0, 512, true), 0);
}

static void a_queue_full_in_flight_is_served(void **state)
{
	struct fixture *f = *state;
	struct driver_used used;

	assert_true(driver_start(&f->driver, V1 | VIRTIO_QUEUE_FEATURES, 256));
	f->fake.later = true;
	for (unsigned round = 0; round < 3; round++) {
		put_header(f, 0, 0);
		for (unsigned i = 0; i < 256; i++)
			add_read(f, i, 512);
		f->fake.tag_count = 0;
		driver_kick(&f->driver, 0);
		(void)driver_pump(&f->driver);
		assert_int_equal(f->fake.tag_count, 256);
		for (unsigned i = 0; i < 256; i++)
			complete(f, i, 0);
		for (unsigned i = 0; i < 256; i++)
			assert_true(
				driver_take_used(&f->driver.queues[0], &used));
	}
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15);
}

/* Snapshots */

static void a_disk_may_grow_but_not_shrink_over_a_restore(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[256];
	struct state out = {bytes, sizeof(bytes), 0, true, false};

	assert_int_equal(virtio_mmio_save(f->driver.mmio, &out), 0);
	for (int change = -1; change <= 1; change++) {
		struct state in = {bytes, out.at, 0, false, false};
		struct fixture *other = calloc(1, sizeof(*other));
		struct block_setup setup = {.disk = &other->fake.disk};
		struct block *block = NULL;
		uint64_t capacity = 0;

		other->fake.disk = f->fake.disk;
		other->fake.disk.size_bytes =
			(uint64_t)((int)SECTORS + change) * 512;
		setup.writeback = true;
		assert_int_equal(block_create(&setup, &block, NULL), 0);
		driver_open(&other->driver, &block_ops, block);
		assert_int_equal(virtio_mmio_restore(other->driver.mmio, &in),
				 change < 0 ? -EINVAL : 0);
		driver_config(&other->driver, 0, &capacity, 8);
		assert_true(capacity == SECTORS - (change < 0));
		driver_close(&other->driver);
		free(other);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_is_read),
		TEST(data_is_written),
		TEST(written_is_what_this_request_wrote),
		TEST(a_driver_that_wants_no_interrupt_gets_none),
		TEST(requests_stay_inside_the_disk),
		TEST(any_framing_of_a_read_will_do),
		TEST(header_and_data_of_a_write_may_share),
		TEST(room_before_the_status_is_left_alone),
		TEST(a_header_cut_short_is_an_io_error),
		TEST(no_room_for_a_status_is_a_fault),
		TEST(a_bad_chain_does_not_lose_the_good_ones),
		TEST(the_id_is_padded_and_cut),
		TEST(features_follow_the_setup),
		TEST(a_read_only_disk_refuses_writes),
		TEST(a_flush_reaches_the_disk),
		TEST(writes_are_durable_for_a_driver_that_cannot_flush),
		TEST(without_writeback_nothing_is_promised),
		TEST(a_failing_disk_is_an_io_error),
		TEST(a_batch_makes_one_interrupt),
		TEST(a_turn_has_a_budget),
		TEST(each_subset_of_features_works),
		TEST(answers_may_come_later_and_in_any_order),
		TEST(a_reset_waits_for_what_is_in_flight),
		TEST(a_queue_full_in_flight_is_served),
		TEST(a_disk_may_grow_but_not_shrink_over_a_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
