/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - what every device model offers. The state cursor (state.h) goes
 * through save and restore with the same calls in the same order.
 */
#ifndef KILN_CORE_DEVICE_H
#define KILN_CORE_DEVICE_H

struct state;

struct device_ops {
	const char *kind; /* "block", "uart16550": section name in a snapshot */
	void (*destroy)(void *device); /* accepts NULL */
	void (*reset)(void *device);   /* to the state after creation */
	int (*save)(void *device, struct state *state);
	int (*restore)(void *device, struct state *state);
};

#endif
