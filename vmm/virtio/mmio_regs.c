/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register page is a table: one row per register, with what a read gives
 * and what a write does. A register that is not in the table, the wrong
 * direction, another width than 32 bits or an unaligned access reads as zero
 * and writes to nowhere (§4.2.2.2 forbids the driver all of them).
 *
 *	status:  0 -> ACKNOWLEDGE -> DRIVER -> FEATURES_OK -> DRIVER_OK
 *	                               |            |            |
 *	         writable:      DriverFeatures  Queue*      (notify only)
 *
 * Only a reset leads back. FAILED and DEVICE_NEEDS_RESET freeze everything
 * but the reset.
 */
#include "virtio/mmio.h"

#include <string.h>

#include "base/array.h"
#include "base/le.h"
#include "virtio/mmio_private.h"

#define MAGIC_VIRT 0x74726976u /* §4.2.2 */
#define VERSION    2u
#define REGS_BYTES 0x100u /* the configuration space follows */

enum {
	REG_INTERRUPT_STATUS = 0x60,
	REG_INTERRUPT_ACK = 0x64,
};

static uint64_t features_offered(const struct virtio_mmio *mmio)
{
	return mmio->ops->features(mmio->device) | VIRTIO_F_VERSION_1;
}

/* Status */

static void device_reset(struct virtio_mmio *mmio)
{
	mmio->ops->device.reset(mmio->device);
	for (unsigned i = 0; i < mmio->ops->queue_count; i++)
		virtio_queue_init(&mmio->queues[i], mmio->ops->queue_size_max);
	mmio->status = 0;
	mmio->device_features_sel = 0;
	mmio->driver_features_sel = 0;
	mmio->queue_sel = 0;
	mmio->driver_features = 0;
	mmio->features_unknown = false;
	__atomic_store_n(&mmio->interrupt_status, 0, __ATOMIC_SEQ_CST);
}

/* §3.1.1 step 5, §6.1: nothing that was not offered, and no legacy driver. */
static bool features_acceptable(const struct virtio_mmio *mmio)
{
	return !mmio->features_unknown &&
	       !(mmio->driver_features & ~features_offered(mmio)) &&
	       (mmio->driver_features & VIRTIO_F_VERSION_1);
}

static void device_start(struct virtio_mmio *mmio)
{
	if (mmio->ops->activate(mmio->device, mmio->queues,
				mmio->driver_features) < 0)
		virtio_host_fault(&mmio->host);
	else
		mmio_notify_all(mmio); /* for what was offered early */
}

struct status_step {
	uint32_t bit;
	bool (*allowed)(const struct virtio_mmio *mmio);
	void (*enter)(struct virtio_mmio *mmio);
};

static const struct status_step status_steps[] = {
	{.bit = STATUS_ACKNOWLEDGE},
	{.bit = STATUS_DRIVER},
	{.bit = STATUS_FEATURES_OK, .allowed = features_acceptable},
	{.bit = STATUS_DRIVER_OK, .enter = device_start},
};

/*
 * Bits are taken in the order of §3.1.1 up to the first that is missing or
 * refused, so a step cannot be skipped; a driver may take several in one
 * write, as firmware does with the first two.
 */
static void status_advance(struct virtio_mmio *mmio, uint32_t value)
{
	for (size_t i = 0; i < ARRAY_LEN(status_steps); i++) {
		const struct status_step *step = &status_steps[i];

		if (mmio->status & step->bit)
			continue;
		if (!(value & step->bit) ||
		    (step->allowed != NULL && !step->allowed(mmio)))
			return;
		mmio->status |= step->bit;
		if (step->enter != NULL)
			step->enter(mmio);
	}
}

static void status_fail(struct virtio_mmio *mmio)
{
	mmio->status |= STATUS_FAILED;
	for (unsigned i = 0; i < mmio->ops->queue_count; i++)
		virtio_queue_stop(&mmio->queues[i]);
}

static void write_status(struct virtio_mmio *mmio, uint32_t value)
{
	uint32_t kept = mmio->status & ~(uint32_t)STATUS_NEEDS_RESET;

	if (value == 0) {
		device_reset(mmio);
		return;
	}
	if ((value & kept) != kept)
		return; /* §2.1.1: the driver must not clear a bit */
	if (value & STATUS_FAILED)
		status_fail(mmio);
	else if (!(mmio->status & STATUS_BROKEN))
		status_advance(mmio, value);
}

static uint32_t read_status(const struct virtio_mmio *mmio)
{
	return mmio->status;
}

bool mmio_status_is_possible(const struct virtio_mmio *mmio)
{
	uint32_t known = STATUS_BROKEN;
	uint32_t prefix = 0;
	bool possible = (mmio->status & ~known) == 0;

	for (size_t i = 0; i < ARRAY_LEN(status_steps); i++) {
		prefix |= status_steps[i].bit;
		possible |= (mmio->status & ~known) == prefix;
	}
	if (mmio->status & STATUS_FEATURES_OK)
		possible &= features_acceptable(mmio);
	return possible && !(mmio->interrupt_status & ~(uint32_t)INTERRUPT_ALL);
}

