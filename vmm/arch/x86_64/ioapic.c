/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/ioapic.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/array.h"
#include "base/le.h"
#include "core/state.h"

/* Memory-mapped registers (82093AA §3.1); EOI is of the later 82801. */
#define REG_SELECT 0x00
#define REG_WINDOW 0x10
#define REG_EOI    0x40

/* Indirect registers (§3.2). */
#define INDEX_ID      0x00
#define INDEX_VERSION 0x01
#define INDEX_ARB     0x02
#define INDEX_ENTRIES 0x10
#define VERSION       0x20 /* has the EOI register */

/* Redirection entry (§3.2.4). */
#define ENTRY_VECTOR     0xffull
#define ENTRY_DELIVERY   0x700ull
#define ENTRY_LOGICAL    (1ull << 11)
#define ENTRY_STATUS     (1ull << 12)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL      (1ull << 15)
#define ENTRY_MASKED     (1ull << 16)
#define ENTRY_DEST_SHIFT 56
#define ENTRY_READ_ONLY  (ENTRY_STATUS | ENTRY_REMOTE_IRR)

/* Message that KVM delivers (Intel SDM vol. 3, §11.11). */
#define MESSAGE_BASE       0xfee00000ull
#define MESSAGE_DEST_SHIFT 12
#define MESSAGE_LOGICAL    (1u << 2)
#define MESSAGE_ASSERT     (1u << 14)
#define MESSAGE_LEVEL      (1u << 15)

void ioapic_init(struct ioapic *ioapic)
{
	memset(ioapic, 0, sizeof(*ioapic));
	(void)pthread_mutex_init(&ioapic->lock, NULL);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->entries[pin] = ENTRY_MASKED;
}

static struct ioapic_route route_of(uint64_t entry)
{
	struct ioapic_route route = {0};

	if ((entry & ENTRY_MASKED) != 0)
		return route;
	route.address = MESSAGE_BASE | (entry >> ENTRY_DEST_SHIFT)
					       << MESSAGE_DEST_SHIFT;
	if ((entry & ENTRY_LOGICAL) != 0)
		route.address |= MESSAGE_LOGICAL;
	route.data = (uint32_t)(entry & (ENTRY_VECTOR | ENTRY_DELIVERY)) |
		     MESSAGE_ASSERT;
	if ((entry & ENTRY_LEVEL) != 0)
		route.data |= MESSAGE_LEVEL;
	return route;
}

static void update_route(struct ioapic *ioapic, unsigned pin)
{
	struct ioapic_route route = route_of(ioapic->entries[pin]);
	struct ioapic_route *now = &ioapic->routes[pin];

	if (route.address == now->address && route.data == now->data)
		return;
	*now = route;
	if (ioapic->routes_changed != NULL)
		ioapic->routes_changed(ioapic->owner, ioapic->routes);
}

static void write_entry(struct ioapic *ioapic, unsigned index, uint32_t value)
{
	unsigned pin = index / 2;
	uint64_t *entry = &ioapic->entries[pin];
	uint64_t keep = *entry & ENTRY_READ_ONLY;

	if (index % 2 == 0)
		*entry = (*entry & ~0xffffffffull) | (value & 0x1ffffu);
	else
		*entry = (*entry & 0xffffffffull) |
			 (uint64_t)(value & 0xff000000u) << 32;
	*entry = (*entry & ~ENTRY_READ_ONLY) | keep;
	update_route(ioapic, pin);
}

static uint32_t read_window(const struct ioapic *ioapic)
{
	unsigned index = ioapic->select;

	if (index == INDEX_ID || index == INDEX_ARB)
		return (uint32_t)ioapic->id << 24;
	if (index == INDEX_VERSION)
		return VERSION | (IOAPIC_PINS - 1) << 16;
	index -= INDEX_ENTRIES;
	if (index >= 2 * IOAPIC_PINS)
		return 0;
	return (uint32_t)(ioapic->entries[index / 2] >>
			  (index % 2 == 0 ? 0 : 32));
}

static void write_window(struct ioapic *ioapic, uint32_t value)
{
	unsigned index = ioapic->select;

	if (index == INDEX_ID)
		ioapic->id = value >> 24 & 0xf;
	else if (index >= INDEX_ENTRIES &&
		 index < INDEX_ENTRIES + 2 * IOAPIC_PINS)
		write_entry(ioapic, index - INDEX_ENTRIES, value);
}

static void end_level(struct ioapic *ioapic, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->entries[pin];

		if ((*entry & ENTRY_LEVEL) != 0 &&
		    (*entry & ENTRY_VECTOR) == vector)
			*entry &= ~ENTRY_REMOTE_IRR;
	}
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	(void)pthread_mutex_lock(&ioapic->lock);
	end_level(ioapic, vector);
	(void)pthread_mutex_unlock(&ioapic->lock);
}

static void ioapic_read(void *device, uint64_t offset, void *data, size_t len)
{
	struct ioapic *ioapic = device;
	uint32_t value = 0;

	(void)pthread_mutex_lock(&ioapic->lock);
	if (offset == REG_SELECT)
		value = ioapic->select;
	else if (offset == REG_WINDOW)
		value = read_window(ioapic);
	(void)pthread_mutex_unlock(&ioapic->lock);
	memcpy(data, &value, len < sizeof(value) ? len : sizeof(value));
}

static void ioapic_write(void *device, uint64_t offset, const void *data,
			 size_t len)
{
	struct ioapic *ioapic = device;
	uint32_t value = 0;

	memcpy(&value, data, len < sizeof(value) ? len : sizeof(value));
	(void)pthread_mutex_lock(&ioapic->lock);
	if (offset == REG_SELECT)
		ioapic->select = (uint8_t)value;
	else if (offset == REG_WINDOW)
		write_window(ioapic, value);
	else if (offset == REG_EOI)
		end_level(ioapic, (uint8_t)value);
	(void)pthread_mutex_unlock(&ioapic->lock);
}

const struct bus_ops ioapic_bus_ops = {ioapic_read, ioapic_write};

static void ioapic_reset(void *device)
{
	struct ioapic *ioapic = device;

	(void)pthread_mutex_lock(&ioapic->lock);
	ioapic->select = 0;
	ioapic->id = 0;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		ioapic->entries[pin] = ENTRY_MASKED;
		update_route(ioapic, pin);
	}
	(void)pthread_mutex_unlock(&ioapic->lock);
}

static int ioapic_state(void *device, struct state *state)
{
	struct ioapic *ioapic = device;

	state_u8(state, &ioapic->select);
	state_u8(state, &ioapic->id);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		state_u64(state, &ioapic->entries[pin]);
		if (!state->saving && state_status(state) == 0)
			update_route(ioapic, pin);
	}
	return state_status(state);
}

/* Embedded in its owner: there is nothing of its own to free. */
static void ioapic_destroy(void *device)
{
	(void)device;
}

const struct device_ops ioapic_ops = {
	.kind = "ioapic",
	.destroy = ioapic_destroy,
	.reset = ioapic_reset,
	.save = ioapic_state,
	.restore = ioapic_state,
};
