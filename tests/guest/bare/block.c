/* SPDX-License-Identifier: Apache-2.0 */
/* The block device of a well-behaved driver (virtio 1.2 §5.2): requests, their
 * limits, and every way in which a request may be cut into descriptors. Words
 * on the command line: ro, flush. */
#include "cpu.h"
#include "disk.h"

#define CUTS_MAX 24

static struct disk disk;
static uint8_t data[64 * SECTOR_BYTES] __attribute__((aligned(16)));
static struct desc table[QUEUE_MAX];

static void check_features(void)
{
	uint64_t offered = device_features(&disk.device);

	check_eq("offers-ro", (offered & F_BLOCK_RO) != 0, cmdline_has("ro"));
	check_eq("offers-flush", (offered & F_BLOCK_FLUSH) != 0,
		 cmdline_has("flush"));
	check("offers-event-idx", offered & F_EVENT_IDX);
	check_eq("capacity", disk.sectors, cmdline_number("sectors=", 0));
}

static unsigned read(uint64_t sector, uint32_t sectors)
{
	memset(data, 0xcc, sizeof(data));
	return disk_request(&disk, TYPE_IN, sector, data,
			    sectors * SECTOR_BYTES);
}

static void check_reads(void)
{
	check_eq("read-first", read(0, 1), BLOCK_OK);
	check("read-first-data", disk_holds_pattern(data, 0, SECTOR_BYTES));
	check_eq("read-used-len", queue_used_len(&disk.queue, 1),
		 SECTOR_BYTES + 1);
	check_eq("read-last", read(disk.sectors - 1, 1), BLOCK_OK);
	check("read-last-data",
	      disk_holds_pattern(data, disk.sectors - 1, SECTOR_BYTES));
	check_eq("read-many", read(8, 64), BLOCK_OK);
	check("read-many-data", disk_holds_pattern(data, 8, sizeof(data)));
	check_eq("read-past-end", read(disk.sectors, 1), BLOCK_IOERR);
	check_eq("read-across-end", read(disk.sectors - 1, 2), BLOCK_IOERR);
	check_eq("read-wraps", read(UINT64_MAX, 1), BLOCK_IOERR);
	check_eq("read-wraps-bytes", read(UINT64_C(1) << 55, 1), BLOCK_IOERR);
	check_eq("read-part-of-sector",
		 disk_request(&disk, TYPE_IN, 0, data, 100), BLOCK_IOERR);
}

static unsigned write(uint64_t sector, uint32_t sectors)
{
	return disk_request(&disk, TYPE_OUT, sector, data,
			    sectors * SECTOR_BYTES);
}

static void check_writes(void)
{
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 + 1);
	check_eq("write", write(100, 2), BLOCK_OK);
	check_eq("write-used-len", queue_used_len(&disk.queue, 1), 1);
	check_eq("read-back", read(100, 2), BLOCK_OK);
	check("read-back-data", data[0] == 1 && data[1023] == (uint8_t)5116);
	memset(data, 0x77, sizeof(data));
	check_eq("write-past-end", write(disk.sectors, 1), BLOCK_IOERR);
	check_eq("write-across-end", write(disk.sectors - 1, 2), BLOCK_IOERR);
	check_eq("write-wraps", write(UINT64_MAX, 1), BLOCK_IOERR);
	check_eq("write-part-of-sector",
		 disk_request(&disk, TYPE_OUT, 0, data, 511), BLOCK_IOERR);
	check_eq("unwritten", read(disk.sectors - 1, 1), BLOCK_OK);
	check("unwritten-data",
	      disk_holds_pattern(data, disk.sectors - 1, SECTOR_BYTES));
}

static void check_read_only(void)
{
	memset(data, 0x77, sizeof(data));
	check_eq("write-refused", write(0, 1), BLOCK_IOERR);
	check_eq("read-after", read(0, 1), BLOCK_OK);
	check("read-after-data", disk_holds_pattern(data, 0, SECTOR_BYTES));
}

