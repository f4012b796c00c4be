/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver that means harm. Every attack is one row: what is done to a running
 * device, and what must come of it: NEEDS_RESET (the driver broke a rule), an
 * answer with an error, or nothing to be seen. After each the other devices
 * and the console go on, and after a reset this device works again.
 */
#include "cpu.h"
#include "disk.h"

#define QUEUE_SIZE 16

static struct disk victim;
static struct disk bystander;
static struct queue_memory rng_memory;
static struct queue_memory scratch;
static struct header header = {TYPE_IN, 0, 0};
static volatile uint8_t status_byte;
static uint8_t data[16 * SECTOR_BYTES];
static struct desc table[QUEUE_MAX + 1];
static uint64_t ram_end;

enum outcome {
	NEEDS_RESET,
	IOERR, /* the request comes back with BLOCK_IOERR */
	LIVES, /* the device may do either; it must not hang or die */
};

static void put(unsigned at, uint64_t address, uint32_t len, unsigned flags,
		unsigned next)
{
	volatile struct desc *d = &victim.queue.desc[at];

	d->address = address;
	d->len = len;
	d->flags = (uint16_t)flags;
	d->next = (uint16_t)next;
}

/* A request that is in order: descriptors 0, 1, 2. */
static void put_request(void)
{
	put(0, (uint64_t)&header, 16, DESC_NEXT, 1);
	put(1, (uint64_t)data, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	put(2, (uint64_t)&status_byte, 1, DESC_WRITE, 0);
	header = (struct header){TYPE_IN, 0, 0};
}

static void go(unsigned head)
{
	queue_give(&victim.queue, (uint16_t)head);
	queue_kick(&victim.queue);
}

/* ---- addresses ----------------------------------------------------------- */

static void data_after_ram(void)
{
	put(1, ram_end, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void data_across_end_of_ram(void)
{
	put(1, ram_end - 256, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void data_wraps(void)
{
	put(1, UINT64_MAX - 15, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void data_in_registers(void)
{
	put(1, victim.device.base, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void data_in_gap(void)
{
	put(1, 0xc0000000 - 256, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void data_in_lapic(void)
{
	put(1, LAPIC, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void header_after_ram(void)
{
	put(0, ram_end, 16, DESC_NEXT, 1);
	go(0);
}

static void status_after_ram(void)
{
	put(2, ram_end, 1, DESC_WRITE, 0);
	go(0);
}

static void len_of_4g(void)
{
	put(1, (uint64_t)data, 0xffffffff, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

/* ---- chains -------------------------------------------------------------- */

/* Behind the table lies what would complete the request. */
static void next_out_of_table(void)
{
	put(QUEUE_SIZE, (uint64_t)&status_byte, 1, DESC_WRITE, 0);
	put(1, (uint64_t)data, SECTOR_BYTES, DESC_NEXT | DESC_WRITE,
	    QUEUE_SIZE);
	go(0);
}

static void next_wild(void)
{
	put(1, (uint64_t)data, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 0xffff);
	go(0);
}

static void loop_of_one(void)
{
	put(0, (uint64_t)&header, 16, DESC_NEXT, 0);
	go(0);
}

static void loop_of_two(void)
{
	put(1, (uint64_t)data, SECTOR_BYTES, DESC_NEXT | DESC_WRITE, 2);
	put(2, (uint64_t)&status_byte, 1, DESC_NEXT | DESC_WRITE, 1);
	go(0);
}

static void loop_of_empty(void)
{
	put(0, 0, 0, DESC_NEXT, 1);
	put(1, 0, 0, DESC_NEXT, 0);
	go(0);
}

static void loop_of_all(void)
{
	for (unsigned i = 0; i < QUEUE_SIZE; i++)
		put(i, (uint64_t)data, 1, DESC_NEXT | DESC_WRITE,
		    (i + 1) % QUEUE_SIZE);
	go(0);
}

static void readable_after_writable(void)
{
	put(2, (uint64_t)&status_byte, 1, 0, 0);
	go(0);
}

static void nothing_writable(void)
{
	put(0, (uint64_t)&header, 16, 0, 0);
	go(0);
}

static void all_of_length_zero(void)
{
	put(0, (uint64_t)&header, 0, DESC_NEXT, 1);
	put(1, (uint64_t)data, 0, DESC_NEXT | DESC_WRITE, 2);
	put(2, (uint64_t)&status_byte, 0, DESC_WRITE, 0);
	go(0);
}

static void header_short(void)
{
	put(0, (uint64_t)&header, 15, DESC_NEXT, 1);
	go(0);
}

static void header_missing(void)
{
	put(0, (uint64_t)&status_byte, 1, DESC_WRITE, 0);
	go(0);
}

static void data_empty(void)
{
	put(1, UINT64_MAX, 0, DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

static void flags_unknown(void)
{
	put(2, (uint64_t)&status_byte, 1, 0xfff8 | DESC_WRITE, 0);
	go(0);
}

/* Every descriptor says all of RAM. */
static void chain_huge(void)
{
	header.type = TYPE_OUT;
	for (unsigned i = 1; i < QUEUE_SIZE - 1; i++)
		put(i, 0x100000, (uint32_t)(ram_end - 0x100000), DESC_NEXT,
		    i + 1);
	put(QUEUE_SIZE - 1, (uint64_t)&status_byte, 1, DESC_WRITE, 0);
	go(0);
}

/* The disk is read over the rings themselves. */
static void data_over_rings(void)
{
	put(1, (uint64_t)victim.queue.desc, sizeof(struct queue_memory),
	    DESC_NEXT | DESC_WRITE, 2);
	go(0);
}

/* ---- rings --------------------------------------------------------------- */

static void head_out_of_table(void)
{
	put(QUEUE_SIZE, (uint64_t)&header, 16, DESC_NEXT, 1);
	go(QUEUE_SIZE);
}

static void head_wild(void)
{
	go(0xffff);
}

static void index_jumps(void)
{
	victim.queue.avail_idx = QUEUE_SIZE;
	go(0);
}

static void index_half_way(void)
{
	victim.queue.avail_idx = 0x7fff;
	go(0);
}

static void index_goes_back(void)
{
	(void)disk_works(&victim);
	(void)disk_works(&victim);
	victim.queue.avail[1] = 0;
	queue_kick(&victim.queue);
}

/* One request given twice, and all slots of the ring with the same. */
static void same_head_often(void)
{
	for (unsigned i = 0; i < QUEUE_SIZE; i++)
		queue_give(&victim.queue, 0);
	queue_kick(&victim.queue);
}

static void kick_storm(void)
{
	for (unsigned i = 0; i < 5000; i++)
		queue_kick(&victim.queue);
	go(0);
}

/* ---- indirect tables ----------------------------------------------------- */

static void put_table(unsigned count)
{
	memset(table, 0, sizeof(table));
	table[0] = (struct desc){(uint64_t)&header, 16, DESC_NEXT, 1};
	table[1] = (struct desc){(uint64_t)data, SECTOR_BYTES,
				 DESC_NEXT | DESC_WRITE, 2};
	table[2] = (struct desc){(uint64_t)&status_byte, 1, DESC_WRITE, 0};
	put(0, (uint64_t)table, count * 16, DESC_INDIRECT, 0);
}

static void indirect_nested(void)
{
	put_table(3);
	table[2] = (struct desc){(uint64_t)table, 48, DESC_INDIRECT, 0};
	go(0);
}

static void indirect_with_next(void)
{
	put_table(3);
	put(0, (uint64_t)table, 48, DESC_INDIRECT | DESC_NEXT, 1);
	go(0);
}

static void indirect_empty(void)
{
	put_table(0);
	go(0);
}

static void indirect_odd(void)
{
	put_table(3);
	put(0, (uint64_t)table, 47, DESC_INDIRECT, 0);
	go(0);
}

static void indirect_too_long(void)
{
	put_table(QUEUE_MAX + 1);
	go(0);
}

static void indirect_after_ram(void)
{
	put(0, ram_end - 16, 48, DESC_INDIRECT, 0);
	go(0);
}

static void indirect_loop(void)
{
	put_table(3);
	table[2] = (struct desc){(uint64_t)&status_byte, 1,
				 DESC_NEXT | DESC_WRITE, 1};
	go(0);
}

static void indirect_next_out(void)
{
	put_table(3);
	table[1].next = 3;
	table[3] = table[2];
	go(0);
}

/* ---- the table ----------------------------------------------------------- */

struct attack {
	const char *name;
	void (*run)(void);
	enum outcome outcome;
};

static const struct attack attacks[] = {
	{"data-after-ram", data_after_ram, NEEDS_RESET},
	{"data-across-end-of-ram", data_across_end_of_ram, NEEDS_RESET},
	{"data-wraps", data_wraps, NEEDS_RESET},
	{"data-in-registers", data_in_registers, NEEDS_RESET},
	{"data-in-gap", data_in_gap, NEEDS_RESET},
	{"data-in-lapic", data_in_lapic, NEEDS_RESET},
	{"header-after-ram", header_after_ram, NEEDS_RESET},
	{"status-after-ram", status_after_ram, NEEDS_RESET},
	{"len-of-4g", len_of_4g, NEEDS_RESET},
	{"next-out-of-table", next_out_of_table, NEEDS_RESET},
	{"next-wild", next_wild, NEEDS_RESET},
	{"loop-of-one", loop_of_one, NEEDS_RESET},
	{"loop-of-two", loop_of_two, NEEDS_RESET},
	{"loop-of-empty", loop_of_empty, NEEDS_RESET},
	{"loop-of-all", loop_of_all, NEEDS_RESET},
	{"readable-after-writable", readable_after_writable, NEEDS_RESET},
	{"nothing-writable", nothing_writable, NEEDS_RESET},
	{"all-of-length-zero", all_of_length_zero, NEEDS_RESET},
	{"header-short", header_short, IOERR},
	{"header-missing", header_missing, IOERR},
	{"data-empty", data_empty, LIVES},
	{"flags-unknown", flags_unknown, LIVES},
	{"chain-huge", chain_huge, IOERR},
	{"data-over-rings", data_over_rings, LIVES},
	{"head-out-of-table", head_out_of_table, NEEDS_RESET},
	{"head-wild", head_wild, NEEDS_RESET},
	{"index-jumps", index_jumps, NEEDS_RESET},
	{"index-half-way", index_half_way, NEEDS_RESET},
	{"index-goes-back", index_goes_back, NEEDS_RESET},
	{"same-head-often", same_head_often, LIVES},
	{"kick-storm", kick_storm, LIVES},
	{"indirect-nested", indirect_nested, NEEDS_RESET},
	{"indirect-with-next", indirect_with_next, NEEDS_RESET},
	{"indirect-empty", indirect_empty, NEEDS_RESET},
	{"indirect-odd", indirect_odd, NEEDS_RESET},
	{"indirect-too-long", indirect_too_long, NEEDS_RESET},
	{"indirect-after-ram", indirect_after_ram, NEEDS_RESET},
	{"indirect-loop", indirect_loop, NEEDS_RESET},
	{"indirect-next-out", indirect_next_out, NEEDS_RESET},
};

static bool others_work(void)
{
	static uint8_t random[16];
	const struct part part = {random, sizeof(random), true};
	static struct device rng;
	static struct queue queue;

	if (rng.base == 0) {
		rng = device_find(ID_RNG, 0);
		(void)device_negotiate(&rng, 0);
		queue_setup(&queue, &rng, 0, 4, &rng_memory);
		device_run(&rng);
	}
	queue_chain(&queue, 0, &part, 1);
	queue_give(&queue, 0);
	queue_kick(&queue);
	return queue_wait(&queue, 1) && disk_works(&bystander);
}

static void open_victim(void)
{
	disk_open(&victim, 0, F_INDIRECT, QUEUE_SIZE);
}

static bool came_out(enum outcome outcome)
{
	if (outcome == NEEDS_RESET)
		return device_wait_status(&victim.device, STATUS_NEEDS_RESET);
	if (outcome == IOERR)
		return queue_wait(&victim.queue, 1) &&
		       status_byte == BLOCK_IOERR;
	return true;
}

static void run_attack(const struct attack *attack)
{
	uint32_t status;

	open_victim();
	put_request();
	status_byte = BLOCK_NOTHING;
	attack->run();
	if (!came_out(attack->outcome))
		fail(attack->name, "device status %x, request status %x",
		     (uint64_t)reg(&victim.device, REG_STATUS),
		     (uint64_t)status_byte);
	else if (!others_work())
		fail(attack->name, "another device has stopped");
	status = reg(&victim.device, REG_STATUS);
	open_victim();
	if (!disk_works(&victim))
		fail(attack->name, "does not work after a reset from %x",
		     (uint64_t)status);
	else
		ok(attack->name);
}

/* ---- queue registers ----------------------------------------------------- */

struct place {
	const char *name;
	uint32_t size;
	uint64_t desc, avail, used;
	bool refused;
};

/* Rings where none can be: NEEDS_RESET or, at the least, a queue that is not
 * ready and a device that does not run. */
static void check_place(const struct place *place)
{
	struct device *device = &victim.device;
	bool refused;

	(void)device_negotiate(device, 0);
	queue_tell(device, 0, place->size, place->desc, place->avail,
		   place->used);
	refused = reg(device, REG_QUEUE_READY) == 0;
	device_run(device);
	queue_kick(&victim.queue);
	if (refused != place->refused)
		fail(place->name, "refused %u", (uint64_t)refused);
	else if (!others_work())
		fail(place->name, "another device has stopped");
	open_victim();
	if (!disk_works(&victim))
		fail(place->name, "does not work after a reset");
	else
		ok(place->name);
}

static void check_places(void)
{
	uint64_t m = (uint64_t)&scratch;
	uint64_t end = ram_end;
	const struct place places[] = {
		{"rings-after-ram", 16, end, end + 4096, end + 8192, true},
		{"desc-after-ram", 16, end, m, m + 4096, true},
		{"desc-across-end", 16, end - 128, m, m + 4096, true},
		{"desc-at-end", 16, end - 256, m, m + 4096, false},
		{"avail-across-end", 16, m, end - 36, m + 4096, true},
		{"avail-at-end", 16, m, end - 38, m + 4096, false},
		{"used-across-end", 16, m, m + 4096, end - 132, true},
		{"used-at-end", 16, m, m + 4096, end - 136, false},
		{"rings-in-gap", 16, 0xc0000000, 0xd0000000, 0xe0000000, true},
		{"rings-in-registers", 16, victim.device.base,
		 victim.device.base + 256, victim.device.base + 512, true},
		{"rings-wrap", 16, UINT64_MAX - 15, UINT64_MAX - 15,
		 UINT64_MAX - 15, true},
		{"desc-unaligned", 16, m + 8, m + 4096, m + 8192, true},
		{"avail-unaligned", 16, m, m + 4097, m + 8192, true},
		{"used-unaligned", 16, m, m + 4096, m + 8194, true},
		{"size-zero", 0, m, m + 4096, m + 8192, true},
		{"size-three", 3, m, m + 4096, m + 8192, true},
		{"size-512", 512, m, m + 4096, m + 8192, true},
		{"size-65536", 65536, m, m + 4096, m + 8192, true},
		{"size-65552", 65552, m, m + 4096, m + 8192, true},
		{"rings-overlap", 16, m, m, m, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
		memset(&scratch, 0, sizeof(scratch));
		check_place(&places[i]);
	}
}

/* ---- life ---------------------------------------------------------------- */

/* Set up again with other sizes, while ready and after a reset. */
static void check_setup_twice(void)
{
	static const uint16_t sizes[] = {256, 1, 16, 2, 128, 4, 256};
	bool holds = true;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		(void)device_negotiate(&victim.device, 0);
		queue_setup(&victim.queue, &victim.device, 0, sizes[i],
			    &scratch);
		/* Ready: these go nowhere. */
		queue_tell(&victim.device, 0, 8, ram_end, ram_end, ram_end);
		device_run(&victim.device);
		/* Running: and these. */
		queue_tell(&victim.device, 0, 8, ram_end, ram_end, ram_end);
		holds = holds &&
			reg(&victim.device, REG_STATUS) == STATUS_RUNNING;
		if (sizes[i] >= 4)
			holds = holds && disk_works(&victim);
	}
	check("setup-twice", holds);
	open_victim();
	check("setup-twice-works", disk_works(&victim));
}

/* A reset with requests under way: afterwards nothing comes back any more. */
static void check_reset_in_the_middle(void)
{
	bool holds = true;
	bool quiet = true;

	for (unsigned round = 0; round < 100; round++) {
		uint16_t after;

		open_victim();
		put_request();
		put(1, (uint64_t)data, sizeof(data), DESC_NEXT | DESC_WRITE, 2);
		same_head_often();
		device_reset(&victim.device);
		after = victim.queue.used[1];
		for (unsigned i = 0; i < 20; i++)
			(void)reg(&victim.device, REG_INTERRUPT_STATUS);
		quiet = quiet && victim.queue.used[1] == after &&
			reg(&victim.device, REG_INTERRUPT_STATUS) == 0;
		open_victim();
		holds = holds && disk_works(&victim);
	}
	check("reset-in-the-middle", holds);
	check("quiet-after-reset", quiet);
}

/* A faulted device keeps still until the reset. */
static void check_broken_stays_broken(void)
{
	open_victim();
	put_request();
	head_wild();
	check("needs-reset",
	      device_wait_status(&victim.device, STATUS_NEEDS_RESET));
	check_eq("config-interrupt",
		 reg(&victim.device, REG_INTERRUPT_STATUS) & 2, 2);
	for (unsigned i = 0; i < 100; i++)
		queue_kick(&victim.queue);
	device_run(&victim.device);
	check("still-broken",
	      reg(&victim.device, REG_STATUS) & STATUS_NEEDS_RESET);
	check_eq("nothing-used", victim.queue.used[1], 0);
	open_victim();
	check("mended", disk_works(&victim));
}

void bare_main(void)
{
	interrupts_init();
	ram_end = cmdline_number("mib=", 0) << 20;
	disk_open(&bystander, 1, 0, QUEUE_SIZE);
	open_victim();
	check("victim", disk_works(&victim));
	check("others", others_work());
	for (unsigned i = 0; i < ARRAY_LEN(attacks); i++)
		run_attack(&attacks[i]);
	check_places();
	check_setup_twice();
	check_reset_in_the_middle();
	check_broken_stays_broken();
}
