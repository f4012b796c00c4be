/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/power.h"

#include <string.h>

/* Sleep control register, ACPI 6.5 table 4.19. */
#define SLEEP_TYPE_SHIFT 2
#define SLEEP_TYPE_MASK  0x7
#define SLEEP_ENABLE     (1u << 5)

static void power_read(void *device, uint64_t offset, void *data, size_t len)
{
	(void)device;
	(void)offset;
	memset(data, 0, len);
}

static void power_write(void *device, uint64_t offset, const void *data,
			size_t len)
{
	const struct power *power = device;
	unsigned value = *(const uint8_t *)data;
	unsigned type = value >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK;

	(void)len;
	if (offset == 0 && (value & SLEEP_ENABLE) != 0 &&
	    type == POWER_SLEEP_TYPE_S5)
		power->off(power->owner);
}

const struct bus_ops power_bus_ops = {power_read, power_write};
