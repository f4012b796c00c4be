/* SPDX-License-Identifier: Apache-2.0 */
/* The register page of virtio-mmio (virtio 1.2 §4.2) of a block device: what
 * each register gives and takes, the state machine, and all that is refused. */
#include "cpu.h"
#include "virtio.h"

#define CAPACITY_BYTES 8
#define F_UNKNOWN      (UINT64_C(1) << 50)

static struct device block;
static struct queue_memory memory;

static uint32_t status(void)
{
	return reg(&block, REG_STATUS);
}

static void check_identity(void)
{
	check_eq("magic", reg(&block, REG_MAGIC), 0x74726976);
	check_eq("version", reg(&block, REG_VERSION), 2);
	check_eq("device-id", reg(&block, REG_DEVICE_ID), ID_BLOCK);
	check_eq("vendor", reg(&block, REG_VENDOR_ID), 0);
	write32(block.base + REG_MAGIC, 0x12345678);
	check_eq("magic-constant", reg(&block, REG_MAGIC), 0x74726976);
	check("version-1", device_features(&block) & F_VERSION_1);
	check_eq("no-packed", device_features(&block) >> 34 & 1, 0);
	reg_set(&block, REG_DEVICE_FEATURES_SEL, 2);
	check_eq("features-far", reg(&block, REG_DEVICE_FEATURES), 0);
	reg_set(&block, REG_DEVICE_FEATURES_SEL, 0xffffffff);
	check_eq("features-wild", reg(&block, REG_DEVICE_FEATURES), 0);
	check_eq("generation", reg(&block, REG_CONFIG_GENERATION), 0);
	/* §4.2.2: no shared memory region, length -1. */
	check_eq("no-shm", reg(&block, 0xb0), 0xffffffff);
}

/* Reads of what may only be written, and of nothing at all. */
static void check_write_only(void)
{
	static const uint16_t offsets[] = {
		0x14, 0x20, 0x24, 0x30, 0x38, 0x50, 0x64, 0x80, 0x84, 0x90,
		0x94, 0xa0, 0xa4, 0x18, 0x1c, 0x28, 0x3c, 0x4c, 0x54, 0x5c,
		0x68, 0x74, 0x88, 0x98, 0xa8, 0xc4, 0xd0, 0xf8};
	bool holds = true;

	device_reset(&block);
	for (unsigned i = 0; i < ARRAY_LEN(offsets); i++)
		holds = holds && reg(&block, offsets[i]) == 0;
	check("write-only", holds);
}

