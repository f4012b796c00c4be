/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio_driver.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fd.h"
#include "base/le.h"
#include "virtio/mmio_private.h"

#define PUMP_MAX 100000u /* rounds; more is a device that never rests */

/* A broken helper must not look like a passed test. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

void driver_memory_create(struct guest_memory *ret_memory)
{
	static const struct memory_range ranges[] = {
		{0, DRIVER_LOW_BYTES},
		{DRIVER_HIGH, DRIVER_LOW_BYTES},
	};

	must(guest_memory_create(2 * DRIVER_LOW_BYTES, PAGES_SMALL, ranges,
				 ARRAY_LEN(ranges), ret_memory, NULL) == 0);
}

static void put16(const struct driver_queue *queue, gpa_t gpa, uint16_t value)
{
	must(guest_write(queue->memory, gpa, &value, sizeof(value)) == 0);
}

static uint16_t get16(const struct driver_queue *queue, gpa_t gpa)
{
	uint16_t value = 0;

	must(guest_read(queue->memory, gpa, &value, sizeof(value)) == 0);
	return value;
}

void driver_queue_init(struct driver_queue *queue,
		       const struct guest_memory *memory, gpa_t base,
		       uint16_t size)
{
	*queue = (struct driver_queue){.memory = memory,
				       .size = size,
				       .desc = base,
				       .avail = base + 0x1000,
				       .used = base + 0x2000};
	for (gpa_t at = base; at < base + 0x3000; at += 2)
		put16(queue, at, 0);
}

void driver_desc(const struct guest_memory *memory, gpa_t table, unsigned index,
		 const struct driver_part *part, uint16_t flags, uint16_t next)
{
	uint8_t desc[16];

	le64_store(desc, part->addr);
	le32_store(desc + 8, part->len);
	le16_store(desc + 12, flags);
	le16_store(desc + 14, next);
	must(guest_write(memory, table + 16 * index, desc, sizeof(desc)) == 0);
}

void driver_set_avail_idx(struct driver_queue *queue, uint16_t idx)
{
	queue->avail_idx = idx;
	put16(queue, queue->avail + 2, idx);
}

void driver_offer(struct driver_queue *queue, uint16_t head)
{
	unsigned at = queue->avail_idx % queue->size;

	put16(queue, queue->avail + 4 + 2 * at, head);
	driver_set_avail_idx(queue, (uint16_t)(queue->avail_idx + 1));
}

static uint16_t part_flags(const struct driver_part *part, bool last)
{
	return (uint16_t)((part->write ? DRIVER_WRITE : 0) |
			  (last ? 0 : DRIVER_NEXT));
}

uint16_t driver_add(struct driver_queue *queue, const struct driver_part *parts,
		    unsigned count)
{
	uint16_t head = queue->desc_next;

	for (unsigned i = 0; i < count; i++) {
		uint16_t next =
			(uint16_t)((queue->desc_next + 1) % queue->size);

		driver_desc(queue->memory, queue->desc, queue->desc_next,
			    &parts[i], part_flags(&parts[i], i + 1 == count),
			    next);
		queue->desc_next = next;
	}
	driver_offer(queue, head);
	return head;
}

uint16_t driver_add_indirect(struct driver_queue *queue, gpa_t table,
			     const struct driver_part *parts, unsigned count)
{
	const struct driver_part whole = {.addr = table, .len = 16 * count};
	uint16_t head = queue->desc_next;

	for (unsigned i = 0; i < count; i++)
		driver_desc(queue->memory, table, i, &parts[i],
			    part_flags(&parts[i], i + 1 == count),
			    (uint16_t)(i + 1));
	driver_desc(queue->memory, queue->desc, head, &whole, DRIVER_INDIRECT,
		    0);
	queue->desc_next = (uint16_t)((head + 1) % queue->size);
	driver_offer(queue, head);
	return head;
}

bool driver_take_used(struct driver_queue *queue, struct driver_used *ret_used)
{
	gpa_t element = queue->used + 4 + 8u * (queue->used_seen % queue->size);

	if (get16(queue, queue->used + 2) == queue->used_seen)
		return false;
	must(guest_read(queue->memory, element, &ret_used->id, 4) == 0);
	must(guest_read(queue->memory, element + 4, &ret_used->len, 4) == 0);
	queue->used_seen++;
	return true;
}

void driver_set_used_event(const struct driver_queue *queue, uint16_t value)
{
	put16(queue, queue->avail + 4 + 2u * queue->size, value);
}

uint16_t driver_avail_event(const struct driver_queue *queue)
{
	return get16(queue, queue->used + 4 + 8u * queue->size);
}

void driver_set_avail_flags(const struct driver_queue *queue, uint16_t value)
{
	put16(queue, queue->avail, value);
}

uint16_t driver_used_flags(const struct driver_queue *queue)
{
	return get16(queue, queue->used);
}

void driver_open(struct driver *driver, const struct virtio_ops *ops,
		 void *device)
{
	*driver = (struct driver){.irq_fd = event_notifier_create()};
	driver_memory_create(&driver->memory);
	must(driver->irq_fd >= 0);
	must(event_loop_create(&driver->loop) == 0);
	const struct virtio_mmio_setup setup = {
		.ops = ops,
		.device = device,
		.memory = &driver->memory,
		.irq = {.event_fd = driver->irq_fd},
		.loop = driver->loop,
	};
	must(virtio_mmio_create(&setup, &driver->mmio, NULL) == 0);
}

void driver_close(struct driver *driver)
{
	virtio_mmio_destroy(driver->mmio);
	event_loop_destroy(driver->loop);
	guest_memory_destroy(&driver->memory);
	fd_close(&driver->irq_fd);
}

uint32_t driver_reg(const struct driver *driver, unsigned reg)
{
	uint32_t value = 0;

	virtio_mmio_bus_ops.read(driver->mmio, reg, &value, sizeof(value));
	return value;
}

void driver_reg_set(const struct driver *driver, unsigned reg, uint32_t value)
{
	virtio_mmio_bus_ops.write(driver->mmio, reg, &value, sizeof(value));
}

void driver_config(const struct driver *driver, unsigned offset, void *data,
		   size_t len)
{
	virtio_mmio_bus_ops.read(driver->mmio, REG_CONFIG + offset, data, len);
}

uint64_t driver_features(const struct driver *driver)
{
	uint64_t low;

	driver_reg_set(driver, REG_DEVICE_FEATURES_SEL, 0);
	low = driver_reg(driver, REG_DEVICE_FEATURES);
	driver_reg_set(driver, REG_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)driver_reg(driver, REG_DEVICE_FEATURES) << 32;
}

bool driver_negotiate(struct driver *driver, uint64_t features)
{
	uint32_t status = DRIVER_ACKNOWLEDGE | DRIVER_DRIVER;

	driver_reg_set(driver, REG_STATUS, 0);
	driver_reg_set(driver, REG_STATUS, DRIVER_ACKNOWLEDGE);
	driver_reg_set(driver, REG_STATUS, status);
	driver_reg_set(driver, REG_DRIVER_FEATURES_SEL, 0);
	driver_reg_set(driver, REG_DRIVER_FEATURES, (uint32_t)features);
	driver_reg_set(driver, REG_DRIVER_FEATURES_SEL, 1);
	driver_reg_set(driver, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	driver_reg_set(driver, REG_STATUS, status | DRIVER_FEATURES_OK);
	return driver_reg(driver, REG_STATUS) & DRIVER_FEATURES_OK;
}

static void set_address(const struct driver *driver, unsigned reg, gpa_t gpa)
{
	driver_reg_set(driver, reg, (uint32_t)gpa);
	driver_reg_set(driver, reg + 4, (uint32_t)(gpa >> 32));
}

void driver_queue_set_up(struct driver *driver, unsigned index, uint16_t size)
{
	struct driver_queue *queue = &driver->queues[index];

	driver_queue_init(queue, &driver->memory, DRIVER_RING(index), size);
	driver_reg_set(driver, REG_QUEUE_SEL, index);
	driver_reg_set(driver, REG_QUEUE_NUM, size);
	set_address(driver, REG_QUEUE_DESC, queue->desc);
	set_address(driver, REG_QUEUE_DRIVER, queue->avail);
	set_address(driver, REG_QUEUE_DEVICE, queue->used);
	driver_reg_set(driver, REG_QUEUE_READY, 1);
}

bool driver_start(struct driver *driver, uint64_t features, uint16_t size)
{
	uint32_t status;

	if (!driver_negotiate(driver, features))
		return false;
	for (unsigned i = 0; i < virtio_mmio_queue_count(driver->mmio); i++)
		driver_queue_set_up(driver, i, size);
	status = driver_reg(driver, REG_STATUS);
	driver_reg_set(driver, REG_STATUS, status | DRIVER_OK);
	return driver_reg(driver, REG_STATUS) == (status | DRIVER_OK);
}

void driver_kick(const struct driver *driver, unsigned index)
{
	driver_reg_set(driver, REG_QUEUE_NOTIFY, index);
}

static bool pump_one(const struct driver *driver, unsigned index)
{
	struct notifier *notifier = &driver->mmio->notifiers[index];
	struct pollfd pfd = {.fd = notifier->source.fd, .events = POLLIN};

	if (poll(&pfd, 1, 0) != 1)
		return false;
	notifier->source.ready(notifier->source.owner, EPOLLIN);
	return true;
}

unsigned driver_pump_rounds(const struct driver *driver, unsigned max)
{
	unsigned total = 0;

	for (unsigned round = 0; round < max; round++) {
		unsigned before = total;

		for (unsigned i = 0; i < virtio_mmio_queue_count(driver->mmio);
		     i++)
			total += pump_one(driver, i);
		if (total == before)
			break;
	}
	return total;
}

unsigned driver_pump(const struct driver *driver)
{
	unsigned total = driver_pump_rounds(driver, PUMP_MAX);

	must(driver_pump_rounds(driver, 1) == 0);
	return total;
}

uint64_t driver_irqs(const struct driver *driver)
{
	uint64_t count = 0;

	if (read(driver->irq_fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}
