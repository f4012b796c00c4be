/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board - what the x86_64 board has beside RAM, vCPUs and virtio devices.
 * Shared by the parts of arch/x86_64 alone.
 */
#ifndef KILN_ARCH_X86_64_BOARD_H
#define KILN_ARCH_X86_64_BOARD_H

#include "arch/x86_64/irqchip.h"
#include "arch/x86_64/power.h"
#include "boot/kernel.h"

struct arch_vm {
	struct irqchip irqchip;
	struct power power;
	struct boot_kernel kernel; /* set by arch_load() */
};

#endif