/* Any width but 32 bits and any odd address gives zero and changes nothing. */
static void check_widths(void)
{
	check_eq("read-8", read8(block.base), 0);
	check_eq("read-16", read16(block.base), 0);
	check_eq("read-odd", read32(block.base + 2) & 0xffff, 0);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE);
	write8(block.base + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	write16(block.base + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	check_eq("write-narrow", status(), STATUS_ACKNOWLEDGE);
	write8(block.base + REG_STATUS, 0);
	check_eq("reset-narrow", status(), STATUS_ACKNOWLEDGE);
	device_reset(&block);
}

static void check_status_machine(void)
{
	device_reset(&block);
	check_eq("reset", status(), 0);
	reg_set(&block, REG_STATUS, STATUS_DRIVER);
	check_eq("driver-first", status(), 0);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE);
	check_eq("acknowledge", status(), STATUS_ACKNOWLEDGE);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	check_eq("driver", status(), STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE);
	check_eq("no-way-back", status(), STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	/* §6.1: a driver without VERSION_1 is refused. */
	reg_set(&block, REG_STATUS,
		STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	check_eq("legacy-refused", status() & STATUS_FEATURES_OK, 0);
	check("features-ok", device_negotiate(&block, 0));
	reg_set(&block, REG_STATUS, status() | STATUS_FAILED);
	check("failed", status() & STATUS_FAILED);
	reg_set(&block, REG_STATUS, STATUS_RUNNING);
	check_eq("failed-stays", status() & STATUS_DRIVER_OK, 0);
	device_reset(&block);
	check_eq("failed-reset", status(), 0);
}

static bool offer(uint64_t low, uint64_t high, uint32_t sel)
{
	device_reset(&block);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	reg_set(&block, REG_DRIVER_FEATURES_SEL, 0);
	reg_set(&block, REG_DRIVER_FEATURES, (uint32_t)low);
	reg_set(&block, REG_DRIVER_FEATURES_SEL, 1);
	reg_set(&block, REG_DRIVER_FEATURES, (uint32_t)high);
	reg_set(&block, REG_DRIVER_FEATURES_SEL, sel);
	if (sel > 1)
		reg_set(&block, REG_DRIVER_FEATURES, 1);
	reg_set(&block, REG_STATUS,
		STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return (status() & STATUS_FEATURES_OK) != 0;
}

static void check_features(void)
{
	uint64_t offered = device_features(&block);

	check("features-all", offer(offered, offered >> 32, 0));
	check("features-least", offer(0, F_VERSION_1 >> 32, 0));
	check("features-unknown",
	      !offer(0, (F_VERSION_1 | F_UNKNOWN) >> 32, 0));
	check("features-not-offered", !offer(1u << 31, F_VERSION_1 >> 32, 0));
	check("features-beyond-64", !offer(0, F_VERSION_1 >> 32, 2));
	/* After FEATURES_OK they are fixed. */
	(void)device_negotiate(&block, 0);
	reg_set(&block, REG_DRIVER_FEATURES_SEL, 0);
	reg_set(&block, REG_DRIVER_FEATURES, 0xffffffff);
	device_run(&block);
	check_eq("features-fixed", status(), STATUS_RUNNING);
}

static uint32_t ready(void)
{
	return reg(&block, REG_QUEUE_READY);
}

static void check_queue_registers(void)
{
	struct queue queue;

	(void)device_negotiate(&block, 0);
	reg_set(&block, REG_QUEUE_SEL, 0);
	check_eq("queue-num-max", reg(&block, REG_QUEUE_NUM_MAX), QUEUE_MAX);
	check_eq("queue-not-ready", ready(), 0);
	reg_set(&block, REG_QUEUE_SEL, 1);
	check_eq("queue-absent", reg(&block, REG_QUEUE_NUM_MAX), 0);
	reg_set(&block, REG_QUEUE_READY, 1);
	check_eq("queue-absent-ready", ready(), 0);
	reg_set(&block, REG_QUEUE_SEL, 0xffffffff);
	check_eq("queue-wild", reg(&block, REG_QUEUE_NUM_MAX), 0);
	queue_setup(&queue, &block, 0, 16, &memory);
	check_eq("queue-ready", ready(), 1);
	reg_set(&block, REG_QUEUE_READY, 0);
	check_eq("queue-unready", ready(), 0);
	queue_setup(&queue, &block, 0, 8, &memory);
	device_run(&block);
	check_eq("running", status(), STATUS_RUNNING);
	device_reset(&block);
	reg_set(&block, REG_QUEUE_SEL, 0);
	check_eq("reset-unready", ready(), 0);
	check_eq("reset-interrupt", reg(&block, REG_INTERRUPT_STATUS), 0);
	/* Before FEATURES_OK no queue can be set up. */
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE);
	reg_set(&block, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	queue_setup(&queue, &block, 0, 16, &memory);
	check_eq("queue-too-early", ready(), 0);
	device_reset(&block);
}

static void check_config(void)
{
	uint64_t at = block.base + REG_CONFIG;
	uint64_t sectors = cmdline_number("sectors=", 0);

	check_eq("config-64", read64(at), sectors);
	check_eq("config-32", read32(at), sectors & 0xffffffff);
	check_eq("config-8", read8(at), sectors & 0xff);
	check_eq("config-16-odd", read16(at + 1), sectors >> 8 & 0xffff);
	check_eq("config-past", read32(at + 0x800), 0);
	check_eq("config-page-end", read32(at + 0xefc), 0);
	write64(at, 0);
	check_eq("config-constant", read64(at), sectors);
}

/* Kicks for a device that does not run, and for queues that do not exist. */
static void check_kicks(void)
{
	struct queue queue;

	device_reset(&block);
	reg_set(&block, REG_QUEUE_NOTIFY, 0);
	reg_set(&block, REG_QUEUE_NOTIFY, 7);
	reg_set(&block, REG_QUEUE_NOTIFY, 0xffffffff);
	check_eq("kick-reset", status(), 0);
	(void)device_negotiate(&block, 0);
	queue_setup(&queue, &block, 0, 16, &memory);
	device_run(&block);
	for (unsigned i = 0; i < 1000; i++)
		reg_set(&block, REG_QUEUE_NOTIFY, i);
	check_eq("kick-nothing", status(), STATUS_RUNNING);
	reg_set(&block, REG_INTERRUPT_ACK, 0xffffffff);
	check_eq("ack-nothing", reg(&block, REG_INTERRUPT_STATUS), 0);
	device_reset(&block);
}

void bare_main(void)
{
	interrupts_init();
	block = device_find(ID_BLOCK, 0);
	check_identity();
	check_write_only();
	check_widths();
	check_status_machine();
	check_features();
	check_queue_registers();
	check_config();
	check_kicks();
}