/* Identity and features */

static uint32_t read_device_id(const struct virtio_mmio *mmio)
{
	return (uint32_t)mmio->ops->device_id;
}

static uint32_t read_device_features(const struct virtio_mmio *mmio)
{
	if (mmio->device_features_sel > 1)
		return 0;
	return (uint32_t)(features_offered(mmio) >>
			  (32 * mmio->device_features_sel));
}

static void write_device_features_sel(struct virtio_mmio *mmio, uint32_t value)
{
	mmio->device_features_sel = value;
}

static void write_driver_features_sel(struct virtio_mmio *mmio, uint32_t value)
{
	mmio->driver_features_sel = value;
}

static void write_driver_features(struct virtio_mmio *mmio, uint32_t value)
{
	unsigned shift = mmio->driver_features_sel == 0 ? 0 : 32;
	uint64_t mask = (uint64_t)UINT32_MAX << shift;

	if (!(mmio->status & STATUS_DRIVER) ||
	    (mmio->status & (STATUS_FEATURES_OK | STATUS_BROKEN)))
		return;
	if (mmio->driver_features_sel > 1)
		mmio->features_unknown |= value != 0;
	else
		mmio->driver_features = (mmio->driver_features & ~mask) |
					((uint64_t)value << shift);
}

static uint32_t read_config_generation(const struct virtio_mmio *mmio)
{
	return mmio->config_generation;
}

/* Queues */

static void write_queue_sel(struct virtio_mmio *mmio, uint32_t value)
{
	mmio->queue_sel = value;
}

static const struct virtio_queue *queue_get(const struct virtio_mmio *mmio)
{
	if (mmio->queue_sel >= mmio->ops->queue_count)
		return NULL;
	return &mmio->queues[mmio->queue_sel];
}

/* The selected queue while it may be set up: §3.1.1 step 7, §4.2.2.2. */
static struct virtio_queue *queue_to_set_up(struct virtio_mmio *mmio)
{
	struct virtio_queue *queue = &mmio->queues[0];

	if (mmio->queue_sel >= mmio->ops->queue_count)
		return NULL;
	queue += mmio->queue_sel;
	if (!(mmio->status & STATUS_FEATURES_OK) ||
	    (mmio->status & (STATUS_DRIVER_OK | STATUS_BROKEN)) || queue->ready)
		return NULL;
	return queue;
}

static uint32_t read_queue_num_max(const struct virtio_mmio *mmio)
{
	const struct virtio_queue *queue = queue_get(mmio);

	return queue != NULL ? queue->size_max : 0;
}

static void write_queue_num(struct virtio_mmio *mmio, uint32_t value)
{
	struct virtio_queue *queue = queue_to_set_up(mmio);

	/* QueueReady refuses a size that is not a power of two, and this. */
	if (queue != NULL)
		queue->size = value <= queue->size_max ? (uint16_t)value : 0;
}

static uint32_t read_queue_ready(const struct virtio_mmio *mmio)
{
	const struct virtio_queue *queue = queue_get(mmio);

	return queue != NULL && queue->ready;
}

/*
 * Rings that cannot be are a broken driver: QueueReady stays 0 and the device
 * wants a reset. Writing 0 is legal at any time (§4.2.2.2) and stops a queue;
 * after DRIVER_OK it cannot come back, as RING_RESET is not offered.
 */
static void write_queue_ready(struct virtio_mmio *mmio, uint32_t value)
{
	struct virtio_queue *queue = queue_to_set_up(mmio);

	if (value == 0 && mmio->queue_sel < mmio->ops->queue_count)
		mmio->queues[mmio->queue_sel].ready = false;
	if (value != 1 || queue == NULL)
		return;
	if (virtio_queue_start(queue, mmio->memory, mmio->driver_features) < 0)
		virtio_host_fault(&mmio->host);
}

/* For a trap instead of the ioeventfd (a bus without KVM, a split access). */
static void write_queue_notify(struct virtio_mmio *mmio, uint32_t value)
{
	if (mmio_is_running(mmio))
		virtio_host_again(&mmio->host, value);
}

static void set_low(gpa_t *address, uint32_t value)
{
	*address = (*address & ~(gpa_t)UINT32_MAX) | value;
}

static void set_high(gpa_t *address, uint32_t value)
{
	*address = (*address & UINT32_MAX) | (gpa_t)value << 32;
}

#define QUEUE_ADDRESS_WRITER(name, field, set)                                 \
	static void name(struct virtio_mmio *mmio, uint32_t value)             \
	{                                                                      \
		struct virtio_queue *queue = queue_to_set_up(mmio);            \
                                                                               \
		if (queue != NULL)                                             \
			set(&queue->field, value);                             \
	}

