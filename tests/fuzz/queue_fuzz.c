/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that does anything: the input is a list of steps that write
 * registers, configuration space and guest memory (rings and descriptors among
 * it) of a disk behind virtio-mmio, and let the device work in between. What
 * must hold is checked by the sanitizers, by the disk below (it aborts on a
 * request outside itself) and by the bound on the work.
 *
 *	step: kind, then a16 b32 (register) | a16 len8 bytes (memory) |
 *	      i8 a64 l32 f16 n16 (descriptor) | h16 (offer) | nothing
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/le.h"
#include "tests/unit/virtio_driver.h"
#include "virtio/block.h"

#define DISK_BYTES (64 * 512)
#define ROUNDS_MAX 64

struct input {
	const uint8_t *at;
	size_t left;
};

static uint64_t take(struct input *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && in->left > 0; i++) {
		value |= (uint64_t)*in->at++ << (8 * i);
		in->left--;
	}
	return value;
}

static uint8_t disk_bytes[DISK_BYTES];

static int disk_do(struct disk *disk, const struct disk_request *request)
{
	size_t len = 0;

	if (!range_ok(request->offset, request->len, DISK_BYTES) ||
	    request->iov_count > DISK_IOV_MAX)
		abort();
	for (unsigned i = 0; i < request->iov_count; i++)
		len += request->iov[i].iov_len;
	if (len != request->len)
		abort();
	for (unsigned i = 0, at = 0; i < request->iov_count; i++) {
		const struct iovec *iov = &request->iov[i];
		uint8_t *bytes = disk_bytes + request->offset + at;

		if (request->op == DISK_READ)
			memcpy(iov->iov_base, bytes, iov->iov_len);
		else if (!disk->read_only)
			memcpy(bytes, iov->iov_base, iov->iov_len);
		at += (unsigned)iov->iov_len;
	}
	return 0;
}

static void disk_gone(struct disk *disk)
{
	(void)disk;
}

static const struct disk_ops disk_ops = {.submit = disk_do,
					 .destroy = disk_gone};

static void do_register(struct driver *driver, struct input *in)
{
	unsigned reg = (unsigned)take(in, 2) & 0xffc;

	driver_reg_set(driver, reg, (uint32_t)take(in, 4));
	(void)driver_reg(driver, reg);
}

static void do_narrow(struct driver *driver, struct input *in)
{
	static const size_t widths[] = {1, 2, 8};
	size_t width = widths[take(in, 1) % 3];
	uint64_t offset = take(in, 2) & 0xff7;
	uint64_t value = take(in, 8);

	virtio_mmio_bus_ops.write(driver->mmio, offset, &value, width);
	virtio_mmio_bus_ops.read(driver->mmio, offset, &value, width);
}

static void do_memory(struct driver *driver, struct input *in)
{
	gpa_t gpa = DRIVER_RING(0) + take(in, 2);
	size_t len = take(in, 1);

	if (len > in->left)
		len = in->left;
	(void)guest_write(&driver->memory, gpa, in->at, len);
	in->at += len;
	in->left -= len;
}

static void do_descriptor(struct driver *driver, struct input *in)
{
	gpa_t table = take(in, 1) & 1 ? DRIVER_DATA : DRIVER_RING(0);
	unsigned index = (unsigned)take(in, 1);
	struct driver_part part = {.addr = take(in, 8),
				   .len = (uint32_t)take(in, 4)};
	uint16_t flags = (uint16_t)take(in, 2);

	driver_desc(&driver->memory, table, index, &part, flags,
		    (uint16_t)take(in, 2));
}

static void do_offer(struct driver *driver, struct input *in)
{
	if (driver->queues[0].size == 0)
		return;
	driver_offer(&driver->queues[0], (uint16_t)take(in, 2));
	driver_kick(driver, 0);
}

static void do_start(struct driver *driver, struct input *in)
{
	uint64_t features = take(in, 8) & driver_features(driver);

	(void)driver_start(driver, features | VIRTIO_F_VERSION_1,
			   (uint16_t)(1u << take(in, 1) % 9));
}

static void do_work(struct driver *driver, struct input *in)
{
	(void)in;
	driver_kick(driver, 0);
	(void)driver_pump_rounds(driver, ROUNDS_MAX);
}

/* A whole request with one field bent, so that the disk is reached often. */
static void do_request(struct driver *driver, struct input *in)
{
	uint8_t header[16] = {0};
	struct driver_part parts[3] = {{DRIVER_DATA, 16, false},
				       {DRIVER_DATA + 0x1000, 0, false},
				       {DRIVER_DATA + 0x100, 1, true}};

	if (driver->queues[0].size < 4)
		return;
	header[0] = (uint8_t)take(in, 1);
	le64_store(header + 8, take(in, 1));
	parts[1].len = (uint32_t)take(in, 2);
	parts[1].write = header[0] != 1;
	parts[take(in, 1) % 3].addr += (take(in, 1) & 3) << 18;
	(void)guest_write(&driver->memory, DRIVER_DATA, header, 16);
	(void)driver_add(&driver->queues[0], parts, 3);
}

static void (*const steps[])(struct driver *, struct input *) = {
	do_register, do_narrow, do_memory, do_descriptor,
	do_offer,    do_start,  do_work,   do_request,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = {data, len};
	struct disk disk = {.ops = &disk_ops, .size_bytes = DISK_BYTES};
	struct block_setup setup = {.disk = &disk, .writeback = true};
	struct block *block = NULL;
	struct driver driver;

	disk.read_only = take(&in, 1) & 1;
	if (block_create(&setup, &block, NULL) < 0)
		return 0;
	driver_open(&driver, &block_ops, block);
	while (in.left > 0)
		steps[take(&in, 1) % ARRAY_LEN(steps)](&driver, &in);
	do_work(&driver, &in);
	driver_reg_set(&driver, REG_STATUS, 0);
	if (driver_reg(&driver, REG_STATUS) != 0)
		abort();
	driver_close(&driver);
	return 0;
}
