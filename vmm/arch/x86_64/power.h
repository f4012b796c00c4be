/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power - the ACPI sleep registers of a hardware-reduced machine: one control
 * byte, one status byte (ACPI 6.5 §4.8.3.7). Writing the soft-off type with
 * the enable bit ends the machine; there is no other sleep state.
 */
#ifndef KILN_ARCH_X86_64_POWER_H
#define KILN_ARCH_X86_64_POWER_H

#include "core/bus.h"

#define POWER_PORTS         2 /* control, status */
#define POWER_SLEEP_TYPE_S5 5 /* value of SLP_TYP that \_S5 names */

struct power {
	void (*off)(void *owner); /* Thread: vcpu */
	void *owner;
};

extern const struct bus_ops power_bus_ops;

#endif
