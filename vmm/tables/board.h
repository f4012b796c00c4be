/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board - what the tables say about the machine. The addresses are the
 * board's; the tables know formats only.
 */
#ifndef KILN_TABLES_BOARD_H
#define KILN_TABLES_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"

#define TABLES_VCPUS_MAX  32
#define TABLES_VIRTIO_MAX 32

struct tables_virtio {
	uint32_t base; /* registers, guest physical; below 4 GiB */
	uint32_t size_bytes;
	uint32_t gsi; /* edge, active high */
};

/* A stretch of guest RAM that tables may fill. */
struct tables_area {
	gpa_t base;
	uint64_t size_bytes;
};

struct tables_board {
	unsigned vcpus; /* 1 to TABLES_VCPUS_MAX; APIC id = index */
	uint32_t lapic_base;
	uint32_t ioapic_base; /* GSI 0 is its first pin */
	unsigned gsi_count;   /* pins of the IOAPIC */

	const struct tables_virtio *virtio; /* borrowed for the call */
	unsigned virtio_count;

	bool has_serial;
	uint16_t serial_port;
	uint8_t serial_gsi;
	uint8_t keyboard_gsi; /* ports 0x60 and 0x64, as on every PC */

	uint16_t sleep_control_port; /* 8-bit; see ACPI_SLEEP_OFF */
	uint16_t sleep_status_port;  /* 8-bit; reads 0, writes are ignored */

	struct tables_area mptable; /* MPTABLE_BYTES_MAX suffice */
	struct tables_area acpi;    /* all but the RSDP */
	gpa_t rsdp;                 /* 16-byte boundary in 0xe0000..0xfffff */
};

#endif
