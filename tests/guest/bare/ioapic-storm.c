/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One processor rewrites redirection entries without pause, that of a busy
 * device among them; another works with the device. Every event of an open pin
 * arrives as the entry says, before the write or after it, and none is lost.
 */
#include "cpu.h"
#include "virtio.h"

#define FIRST     0x40
#define SECOND    0x41
#define OTHER     0x42
#define OTHER_PIN 23
#define SPINS_MAX 400000000u

static struct queue_memory memory;
static uint8_t bytes[64];
static struct device rng;
static struct queue queue;
static volatile bool stop;
static volatile uint32_t writes;

static void acknowledge(void)
{
	reg_set(&rng, REG_INTERRUPT_ACK, reg(&rng, REG_INTERRUPT_STATUS));
}

/* Both entries stay open; only where they lead changes. */
static void storm(void)
{
	unsigned low = 0x10 + 2 * rng.irq;

	while (!stop) {
		ioapic_write(low, writes & 1 ? FIRST : SECOND);
		ioapic_write(0x10 + 2 * OTHER_PIN, OTHER + (writes & 1));
		writes++;
	}
}

static uint32_t arrived(void)
{
	return interrupt_counts[FIRST] + interrupt_counts[SECOND];
}

static bool ask(void)
{
	const struct part part = {bytes, sizeof(bytes), true};
	uint32_t before = arrived();

	queue_chain(&queue, 0, &part, 1);
	queue_give(&queue, 0);
	queue_kick(&queue);
	interrupts_on();
	for (unsigned i = 0; i < SPINS_MAX && arrived() == before; i++)
		;
	interrupts_off();
	return arrived() != before && queue_wait(&queue, 1);
}

void bare_main(void)
{
	uint64_t rounds = cmdline_number("rounds=", 1000);
	uint64_t done = 0;

	interrupts_init();
	pic_init(0);
	lapic_enable();
	interrupt_handlers[FIRST] = acknowledge;
	interrupt_handlers[SECOND] = acknowledge;
	rng = device_find(ID_RNG, 0);
	check("negotiated", device_negotiate(&rng, F_VERSION_1));
	queue_setup(&queue, &rng, 0, 16, &memory);
	device_run(&rng);
	ioapic_route(rng.irq, FIRST, 0, false);
	ap_program = storm;
	ap_start(1);
	while (writes == 0)
		;
	while (done < rounds && ask())
		done++;
	stop = true;
	check_eq("none-lost", done, rounds);
	check("rewritten", writes > 1);
	check("by-both",
	      interrupt_counts[FIRST] > 0 && interrupt_counts[SECOND] > 0);
	check_eq("other-pin", interrupt_counts[OTHER], 0);
}
