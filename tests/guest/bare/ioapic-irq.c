/* SPDX-License-Identifier: Apache-2.0 */
/* COM1's transmitter interrupt through an IOAPIC pin to the LAPIC. */
#include "cpu.h"

#define PIN_COM1 4
#define VECTOR   0x31
#define OTHER    0x32

#define IER (PORT_COM1 + 1)
#define IIR (PORT_COM1 + 2)

static volatile uint8_t seen_iir;

static void read_iir(void)
{
	seen_iir = inb(IIR);
}

/* Enabling the interrupt with an empty transmitter raises it. Before a verdict
 * it must be off again, or printing raises more. */
static void irq_raise(void)
{
	outb(IER, 0);
	outb(IER, 2);
}

static void irq_disable(void)
{
	outb(IER, 0);
	(void)inb(IIR);
}

static uint32_t count_after_pause(unsigned vector)
{
	interrupts_on();
	for (volatile unsigned i = 0; i < 200000; i++)
		;
	interrupts_off();
	return interrupt_counts[vector];
}

static void check_registers(void)
{
	check_eq("pins", ioapic_read(1) >> 16 & 0xff, 23);
	ioapic_write(0x10 + 2 * 20, 0x1ff45);
	check_eq("rte-read-only", ioapic_read(0x10 + 2 * 20) & 0x15000,
		 0x10000);
	check_eq("rte-vector", ioapic_read(0x10 + 2 * 20) & 0xff, 0x45);
	ioapic_route(20, 0x45, 0, true);
	write32(IOAPIC, 0);
	ioapic_write(0, 3u << 24);
	check_eq("id", ioapic_read(0) >> 24 & 0xf, 3);
	ioapic_write(0, 0);
}

static void check_masked(void)
{
	uint32_t count;
	uint32_t after;

	ioapic_route(PIN_COM1, VECTOR, 0, true);
	irq_raise();
	count = count_after_pause(VECTOR);
	ioapic_route(PIN_COM1, VECTOR, 0, false);
	after = count_after_pause(VECTOR);
	irq_disable();
	check_eq("masked", count, 0);
	/* 82093AA §3.2.4: an edge on a masked pin is not held. */
	check_eq("masked-edge-is-gone", after, 0);
}

static void check_delivered(void)
{
	uint32_t first = interrupt_counts[VECTOR];
	bool came = true;
	uint32_t count;

	ioapic_route(PIN_COM1, VECTOR, 0, false);
	for (uint32_t i = 1; i <= 3; i++) {
		irq_raise();
		came = came && wait_interrupt(VECTOR, first + i);
	}
	count = count_after_pause(VECTOR);
	irq_disable();
	check("delivered", came);
	check_eq("once-each", count, first + 3);
	check_eq("iir", seen_iir & 0x0f, 2);
}

static void check_moved(void)
{
	uint32_t before = interrupt_counts[VECTOR];
	bool came;

	ioapic_route(PIN_COM1, OTHER, 0, false);
	irq_raise();
	came = wait_interrupt(OTHER, 1);
	irq_raise();
	while (interrupt_counts[OTHER] < 2)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	irq_disable();
	check("moved", came);
	check_eq("old-vector", interrupt_counts[VECTOR], before);
	ok("wakes-from-halt");
}

void bare_main(void)
{
	interrupts_init();
	pic_init(0);
	lapic_enable();
	check_registers();
	interrupt_handlers[VECTOR] = read_iir;
	interrupt_handlers[OTHER] = read_iir;
	check_masked();
	check_delivered();
	check_moved();
}
