/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irqchip - which interrupt controllers the board has and who runs them.
 *
 *	split   LAPICs in KVM; IOAPIC and PIC here. The default: set-up takes no
 *	        grace period, and the host kernel runs less code for a guest.
 *	full    all of them in KVM.
 *
 * Neither has a PIT: guests time themselves by the TSC deadline timer.
 */
#ifndef KILN_ARCH_X86_64_IRQCHIP_H
#define KILN_ARCH_X86_64_IRQCHIP_H

#include "arch/x86_64/ioapic.h"
#include "arch/x86_64/pic.h"
#include "base/err.h"
#include "core/vm.h"

struct irqchip {
	struct vm *vm; /* borrowed */
	bool split;
	struct ioapic ioapic; /* split only */
	struct pic pic;       /* split only */
};

int irqchip_create(struct irqchip *chip, struct vm *vm, struct err *err);

/* irqchip_attach - the PIC, which KVM does not know, sees this line. */
void irqchip_attach(struct irqchip *chip, struct irq_line *line);

/* irqchip_inject - hand the PIC's vector to vCPU 0 when it can take one.
 * Thread: vcpu, before KVM_RUN. */
void irqchip_inject(struct irqchip *chip, struct vcpu *vcpu);

#endif
