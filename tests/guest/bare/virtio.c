/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio.h"

/* Each poll is an exit to the VMM and back, so this is many seconds. */
#define POLLS_MAX 3000000u

#define RING_IDX   1
#define RING_FIRST 2

static const char *skip(const char *at, const char *text)
{
	size_t len = strlen(text);

	return memcmp(at, text, len) == 0 ? at + len : NULL;
}

static uint64_t parse(const char **at, unsigned base)
{
	uint64_t value = 0;

	for (;; ++*at) {
		unsigned c = (unsigned char)**at;
		unsigned digit = c >= '0' && c <= '9'   ? c - '0'
				 : c >= 'a' && c <= 'f' ? c - 'a' + 10
							: 99;

		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

/* "virtio_mmio.device=4K@0xc0001000:5" (Linux kernel-parameters.txt) */
static bool next_device(const char **at, struct device *ret)
{
	for (; **at != '\0'; ++*at) {
		const char *p = skip(*at, "virtio_mmio.device=4K@0x");

		if (p == NULL)
			continue;
		ret->base = parse(&p, 16);
		p++;
		ret->irq = (unsigned)parse(&p, 10);
		ret->id = read32(ret->base + REG_DEVICE_ID);
		ret->features = 0;
		*at = p;
		return true;
	}
	return false;
}

static bool find(unsigned id, unsigned n, struct device *ret)
{
	const char *at = cmdline();

	while (next_device(&at, ret)) {
		if (ret->id == id && n-- == 0)
			return true;
	}
	return false;
}

bool device_exists(unsigned id, unsigned n)
{
	struct device device;

	return find(id, n, &device);
}

struct device device_find(unsigned id, unsigned n)
{
	struct device device = {0};

	if (!find(id, n, &device)) {
		fail("device", "none with id %u", (uint64_t)id);
		done();
	}
	return device;
}

uint64_t device_features(const struct device *device)
{
	uint64_t features;

	reg_set(device, REG_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)reg(device, REG_DEVICE_FEATURES) << 32;
	reg_set(device, REG_DEVICE_FEATURES_SEL, 0);
	return features | reg(device, REG_DEVICE_FEATURES);
}

void device_reset(const struct device *device)
{
	reg_set(device, REG_STATUS, 0);
}

bool device_negotiate(struct device *device, uint64_t features)
{
	device_reset(device);
	reg_set(device, REG_STATUS, STATUS_ACKNOWLEDGE);
	reg_set(device, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	device->features = device_features(device) & (features | F_VERSION_1);
	reg_set(device, REG_DRIVER_FEATURES_SEL, 0);
	reg_set(device, REG_DRIVER_FEATURES, (uint32_t)device->features);
	reg_set(device, REG_DRIVER_FEATURES_SEL, 1);
	reg_set(device, REG_DRIVER_FEATURES,
		(uint32_t)(device->features >> 32));
	reg_set(device, REG_STATUS,
		STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return (reg(device, REG_STATUS) & STATUS_FEATURES_OK) != 0;
}

void device_run(const struct device *device)
{
	reg_set(device, REG_STATUS, STATUS_RUNNING);
}

static void set_address(const struct device *device, unsigned offset,
			uint64_t address)
{
	reg_set(device, offset, (uint32_t)address);
	reg_set(device, offset + 4, (uint32_t)(address >> 32));
}

void queue_tell(const struct device *device, unsigned index, unsigned size,
		uint64_t desc, uint64_t avail, uint64_t used)
{
	reg_set(device, REG_QUEUE_SEL, index);
	reg_set(device, REG_QUEUE_NUM, size);
	set_address(device, REG_QUEUE_DESC, desc);
	set_address(device, REG_QUEUE_DRIVER, avail);
	set_address(device, REG_QUEUE_DEVICE, used);
	reg_set(device, REG_QUEUE_READY, 1);
}

void queue_setup(struct queue *queue, const struct device *device,
		 unsigned index, unsigned size, struct queue_memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	*queue = (struct queue){.device = device,
				.index = index,
				.size = size,
				.desc = memory->desc,
				.avail = memory->avail,
				.used = memory->used};
	queue_tell(device, index, size, (uint64_t)memory->desc,
		   (uint64_t)memory->avail, (uint64_t)memory->used);
}

static void fill(volatile struct desc *desc, unsigned first,
		 const struct part *parts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		volatile struct desc *d = &desc[first + i];

		d->address = (uint64_t)parts[i].at;
		d->len = parts[i].len;
		d->flags = (uint16_t)((parts[i].writable ? DESC_WRITE : 0) |
				      (i + 1 < count ? DESC_NEXT : 0));
		d->next = (uint16_t)(first + i + 1);
	}
}

void queue_chain(const struct queue *queue, unsigned first,
		 const struct part *parts, unsigned count)
{
	fill(queue->desc, first, parts, count);
}

void queue_chain_indirect(const struct queue *queue, unsigned first,
			  struct desc *table, const struct part *parts,
			  unsigned count)
{
	volatile struct desc *d = &queue->desc[first];

	fill(table, 0, parts, count);
	d->address = (uint64_t)table;
	d->len = count * (uint32_t)sizeof(*table);
	d->flags = DESC_INDIRECT;
	d->next = 0;
}

void queue_give(struct queue *queue, uint16_t head)
{
	queue->avail[RING_FIRST + queue->avail_idx % queue->size] = head;
	fence();
	queue->avail[RING_IDX] = ++queue->avail_idx;
	fence();
}

void queue_kick(const struct queue *queue)
{
	reg_set(queue->device, REG_QUEUE_NOTIFY, queue->index);
}

bool queue_wait(struct queue *queue, unsigned count)
{
	for (unsigned i = 0; i < POLLS_MAX; i++) {
		if ((uint16_t)(queue->used[RING_IDX] - queue->used_idx) >=
		    count) {
			queue->used_idx = (uint16_t)(queue->used_idx + count);
			return true;
		}
		(void)reg(queue->device, REG_INTERRUPT_STATUS);
	}
	return false;
}

static const volatile uint16_t *used_element(const struct queue *queue,
					     unsigned ago)
{
	unsigned at = (uint16_t)(queue->used_idx - ago) % queue->size;

	return &queue->used[RING_FIRST + 4 * at];
}

uint32_t queue_used_id(const struct queue *queue, unsigned ago)
{
	const volatile uint16_t *e = used_element(queue, ago);

	return e[0] | (uint32_t)e[1] << 16;
}

uint32_t queue_used_len(const struct queue *queue, unsigned ago)
{
	const volatile uint16_t *e = used_element(queue, ago);

	return e[2] | (uint32_t)e[3] << 16;
}

bool device_wait_status(const struct device *device, uint32_t bits)
{
	for (unsigned i = 0; i < POLLS_MAX; i++) {
		if ((reg(device, REG_STATUS) & bits) == bits)
			return true;
	}
	return false;
}
