/* SPDX-License-Identifier: Apache-2.0 */
#include "tables_board.h"

#include <errno.h>

#include "base/array.h"
#include "base/le.h"
#include "tables/mptable.h"

#define POINTER 0x9fc00

struct mp_table {
	uint8_t bytes[1024];
	size_t len;
	unsigned counts[5]; /* of entries, by type */
	const uint8_t *first[5];
};

static size_t entry_bytes(uint8_t type)
{
	return type == 0 ? 20 : 8;
}

static void find_entries(struct mp_table *table)
{
	unsigned seen = 0;

	for (size_t at = 44; at < table->len; seen++) {
		uint8_t type = table->bytes[at];

		assert_in_range(type, 0, 4);
		if (table->counts[type]++ == 0)
			table->first[type] = table->bytes + at;
		at += entry_bytes(type);
		assert_true(at <= table->len);
	}
	assert_int_equal(le16_load(table->bytes + 34), seen);
}

/* Reads the table as a kernel does: pointer, checksum, header, entries. */
static void read_table(struct mp_table *table, unsigned vcpus)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(vcpus, virtio, 0);
	uint8_t pointer[16];
	struct err err;

	*table = (struct mp_table){.len = 0};
	assert_int_equal(mptable_write(&memory, &board, &err), 0);
	ram_read(&memory, POINTER, pointer, sizeof(pointer));
	assert_memory_equal(pointer, "_MP_", 4);
	assert_int_equal(pointer[8], 1);
	assert_int_equal(pointer[9], 4);
	assert_int_equal(sum_of(pointer, sizeof(pointer)), 0);
	assert_int_equal(pointer[11], 0); /* a table, not a default */
	assert_int_equal(pointer[12], 0); /* no IMCR */
	assert_int_equal(le32_load(pointer + 4), POINTER + 16);
	ram_read(&memory, POINTER + 16, table->bytes, 44);
	table->len = le16_load(table->bytes + 4);
	assert_in_range(table->len, 44, sizeof(table->bytes));
	ram_read(&memory, POINTER + 16, table->bytes, table->len);
	assert_memory_equal(table->bytes, "PCMP", 4);
	assert_int_equal(table->bytes[6], 4);
	assert_int_equal(sum_of(table->bytes, table->len), 0);
	assert_memory_equal(table->bytes + 8, "KILN    MICROVM     ", 20);
	assert_int_equal(le32_load(table->bytes + 36), 0xfee00000);
	find_entries(table);
	guest_memory_destroy(&memory);
}

static void every_vcpu_is_listed_and_the_first_boots(void **state)
{
	static const unsigned counts[] = {1, 2, 31, 32};
	struct mp_table table;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		const uint8_t *cpu;

		read_table(&table, counts[i]);
		assert_int_equal(table.counts[0], counts[i]);
		cpu = table.first[0];
		for (unsigned n = 0; n < counts[i]; n++, cpu += 20) {
			assert_int_equal(cpu[0], 0);
			assert_int_equal(cpu[1], n);
			assert_int_equal(cpu[2], 0x14);
			assert_int_equal(cpu[3], n == 0 ? 3 : 1);
		}
	}
}

static void the_ioapic_comes_after_the_vcpus(void **state)
{
	static const unsigned counts[] = {1, 14, 32};
	struct mp_table table;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		read_table(&table, counts[i]);
		assert_int_equal(table.counts[2], 1);
		assert_int_equal(table.first[2][1], counts[i] + 1);
		assert_int_equal(table.first[2][3], 1);
		assert_int_equal(le32_load(table.first[2] + 4), 0xfec00000);
	}
}

static void every_irq_has_its_pin(void **state)
{
	struct mp_table table;
	const uint8_t *irq;

	(void)state;
	read_table(&table, 4);
	assert_int_equal(table.counts[1], 1);
	assert_memory_equal(table.first[1], "\1\0ISA   ", 8);
	assert_int_equal(table.counts[3], 24);
	irq = table.first[3];
	for (unsigned i = 0; i < 24; i++, irq += 8) {
		const uint8_t wanted[8] = {3, 0,          0, 0,
					   0, (uint8_t)i, 5, (uint8_t)i};

		assert_memory_equal(irq, wanted, 8);
	}
}

static void local_interrupts_are_extint_and_nmi(void **state)
{
	static const uint8_t wanted[16] = {4, 3, 0, 0, 0, 0, 0,    0,
					   4, 1, 0, 0, 0, 0, 0xff, 1};
	struct mp_table table;

	(void)state;
	read_table(&table, 1);
	assert_int_equal(table.counts[4], 2);
	assert_memory_equal(table.first[4], wanted, 16);
}

static void the_largest_fits_the_last_kib_of_base_memory(void **state)
{
	struct mp_table table;

	(void)state;
	read_table(&table, 32);
	assert_true(POINTER + 16 + table.len <= 0xa0000);
}

static void bad_boards_are_refused(void **state)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(0, virtio, 0);
	struct err err;

	(void)state;
	assert_int_equal(mptable_write(&memory, &board, &err), -EINVAL);
	board.vcpus = 33;
	assert_int_equal(mptable_write(&memory, &board, &err), -EINVAL);
	assert_says(&err, "33 vCPUs");
	board.vcpus = 1;
	board.gsi_count = 25;
	assert_int_equal(mptable_write(&memory, &board, &err), -EINVAL);
	board.gsi_count = 24;
	/* 16 + 44 + 20 + 26 * 8 + 2 * 8 */
	board.mptable.size_bytes = 304;
	assert_int_equal(mptable_write(&memory, &board, &err), 0);
	board.mptable.size_bytes = 303;
	assert_int_equal(mptable_write(&memory, &board, &err), -ENOSPC);
	board = board_of(1, virtio, 0);
	board.mptable.base = 16 * MIB - 303;
	assert_int_equal(mptable_write(&memory, &board, &err), -ENOMEM);
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vcpu_is_listed_and_the_first_boots),
		cmocka_unit_test(the_ioapic_comes_after_the_vcpus),
		cmocka_unit_test(every_irq_has_its_pin),
		cmocka_unit_test(local_interrupts_are_extint_and_nmi),
		cmocka_unit_test(the_largest_fits_the_last_kib_of_base_memory),
		cmocka_unit_test(bad_boards_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
