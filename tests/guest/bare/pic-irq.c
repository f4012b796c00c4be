/* SPDX-License-Identifier: Apache-2.0 */
/* COM1's interrupt through the 8259 PIC and LINT0, as without an IOAPIC. */
#include "cpu.h"

#define LINE_COM1 4
#define VECTOR    (0x20 + LINE_COM1)

#define IER (PORT_COM1 + 1)
#define IIR (PORT_COM1 + 2)

#define PIC_EOI 0x20

static void handle(void)
{
	(void)inb(IIR);
	outb(0x20, PIC_EOI);
}

static void irq_raise(void)
{
	outb(IER, 0);
	outb(IER, 2);
}

void bare_main(void)
{
	bool came;
	bool came_again;

	interrupts_init();
	check_eq("lint0-extint", read32(LAPIC_LINT0) & 0x700, 0x700);
	interrupt_handlers[VECTOR] = handle;
	pic_init(1 << LINE_COM1);
	check_eq("mask", inb(0x21), 0xef);
	irq_raise();
	came = wait_interrupt(VECTOR, 1);
	irq_raise();
	came_again = wait_interrupt(VECTOR, 2);
	irq_raise();
	while (interrupt_counts[VECTOR] < 3)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	outb(0x21, 0xff);
	irq_raise();
	interrupts_on();
	for (volatile unsigned i = 0; i < 200000; i++)
		;
	interrupts_off();
	/* Off before anything is printed, which would raise more. */
	outb(IER, 0);
	(void)inb(IIR);
	check("first", came);
	check("second", came_again);
	ok("wakes-from-halt");
	check_eq("masked", interrupt_counts[VECTOR], 3);
}
