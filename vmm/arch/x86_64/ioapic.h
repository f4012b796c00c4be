/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioapic - the 82093AA with 24 pins, in the VMM. KVM keeps the local APICs
 * and delivers what arrives on an irqfd as the message that the pin's
 * redirection entry describes; this model turns entries into KVM's routing
 * table, and only when a message really changes (a guest writes each entry a
 * few times at boot; each rewrite of the table costs a grace period).
 * Source: Intel 82093AA data sheet, §3.
 */
#ifndef KILN_ARCH_X86_64_IOAPIC_H
#define KILN_ARCH_X86_64_IOAPIC_H

#include <pthread.h>
#include <stdint.h>

#include "core/bus.h"
#include "core/device.h"

#define IOAPIC_PINS  24
#define IOAPIC_BYTES 0x1000

struct ioapic_route {
	uint64_t address; /* of the message; 0: the pin is masked */
	uint32_t data;
};

struct ioapic {
	pthread_mutex_t lock;
	uint8_t select;
	uint8_t id;
	uint64_t entries[IOAPIC_PINS];
	struct ioapic_route routes[IOAPIC_PINS];
	/* Called with the lock held after a route changed. Thread: vcpu. */
	void (*routes_changed)(void *owner, const struct ioapic_route *routes);
	void *owner;
};

extern const struct bus_ops ioapic_bus_ops;
extern const struct device_ops ioapic_ops;

void ioapic_init(struct ioapic *ioapic);

/* ioapic_eoi - the guest ended a level interrupt with this vector. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif
