/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables_board - the board that tests of the tables describe.
 */
#ifndef KILN_TESTS_UNIT_TABLES_BOARD_H
#define KILN_TESTS_UNIT_TABLES_BOARD_H

#include "guest_ram.h"

#include "tables/board.h"

#define TEST_VIRTIO_MAX 32

static inline struct tables_board
board_of(unsigned vcpus, struct tables_virtio virtio[TEST_VIRTIO_MAX],
	 unsigned virtio_count)
{
	for (unsigned i = 0; i < virtio_count && i < TEST_VIRTIO_MAX; i++)
		virtio[i] =
			(struct tables_virtio){.base = 0xc0001000u + i * 0x1000,
					       .size_bytes = 0x1000,
					       .gsi = 5 + i};
	return (struct tables_board){
		.vcpus = vcpus,
		.lapic_base = 0xfee00000,
		.ioapic_base = 0xfec00000,
		.gsi_count = 24,
		.virtio = virtio,
		.virtio_count = virtio_count,
		.has_serial = true,
		.serial_port = 0x3f8,
		.serial_gsi = 4,
		.keyboard_gsi = 1,
		.sleep_control_port = 0x600,
		.sleep_status_port = 0x601,
		.mptable = {.base = 0x9fc00, .size_bytes = 0x400},
		.acpi = {.base = 0xa0000, .size_bytes = 0x40000},
		.rsdp = 0xe0000,
	};
}

static inline unsigned sum_of(const uint8_t *data, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += data[i];
	return sum & 0xff;
}

#endif
