/* SPDX-License-Identifier: Apache-2.0 */
/* The entropy device (virtio 1.2 §5.4), and with it what is true of any queue:
 * lengths, order, wrap of ring and index, both ways of asking for interrupts. */
#include "cpu.h"
#include "virtio.h"

#define VECTOR 0x40

static struct queue_memory memory;
static uint8_t bytes[65536 + 4096];
static struct device rng;
static struct queue queue;

static uint32_t ask(uint32_t len)
{
	const struct part part = {bytes, len, true};

	memset(bytes, 0, sizeof(bytes));
	queue_chain(&queue, 0, &part, 1);
	queue_give(&queue, 0);
	queue_kick(&queue);
	return queue_wait(&queue, 1) ? queue_used_len(&queue, 1) : 0;
}

static unsigned distinct(size_t len)
{
	static uint8_t seen[256];
	unsigned count = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < len; i++)
		count += seen[bytes[i]]++ == 0;
	return count;
}

static void check_requests(void)
{
	check_eq("one-byte", ask(1), 1);
	check_eq("page", ask(4096), 4096);
	check("random", distinct(4096) > 200);
	check_eq("largest", ask(65536), 65536);
	check_eq("bounded", ask(65536 + 4096), 65536);
	check_eq("beyond-untouched", bytes[65536], 0);
}

static void check_parts(void)
{
	struct part parts[16];

	memset(bytes, 0, sizeof(bytes));
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		parts[i] = (struct part){bytes + 100 * i, 32, true};
	queue_chain(&queue, 4, parts, ARRAY_LEN(parts));
	queue_give(&queue, 4);
	queue_kick(&queue);
	check("parts-back", queue_wait(&queue, 1));
	check_eq("parts-len", queue_used_len(&queue, 1), 16 * 32);
	check_eq("parts-id", queue_used_id(&queue, 1), 4);
	check("parts-last", distinct(16 * 100) > 100);
	check_eq("parts-between", bytes[32] | bytes[99] | bytes[132], 0);
}

/* A descriptor per chain, all given at once, more than 2^16 in all: every one
 * comes back once, in order, with the index running over. */
static void check_wrap(void)
{
	unsigned rounds = 65536 / QUEUE_MAX + 8;
	bool holds = true;

	for (unsigned i = 0; i < QUEUE_MAX; i++) {
		const struct part part = {bytes + i, 1, true};

		queue_chain(&queue, i, &part, 1);
		queue.avail[2 + i] = (uint16_t)i;
	}
	/* From here ring slot and descriptor have the same number. */
	while (queue.avail_idx % QUEUE_MAX != 0)
		(void)ask(1);
	for (unsigned i = 0; i < QUEUE_MAX; i++) {
		const struct part part = {bytes + i, 1, true};

		queue_chain(&queue, i, &part, 1);
		queue.avail[2 + i] = (uint16_t)i;
	}
	for (unsigned i = 0; i < rounds && holds; i++) {
		queue.avail_idx = (uint16_t)(queue.avail_idx + QUEUE_MAX);
		fence();
		queue.avail[1] = queue.avail_idx;
		queue_kick(&queue);
		holds = queue_wait(&queue, QUEUE_MAX);
	}
	check("wrap", holds);
	for (unsigned i = 0; i < QUEUE_MAX && holds; i++)
		holds = queue_used_id(&queue, QUEUE_MAX - i) == i &&
			queue_used_len(&queue, QUEUE_MAX - i) == 1;
	check("wrap-order", holds);
}

static void acknowledge(void)
{
	reg_set(&rng, REG_INTERRUPT_ACK, reg(&rng, REG_INTERRUPT_STATUS));
}

/* Each size of queue there is. */
static void check_sizes(void)
{
	bool holds = true;

	for (unsigned size = 1; size <= QUEUE_MAX; size *= 2) {
		(void)device_negotiate(&rng, 0);
		queue_setup(&queue, &rng, 0, size, &memory);
		device_run(&rng);
		for (unsigned i = 0; i < 5; i++)
			holds = holds && ask(8) == 8;
	}
	check("sizes", holds);
}

static void start(uint64_t features)
{
	check("features-ok", device_negotiate(&rng, features));
	queue_setup(&queue, &rng, 0, QUEUE_MAX, &memory);
	device_run(&rng);
}

static void check_interrupts(void)
{
	interrupt_handlers[VECTOR] = acknowledge;
	ioapic_route(rng.irq, VECTOR, 0, false);
	(void)ask(8);
	check("interrupt", wait_interrupt(VECTOR, 1));
	check_eq("acknowledged", reg(&rng, REG_INTERRUPT_STATUS), 0);
	queue.avail[0] = 1; /* VIRTQ_AVAIL_F_NO_INTERRUPT */
	(void)ask(8);
	interrupts_on();
	for (volatile unsigned i = 0; i < 100000; i++)
		;
	interrupts_off();
	check_eq("no-interrupt", interrupt_counts[VECTOR], 1);
	check_eq("no-status", reg(&rng, REG_INTERRUPT_STATUS), 0);
	queue.avail[0] = 0;
}

/* §2.7.10: an interrupt when the index passes used_event, not before. */
static void check_event_idx(void)
{
	volatile uint16_t *used_event = &queue.avail[2 + QUEUE_MAX];
	uint32_t before;

	acknowledge();
	before = interrupt_counts[VECTOR];
	*used_event = 2;
	(void)ask(8);
	(void)ask(8);
	check_eq("event-early", reg(&rng, REG_INTERRUPT_STATUS), 0);
	(void)ask(8);
	check("event-reached", wait_interrupt(VECTOR, before + 1));
	(void)ask(8);
	check_eq("event-past", reg(&rng, REG_INTERRUPT_STATUS), 0);
	/* Where the device wants the next kick: it has taken four. */
	for (unsigned i = 0; i < 100000 && queue.used[2 + 4 * QUEUE_MAX] != 4;
	     i++)
		(void)reg(&rng, REG_INTERRUPT_STATUS);
	check_eq("avail-event", queue.used[2 + 4 * QUEUE_MAX], 4);
}

void bare_main(void)
{
	interrupts_init();
	lapic_enable();
	rng = device_find(ID_RNG, 0);
	check_eq(
		"queue-max",
		(reg_set(&rng, REG_QUEUE_SEL, 0), reg(&rng, REG_QUEUE_NUM_MAX)),
		QUEUE_MAX);
	start(0);
	check_requests();
	check_parts();
	check_wrap();
	check_interrupts();
	if (device_features(&rng) & F_EVENT_IDX) {
		start(F_EVENT_IDX);
		check_event_idx();
	}
	check_sizes();
}
