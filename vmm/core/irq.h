/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irq - an interrupt line into the guest. The wire is an eventfd that KVM
 * watches (irqfd), so that any thread raises it with one write and no lock.
 * Edge: one raise, one interrupt.
 */
#ifndef KILN_CORE_IRQ_H
#define KILN_CORE_IRQ_H

#include <stdint.h>

struct irq_line {
	int event_fd; /* -1: not connected, raising does nothing */
	uint32_t gsi;
	/* Set where the interrupt controller in the VMM must see the line too
	 * (a guest that uses the 8259 PIC); NULL otherwise. */
	void (*also)(void *controller, uint32_t gsi);
	void *controller;
};

/* irq_line_raise - Thread: any. */
void irq_line_raise(const struct irq_line *line);

#endif