QUEUE_ADDRESS_WRITER(write_queue_desc_low, desc_gpa, set_low)
QUEUE_ADDRESS_WRITER(write_queue_desc_high, desc_gpa, set_high)
QUEUE_ADDRESS_WRITER(write_queue_driver_low, avail_gpa, set_low)
QUEUE_ADDRESS_WRITER(write_queue_driver_high, avail_gpa, set_high)
QUEUE_ADDRESS_WRITER(write_queue_device_low, used_gpa, set_low)
QUEUE_ADDRESS_WRITER(write_queue_device_high, used_gpa, set_high)

/* The register page */

struct reg {
	uint32_t value; /* where read is NULL */
	uint32_t (*read)(const struct virtio_mmio *mmio);
	void (*write)(struct virtio_mmio *mmio, uint32_t value);
};

/* §4.2.2, table "MMIO Device Register Layout" */
static const struct reg regs[REGS_BYTES / 4] = {
	[0x000 / 4] = {.value = MAGIC_VIRT},
	[0x004 / 4] = {.value = VERSION},
	[0x008 / 4] = {.read = read_device_id},
	[0x00c / 4] = {.value = 0}, /* VendorID */
	[0x010 / 4] = {.read = read_device_features},
	[0x014 / 4] = {.write = write_device_features_sel},
	[0x020 / 4] = {.write = write_driver_features},
	[0x024 / 4] = {.write = write_driver_features_sel},
	[0x030 / 4] = {.write = write_queue_sel},
	[0x034 / 4] = {.read = read_queue_num_max},
	[0x038 / 4] = {.write = write_queue_num},
	[0x044 / 4] = {.read = read_queue_ready, .write = write_queue_ready},
	[VIRTIO_MMIO_QUEUE_NOTIFY / 4] = {.write = write_queue_notify},
	/* 0x060, 0x064: without the lock, in mmio_read and mmio_write */
	[0x070 / 4] = {.read = read_status, .write = write_status},
	[0x080 / 4] = {.write = write_queue_desc_low},
	[0x084 / 4] = {.write = write_queue_desc_high},
	[0x090 / 4] = {.write = write_queue_driver_low},
	[0x094 / 4] = {.write = write_queue_driver_high},
	[0x0a0 / 4] = {.write = write_queue_device_low},
	[0x0a4 / 4] = {.write = write_queue_device_high},
	/* No shared memory regions: length and base are all ones. */
	[0x0b0 / 4] = {.value = UINT32_MAX},
	[0x0b4 / 4] = {.value = UINT32_MAX},
	[0x0b8 / 4] = {.value = UINT32_MAX},
	[0x0bc / 4] = {.value = UINT32_MAX},
	[0x0fc / 4] = {.read = read_config_generation},
};

static bool is_register(uint64_t offset, size_t len)
{
	return offset < REGS_BYTES && offset % 4 == 0 && len == 4;
}

static void config_read(const struct virtio_mmio *mmio, uint64_t offset,
			void *data, size_t len)
{
	uint32_t size = mmio->ops->config_size_bytes;

	if (offset >= size)
		return;
	if (len > size - offset)
		len = size - offset;
	mmio->ops->config_read(mmio->device, offset, data, len);
}

static void config_write(struct virtio_mmio *mmio, uint64_t offset,
			 const void *data, size_t len)
{
	if (mmio->ops->config_write != NULL && (mmio->status & STATUS_DRIVER) &&
	    !(mmio->status & STATUS_BROKEN) &&
	    range_ok(offset, len, mmio->ops->config_size_bytes))
		mmio->ops->config_write(mmio->device, offset, data, len);
}

static void mmio_read(void *device, uint64_t offset, void *data, size_t len)
{
	struct virtio_mmio *mmio = device;

	memset(data, 0, len);
	if (offset < REGS_BYTES && !is_register(offset, len))
		return;
	if (offset == REG_INTERRUPT_STATUS) {
		le32_store(data, __atomic_load_n(&mmio->interrupt_status,
						 __ATOMIC_SEQ_CST));
		return;
	}
	virtio_host_lock(&mmio->host);
	if (offset >= REGS_BYTES) {
		config_read(mmio, offset - REGS_BYTES, data, len);
	} else {
		const struct reg *reg = &regs[offset / 4];

		le32_store(data,
			   reg->read != NULL ? reg->read(mmio) : reg->value);
	}
	virtio_host_unlock(&mmio->host);
}

static void mmio_write(void *device, uint64_t offset, const void *data,
		       size_t len)
{
	struct virtio_mmio *mmio = device;

	if (offset < REGS_BYTES && !is_register(offset, len))
		return;
	if (offset == REG_INTERRUPT_ACK) {
		__atomic_fetch_and(&mmio->interrupt_status, ~le32_load(data),
				   __ATOMIC_SEQ_CST);
		return;
	}
	virtio_host_lock(&mmio->host);
	if (offset >= REGS_BYTES)
		config_write(mmio, offset - REGS_BYTES, data, len);
	else if (regs[offset / 4].write != NULL)
		regs[offset / 4].write(mmio, le32_load(data));
	virtio_host_unlock(&mmio->host);
}

const struct bus_ops virtio_mmio_bus_ops = {
	.read = mmio_read,
	.write = mmio_write,
};
