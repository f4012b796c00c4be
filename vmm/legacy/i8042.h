/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i8042 - the PC's keyboard controller, for two things: the reset that
 * "reboot=k" pulses, and Ctrl-Alt-Del pressed from outside. Behind it sits a
 * keyboard that acknowledges everything; there is no mouse. Every command that
 * has an answer gets it at once: a Linux driver polls a silent controller
 * 10,000 times, which is half a second of boot. (IBM PC/AT Technical
 * Reference, March 1986, "Keyboard Controller" and "Keyboard".)
 */
#ifndef KILN_LEGACY_I8042_H
#define KILN_LEGACY_I8042_H

#include "base/err.h"
#include "core/bus.h"
#include "core/device.h"
#include "core/irq.h"

#define I8042_DATA_PORT    0x60
#define I8042_COMMAND_PORT 0x64
#define I8042_GSI          1
#define I8042_BUFFER_BYTES 16

struct i8042_setup {
	struct irq_line irq; /* copied; its fd is borrowed */
	/* The guest pulses the reset line. Called without a lock held.
	 * Thread: vcpu. */
	void (*reset)(void *owner);
	void *owner;
};

struct i8042;

int i8042_create(const struct i8042_setup *setup, struct i8042 **ret_i8042,
		 struct err *err);

/*
 * i8042_press_ctrl_alt_del - Return: 0; -ENOBUFS the guest does not read its
 * keyboard. Thread: any.
 */
int i8042_press_ctrl_alt_del(struct i8042 *i8042, struct err *err);

/* One port each, bus_add(bus, I8042_DATA_PORT, 1, ...): what lies between
 * belongs to others. */
extern const struct bus_ops i8042_data_bus_ops;
extern const struct bus_ops i8042_command_bus_ops;
extern const struct device_ops i8042_ops;

#endif