static void check_other_types(void)
{
	char id[21] = {0};

	check_eq("flush", disk_request(&disk, TYPE_FLUSH, 0, NULL, 0),
		 BLOCK_OK);
	check_eq("get-id", disk_request(&disk, TYPE_GET_ID, 0, id, 20),
		 BLOCK_OK);
	say("say id %s", id);
	check_eq("get-id-short", disk_request(&disk, TYPE_GET_ID, 0, data, 5),
		 BLOCK_OK);
	check_eq("discard",
		 disk_request(&disk, TYPE_DISCARD, 0, data, SECTOR_BYTES),
		 BLOCK_UNSUPP);
	check_eq("unknown-type",
		 disk_request(&disk, 0xffffffff, 0, data, SECTOR_BYTES),
		 BLOCK_UNSUPP);
}

/* ---- framing ------------------------------------------------------------- */

/* Sizes of the pieces into which a string of bytes is cut; ends with 0. */
typedef uint32_t cuts[CUTS_MAX];

static const cuts header_cuts[] = {
	{16},
	{8, 8},
	{1, 15},
	{15, 1},
	{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	{0xffffffff}, /* in one piece with the first of the data (OUT) */
};

static const cuts data_cuts[] = {
	{1024},        {512, 512},     {1, 1023},    {1023, 1},
	{7, 1000, 17}, {500, 24, 500}, {0xffffffff}, /* with the status (IN) */
};

#define JOINED 0xffffffff

/* The device writes to the parts. NOLINTNEXTLINE(*-non-const-parameter) */
static unsigned cut(struct part *parts, const cuts *sizes, uint8_t *at,
		    bool writable)
{
	unsigned n = 0;

	for (; n < CUTS_MAX && (*sizes)[n] != 0; n++) {
		parts[n] = (struct part){at, (*sizes)[n], writable};
		at += (*sizes)[n];
	}
	return n;
}

/* One request lies in memory as header, data, status; the parts cut it. */
static struct {
	struct header header;
	uint8_t data[1024];
	uint8_t status;
} __attribute__((packed)) whole;

static unsigned frame_out(struct part *parts, const cuts *h, const cuts *d)
{
	unsigned n = 0;

	if ((*h)[0] == JOINED) {
		parts[n++] = (struct part){&whole, 16 + 1024, false};
	} else {
		if ((*d)[0] == JOINED)
			return 0;
		n = cut(parts, h, (uint8_t *)&whole.header, false);
		n += cut(parts + n, d, whole.data, false);
	}
	parts[n++] = (struct part){&whole.status, 1, true};
	return n;
}

static unsigned frame_in(struct part *parts, const cuts *h, const cuts *d)
{
	unsigned n;

	if ((*h)[0] == JOINED)
		return 0;
	n = cut(parts, h, (uint8_t *)&whole.header, false);
	if ((*d)[0] == JOINED) {
		parts[n++] = (struct part){whole.data, 1024 + 1, true};
		return n;
	}
	n += cut(parts + n, d, whole.data, true);
	parts[n++] = (struct part){&whole.status, 1, true};
	return n;
}

static unsigned submit(const struct part *parts, unsigned n, bool indirect)
{
	struct queue *queue = &disk.queue;

	whole.status = BLOCK_NOTHING;
	if (indirect)
		queue_chain_indirect(queue, 0, table, parts, n);
	else
		queue_chain(queue, 0, parts, n);
	queue_give(queue, 0);
	queue_kick(queue);
	if (!queue_wait(queue, 1))
		return BLOCK_LOST;
	return *(volatile uint8_t *)&whole.status;
}

static bool one_framing(const cuts *h, const cuts *d, bool out, bool indirect)
{
	struct part parts[2 * CUTS_MAX];
	unsigned n = out ? frame_out(parts, h, d) : frame_in(parts, h, d);

	if (n == 0)
		return true;
	memset(&whole, 0xcc, sizeof(whole));
	whole.header =
		(struct header){out ? TYPE_OUT : TYPE_IN, 0, out ? 200 : 40};
	for (unsigned i = 0; out && i < sizeof(whole.data); i++)
		whole.data[i] = (uint8_t)(i ^ n);
	if (submit(parts, n, indirect) != BLOCK_OK)
		return false;
	if (!out)
		return disk_holds_pattern(whole.data, 40, sizeof(whole.data));
	return read(200, 2) == BLOCK_OK &&
	       memcmp(data, whole.data, sizeof(whole.data)) == 0;
}

static void check_framings(const char *name, bool out, bool indirect)
{
	for (unsigned h = 0; h < ARRAY_LEN(header_cuts); h++) {
		for (unsigned d = 0; d < ARRAY_LEN(data_cuts); d++) {
			if (one_framing(&header_cuts[h], &data_cuts[d], out,
					indirect))
				continue;
			fail(name, "header cut %u, data cut %u", (uint64_t)h,
			     (uint64_t)d);
			return;
		}
	}
	ok(name);
}

/* As many segments as a chain may have. */
static void check_many_segments(void)
{
	static struct part parts[QUEUE_MAX];
	unsigned n = 0;

	memset(&whole, 0, sizeof(whole));
	whole.header = (struct header){TYPE_IN, 0, 16};
	parts[n++] = (struct part){&whole.header, 16, false};
	for (; n < QUEUE_MAX - 1; n++)
		parts[n] = (struct part){whole.data + 4 * (n - 1), 4, true};
	parts[n - 1].len = 1024 - 4 * (n - 2);
	parts[n++] = (struct part){&whole.status, 1, true};
	check_eq("segments-256", submit(parts, n, false), BLOCK_OK);
	check("segments-256-data",
	      disk_holds_pattern(whole.data, 16, sizeof(whole.data)));
}

/* ---- queue --------------------------------------------------------------- */

/* A queue of four, a request of three: the ring wraps at every step; then all
 * of a large queue at once, over and over past 2^16. */
static void check_wrap(void)
{
	static struct header headers[QUEUE_MAX / 2];
	static uint8_t statuses[QUEUE_MAX / 2];
	bool holds = true;

	disk_open(&disk, 0, 0, 4);
	for (unsigned i = 0; i < 50; i++)
		holds = holds && disk_works(&disk);
	check("wrap-small", holds);
	disk_open(&disk, 0, 0, QUEUE_MAX);
	for (unsigned i = 0; i < QUEUE_MAX / 2; i++) {
		const struct part parts[] = {{&headers[i], 16, false},
					     {&statuses[i], 1, true}};

		headers[i] = (struct header){TYPE_GET_ID, 0, 0};
		queue_chain(&disk.queue, 2 * i, parts, 2);
		disk.queue.avail[2 + i] = (uint16_t)(2 * i);
		disk.queue.avail[2 + QUEUE_MAX / 2 + i] = (uint16_t)(2 * i);
	}
	for (unsigned i = 0; i < 2 * 65536 / QUEUE_MAX + 4 && holds; i++) {
		disk.queue.avail_idx =
			(uint16_t)(disk.queue.avail_idx + QUEUE_MAX / 2);
		fence();
		disk.queue.avail[1] = disk.queue.avail_idx;
		queue_kick(&disk.queue);
		holds = queue_wait(&disk.queue, QUEUE_MAX / 2);
	}
	check("wrap-65536", holds);
	check("works-after", disk_works(&disk));
}

static void check_event_idx(void)
{
	volatile uint16_t *used_event;

	disk_open(&disk, 0, F_EVENT_IDX, QUEUE_MAX);
	used_event = &disk.queue.avail[2 + QUEUE_MAX];
	*used_event = 1;
	check("event-first", disk_works(&disk));
	check_eq("event-quiet", reg(&disk.device, REG_INTERRUPT_STATUS), 0);
	check("event-second", disk_works(&disk));
	for (unsigned i = 0; i < 100000; i++) {
		if (reg(&disk.device, REG_INTERRUPT_STATUS) != 0)
			break;
	}
	check_eq("event-raised", reg(&disk.device, REG_INTERRUPT_STATUS), 1);
}

static void check_changing_things(void)
{
	check_writes();
	check_framings("framings-out", true, false);
	if (device_features(&disk.device) & F_INDIRECT) {
		disk_open(&disk, 0, F_INDIRECT, QUEUE_MAX);
		check_framings("framings-out-indirect", true, true);
	}
}

void bare_main(void)
{
	interrupts_init();
	disk_open(&disk, 0, F_BLOCK_FLUSH, QUEUE_MAX);
	check_features();
	check_reads();
	check_other_types();
	check_framings("framings-in", false, false);
	check_many_segments();
	if (cmdline_has("ro"))
		check_read_only();
	else
		check_changing_things();
	if (device_features(&disk.device) & F_INDIRECT) {
		disk_open(&disk, 0, F_INDIRECT, QUEUE_MAX);
		check_framings("framings-in-indirect", false, true);
	}
	check_wrap();
	check_event_idx();
}
