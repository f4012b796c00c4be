/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - which device answers at which port or address. Filled while the
 * machine is built, read-only from then on, so that vCPU threads look up
 * without a lock; each device takes its own.
 */
#ifndef KILN_CORE_BUS_H
#define KILN_CORE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_SLOTS_MAX 40

struct bus_ops {
	/* offset: from the device's base. len: 1, 2, 4 or 8 bytes, inside the
	 * device's range. Thread: vcpu. */
	void (*read)(void *device, uint64_t offset, void *data, size_t len);
	void (*write)(void *device, uint64_t offset, const void *data,
		      size_t len);
};

struct bus_slot {
	uint64_t base;
	uint64_t size_bytes;
	const struct bus_ops *ops;
	void *device;
};

struct bus {
	struct bus_slot slots[BUS_SLOTS_MAX];
	unsigned slot_count;
};

/* bus_add - Return: 0; -EEXIST overlaps another; -ENOSPC no slot left. */
int bus_add(struct bus *bus, uint64_t base, uint64_t size_bytes,
	    const struct bus_ops *ops, void *device);

/* bus_read, bus_write - false: nobody there (reads then give all zeroes). */
bool bus_read(const struct bus *bus, uint64_t address, void *data, size_t len);
bool bus_write(const struct bus *bus, uint64_t address, const void *data,
	       size_t len);

#endif
