/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bus.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

int bus_add(struct bus *bus, uint64_t base, uint64_t size_bytes,
	    const struct bus_ops *ops, void *device)
{
	for (unsigned i = 0; i < bus->slot_count; i++) {
		if (range_overlaps(base, size_bytes, bus->slots[i].base,
				   bus->slots[i].size_bytes))
			return -EEXIST;
	}
	if (bus->slot_count >= BUS_SLOTS_MAX)
		return -ENOSPC;
	bus->slots[bus->slot_count++] = (struct bus_slot){
		.base = base,
		.size_bytes = size_bytes,
		.ops = ops,
		.device = device,
	};
	return 0;
}

static const struct bus_slot *find(const struct bus *bus, uint64_t address,
				   size_t len)
{
	for (unsigned i = 0; i < bus->slot_count; i++) {
		const struct bus_slot *slot = &bus->slots[i];

		if (address >= slot->base &&
		    range_ok(address - slot->base, len, slot->size_bytes))
			return slot;
	}
	return NULL;
}

bool bus_read(const struct bus *bus, uint64_t address, void *data, size_t len)
{
	const struct bus_slot *slot = find(bus, address, len);

	memset(data, 0, len);
	if (slot == NULL)
		return false;
	slot->ops->read(slot->device, address - slot->base, data, len);
	return true;
}

bool bus_write(const struct bus *bus, uint64_t address, const void *data,
	       size_t len)
{
	const struct bus_slot *slot = find(bus, address, len);

	if (slot == NULL)
		return false;
	slot->ops->write(slot->device, address - slot->base, data, len);
	return true;
}
