/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	area.base  floating pointer, 16 bytes
 *	     + 16  header, 44 bytes
 *		   one processor entry per vCPU, 20 bytes each
 *		   ISA bus, IOAPIC, one interrupt entry per pin, 8 bytes each
 *		   two local interrupts: LINT0 ExtINT, LINT1 NMI
 */
#include "tables/mptable.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/le.h"
#include "tables/bytes.h"

#define POINTER_BYTES  16
#define HEADER_BYTES   44
#define CPU_BYTES      20
#define ENTRY_BYTES    8 /* of every other kind */
#define LINT_COUNT     2
#define GSI_MAX        24
#define SPEC_VERSION   4 /* 1.4 */
#define APIC_VERSION   0x14
#define IOAPIC_VERSION 0x11
#define ISA_BUS_ID     0
#define ALL_APICS      0xff

/* MP 1.4 §4.3.1: stepping/model/family, then CPUID bits; kernels ask CPUID. */
#define CPU_SIGNATURE 0x600
#define CPU_FEATURES  0x201 /* FPU, APIC */

enum entry_type {
	ENTRY_CPU = 0,
	ENTRY_BUS = 1,
	ENTRY_IOAPIC = 2,
	ENTRY_INTERRUPT = 3,
	ENTRY_LINT = 4,
};

enum interrupt_type {
	INTERRUPT_INT = 0,
	INTERRUPT_NMI = 1,
	INTERRUPT_EXTINT = 3,
};

_Static_assert(POINTER_BYTES + HEADER_BYTES + TABLES_VCPUS_MAX * CPU_BYTES +
			       (2 + GSI_MAX + LINT_COUNT) * ENTRY_BYTES <=
		       MPTABLE_BYTES_MAX,
	       "the largest board fits");

struct table {
	uint8_t bytes[MPTABLE_BYTES_MAX];
	size_t len;
	unsigned entry_count;
};

static uint8_t *add(struct table *table, enum entry_type type, size_t len)
{
	uint8_t *entry = table->bytes + table->len;

	entry[0] = (uint8_t)type;
	table->len += len;
	table->entry_count++;
	return entry;
}

static void add_cpu(struct table *table, unsigned index)
{
	uint8_t *entry = add(table, ENTRY_CPU, CPU_BYTES);

	entry[1] = (uint8_t)index;
	entry[2] = APIC_VERSION;
	entry[3] = index == 0 ? 3 : 1; /* bootstrap, enabled */
	le32_store(entry + 4, CPU_SIGNATURE);
	le32_store(entry + 8, CPU_FEATURES);
}

static void add_isa_bus(struct table *table)
{
	uint8_t *entry = add(table, ENTRY_BUS, ENTRY_BYTES);

	entry[1] = ISA_BUS_ID;
	bytes_put_text(entry + 2, "ISA   ", 6);
}

/* APIC ids are one number space; the processors have the ids before this. */
static uint8_t ioapic_id(const struct tables_board *board)
{
	return (uint8_t)(board->vcpus + 1);
}

static void add_ioapic(struct table *table, const struct tables_board *board)
{
	uint8_t *entry = add(table, ENTRY_IOAPIC, ENTRY_BYTES);

	entry[1] = ioapic_id(board);
	entry[2] = IOAPIC_VERSION;
	entry[3] = 1; /* usable */
	le32_store(entry + 4, board->ioapic_base);
}

/* Flags 0: polarity and trigger of the bus, which for ISA is high and edge. */
static void add_interrupt(struct table *table, enum entry_type entry_type,
			  enum interrupt_type type, uint8_t irq,
			  uint8_t apic_id, uint8_t pin)
{
	uint8_t *entry = add(table, entry_type, ENTRY_BYTES);

	entry[1] = (uint8_t)type;
	entry[4] = ISA_BUS_ID;
	entry[5] = irq;
	entry[6] = apic_id;
	entry[7] = pin;
}

static void put_pointer(uint8_t *at, gpa_t table_gpa)
{
	bytes_put_text(at, "_MP_", 4);
	le32_store(at + 4, (uint32_t)table_gpa);
	at[8] = POINTER_BYTES / 16;
	at[9] = SPEC_VERSION;
	at[10] = bytes_checksum(at, POINTER_BYTES);
}

static void put_header(uint8_t *at, const struct table *table,
		       const struct tables_board *board)
{
	size_t len = table->len - POINTER_BYTES;

	bytes_put_text(at, "PCMP", 4);
	le16_store(at + 4, (uint16_t)len);
	at[6] = SPEC_VERSION;
	bytes_put_text(at + 8, "KILN    ", 8);
	bytes_put_text(at + 16, "MICROVM     ", 12);
	le16_store(at + 34, (uint16_t)table->entry_count);
	le32_store(at + 36, board->lapic_base);
	at[7] = bytes_checksum(at, len);
}

static void build(struct table *table, const struct tables_board *board)
{
	table->len = POINTER_BYTES + HEADER_BYTES;
	for (unsigned i = 0; i < board->vcpus; i++)
		add_cpu(table, i);
	add_isa_bus(table);
	add_ioapic(table, board);
	for (unsigned i = 0; i < board->gsi_count; i++)
		add_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_INT, (uint8_t)i,
			      ioapic_id(board), (uint8_t)i);
	add_interrupt(table, ENTRY_LINT, INTERRUPT_EXTINT, 0, 0, 0);
	add_interrupt(table, ENTRY_LINT, INTERRUPT_NMI, 0, ALL_APICS, 1);
	put_pointer(table->bytes, board->mptable.base + POINTER_BYTES);
	put_header(table->bytes + POINTER_BYTES, table, board);
}

int mptable_write(const struct guest_memory *memory,
		  const struct tables_board *board, struct err *err)
{
	struct table table = {.len = 0};

	if (board->vcpus == 0 || board->vcpus > TABLES_VCPUS_MAX ||
	    board->gsi_count > GSI_MAX)
		return err_say(err, EINVAL,
			       "MP table: %u vCPUs and %u interrupts: 1 to %u "
			       "and up to %u can be told",
			       board->vcpus, board->gsi_count, TABLES_VCPUS_MAX,
			       GSI_MAX);
	build(&table, board);
	if (table.len > board->mptable.size_bytes)
		return err_say(err, ENOSPC,
			       "MP table: %zu bytes do not fit %" PRIu64,
			       table.len, board->mptable.size_bytes);
	if (guest_write(memory, board->mptable.base, table.bytes, table.len) <
	    0)
		return err_say(err, ENOMEM, "MP table: no RAM at %#" PRIx64,
			       board->mptable.base);
	return 0;
}
