/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables are read as a guest reads them, from the RSDP down; then Intel's
 * compiler takes the DSDT apart and puts it together again.
 */
#include "tables_board.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/le.h"
#include "tables/acpi.h"

extern char **environ;

struct sdt {
	uint8_t bytes[8192];
	size_t len;
	gpa_t gpa;
};

struct tables {
	struct sdt xsdt;
	struct sdt fadt;
	struct sdt madt;
	struct sdt dsdt;
};

static void read_sdt(const struct guest_memory *memory, gpa_t gpa,
		     const char *signature, struct sdt *sdt)
{
	sdt->gpa = gpa;
	assert_in_range(gpa, 0xa0000, 0xdffff);
	assert_int_equal(gpa % 16, 0);
	ram_read(memory, gpa, sdt->bytes, 36);
	assert_memory_equal(sdt->bytes, signature, 4);
	sdt->len = le32_load(sdt->bytes + 4);
	assert_in_range(sdt->len, 36, sizeof(sdt->bytes));
	ram_read(memory, gpa, sdt->bytes, sdt->len);
	assert_int_equal(sum_of(sdt->bytes, sdt->len), 0);
	assert_memory_equal(sdt->bytes + 10, "KILN  KILN", 10);
	assert_memory_equal(sdt->bytes + 16 + 4, signature, 4);
}

static void read_tables(const struct tables_board *board, struct tables *tables)
{
	struct guest_memory memory = ram_create(16 * MIB);
	uint8_t rsdp[36];
	struct err err = {0};

	assert_int_equal(acpi_write(&memory, board, &err), 0);
	ram_read(&memory, board->rsdp, rsdp, sizeof(rsdp));
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_memory_equal(rsdp + 9, "KILN  ", 6);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(le32_load(rsdp + 20), 36);
	assert_int_equal(sum_of(rsdp, 20), 0);
	assert_int_equal(sum_of(rsdp, 36), 0);
	read_sdt(&memory, le64_load(rsdp + 24), "XSDT", &tables->xsdt);
	assert_int_equal(tables->xsdt.len, 36 + 2 * 8);
	read_sdt(&memory, le64_load(tables->xsdt.bytes + 36), "FACP",
		 &tables->fadt);
	read_sdt(&memory, le64_load(tables->xsdt.bytes + 44), "APIC",
		 &tables->madt);
	read_sdt(&memory, le64_load(tables->fadt.bytes + 140), "DSDT",
		 &tables->dsdt);
	guest_memory_destroy(&memory);
}

static void io_port_is(const uint8_t *address, uint64_t port)
{
	assert_memory_equal(address, "\1\10\0\1", 4);
	assert_int_equal(le64_load(address + 4), port);
}

static void fadt_is_hardware_reduced(void **state)
{
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(1, virtio, 3);
	struct tables tables = {0};
	const uint8_t *fadt = tables.fadt.bytes;

	(void)state;
	read_tables(&board, &tables);
	assert_int_equal(tables.fadt.len, 276);
	assert_int_equal(fadt[8], 6);
	assert_int_equal(fadt[131], 5);
	assert_int_equal(le32_load(fadt + 40), tables.dsdt.gpa);
	/* 8042, no VGA, no CMOS clock */
	assert_int_equal(le16_load(fadt + 109), 0x26);
	/* HW_REDUCED_ACPI, RESET_REG_SUP, both buttons, WBINVD */
	assert_int_equal(le32_load(fadt + 112), 0x100431);
	io_port_is(fadt + 116, 0x64);
	assert_int_equal(fadt[128], 0xfe);
	io_port_is(fadt + 244, 0x600);
	io_port_is(fadt + 256, 0x601);
	assert_memory_equal(fadt + 268, "KILN\0\0\0\0", 8);
	assert_int_equal(tables.dsdt.bytes[8], 2);
}

static void madt_lists_every_vcpu(void **state)
{
	static const unsigned counts[] = {1, 4, 32};
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables tables = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct tables_board board = board_of(counts[i], virtio, 0);
		const uint8_t *at = tables.madt.bytes + 44;

		read_tables(&board, &tables);
		assert_int_equal(tables.madt.bytes[8], 6);
		assert_int_equal(le32_load(tables.madt.bytes + 36), 0xfee00000);
		assert_int_equal(tables.madt.len, 44 + 12 + counts[i] * 8);
		assert_memory_equal(at, "\1\14\0\0\0\0\xc0\xfe\0\0\0\0", 12);
		for (unsigned n = 0; n < counts[i]; n++) {
			const uint8_t wanted[8] = {0, 8, (uint8_t)n, (uint8_t)n,
						   1};

			assert_memory_equal(at + 12 + n * 8ul, wanted, 8);
		}
	}
}

static void without_a_serial_port_none_is_told(void **state)
{
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(1, virtio, 0);
	struct tables with;
	struct tables without;

	(void)state;
	read_tables(&board, &with);
	board.has_serial = false;
	read_tables(&board, &without);
	assert_non_null(memmem(with.dsdt.bytes, with.dsdt.len, "COM1", 4));
	assert_null(memmem(without.dsdt.bytes, without.dsdt.len, "COM1", 4));
}

static void bad_boards_are_refused(void **state)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(1, virtio, 17);
	const struct tables_board good = board;
	struct err err;

	(void)state;
	board.vcpus = 0;
	assert_int_equal(acpi_write(&memory, &board, &err), -EINVAL);
	board.vcpus = 33;
	assert_int_equal(acpi_write(&memory, &board, &err), -EINVAL);
	board = good;
	board.virtio_count = TABLES_VIRTIO_MAX + 1;
	assert_int_equal(acpi_write(&memory, &board, &err), -EINVAL);
	assert_says(&err, "33 devices");
	board = good;
	board.acpi.base -= 1;
	assert_int_equal(acpi_write(&memory, &board, &err), -EINVAL);
	assert_says(&err, "[0x9ffff, 0xdffff) overlaps the MP table or");
	board = good;
	board.acpi.size_bytes += 1;
	assert_int_equal(acpi_write(&memory, &board, &err), -EINVAL);
	board = good;
	board.acpi.base = 16 * MIB - 100;
	assert_int_equal(acpi_write(&memory, &board, &err), -ENOMEM);
	assert_says(&err, "ACPI table DSDT: no RAM at ");
	board = good;
	board.rsdp = 16 * MIB - 35;
	assert_int_equal(acpi_write(&memory, &board, &err), -ENOMEM);
	assert_says(&err, "ACPI RSDP: no RAM at ");
	guest_memory_destroy(&memory);
}

/* Whatever the area's size, nothing is written beyond its end. */
static void a_small_area_is_never_left(void **state)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(2, virtio, 2);
	unsigned refused = 0;
	struct err err;
	int r = -1;

	(void)state;
	for (uint64_t size = 0; r != 0; size++) {
		uint8_t mark = 0xa5;

		assert_true(size < 4096);
		board.acpi.size_bytes = size;
		assert_int_equal(
			guest_write(&memory, board.acpi.base + size, &mark, 1),
			0);
		r = acpi_write(&memory, &board, &err);
		ram_read(&memory, board.acpi.base + size, &mark, 1);
		assert_int_equal(mark, 0xa5);
		if (r < 0)
			refused++;
		assert_true(r == 0 || r == -ENOSPC);
	}
	assert_true(refused > 600);
	guest_memory_destroy(&memory);
}

static void run(char *const argv[], const char *log)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(
		posix_spawn_file_actions_addopen(
			&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600),
		0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, 1, 2), 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		fail_msg("%s does not start: install acpica-tools", argv[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s %s: status %#x, see %s", argv[0], argv[1], status,
			 log);
	(void)posix_spawn_file_actions_destroy(&actions);
}

static void save(const struct sdt *sdt, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, sdt->bytes, sdt->len), sdt->len);
	close(fd);
}

static char *text_of(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_in_range(n, 1, sizeof(text) - 2);
	text[n] = '\0';
	close(fd);
	return text;
}

/* iasl puts its output beside its input and prints verdicts. */
static char *disassemble(const struct sdt *sdt, const char *name)
{
	static char path[64];
	char dat[64];
	char log[64];
	char *const argv[] = {(char[]){"iasl"}, (char[]){"-d"}, dat, NULL};
	const char *verdict;

	(void)snprintf(dat, sizeof(dat), "%s.dat", name);
	(void)snprintf(log, sizeof(log), "%s.log", name);
	(void)snprintf(path, sizeof(path), "%s.dsl", name);
	save(sdt, dat);
	run(argv, log);
	verdict = text_of(log);
	if (strstr(verdict, "Error") != NULL || strstr(verdict, "Warn") != NULL)
		fail_msg("iasl says: %s", verdict);
	return text_of(path);
}

static void says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("wanted \"%s\" in:\n%s", part, text);
}

static void device_is(const char *text, unsigned index)
{
	static const char *const parts[] = {
		"\"LNRO0005\"", "_UID, ", "_CCA, One", "ReadWrite",
		"ResourceConsumer, Edge, ActiveHigh, Exclusive"};
	char wanted[64];
	const char *at;

	(void)snprintf(wanted, sizeof(wanted), "Device (V%03u)", index);
	at = strstr(text, wanted);
	assert_non_null(at);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		at = strstr(at, parts[i]);
		assert_non_null(at);
	}
	(void)snprintf(wanted, sizeof(wanted),
		       "0x%08X,         // Address Base",
		       0xc0001000u + index * 0x1000);
	says(text, wanted);
	(void)snprintf(wanted, sizeof(wanted), "0x%08X,\n", 5 + index);
	says(at, wanted);
}

static void iasl_reads_the_dsdt_and_compiles_it_again(void **state)
{
	char *const compile[] = {(char[]){"iasl"}, (char[]){"-p"},
				 (char[]){"again"}, (char[]){"dsdt.dsl"}, NULL};
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(4, virtio, 17);
	struct tables tables;
	const char *text;

	(void)state;
	read_tables(&board, &tables);
	text = disassemble(&tables.dsdt, "dsdt");
	for (unsigned i = 0; i < 17; i++)
		device_is(text, i);
	assert_null(strstr(text, "Device (V017)"));
	says(text, "Device (COM1)");
	says(text, "\"PNP0501\"");
	says(text, "0x03F8,             // Range Minimum");
	says(text, "Device (PS2)");
	says(text, "\"PNP0303\"");
	says(text, "Name (_S5, Package (0x04)");
	run(compile, "again.log");
	says(text_of("again.log"), "0 Errors");
}

static void iasl_knows_every_field_of_fadt_and_madt(void **state)
{
	struct tables_virtio virtio[TEST_VIRTIO_MAX];
	struct tables_board board = board_of(4, virtio, 17);
	struct tables tables;
	const char *text;

	(void)state;
	read_tables(&board, &tables);
	text = disassemble(&tables.fadt, "fadt");
	says(text, "Hardware Reduced (V5) : 1");
	says(text, "8042 Present on ports 60/64 (V2) : 1");
	says(text, "VGA Not Present (V4) : 1");
	says(text, "CMOS RTC Not Present (V5) : 1");
	says(text, "Reset Register Supported (V2) : 1");
	says(text, "Sleep Control Register");
	text = disassemble(&tables.madt, "madt");
	says(text, "[I/O APIC]");
	says(text, "Processor Enabled : 1");
}

static char directory[] = "/tmp/kiln-acpi-XXXXXX";

static int enter_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL || chdir(directory) < 0 ? -1 : 0;
}

static int leave_directory(void **state)
{
	static const char *const names[] = {"dsdt.dat",  "dsdt.dsl", "dsdt.log",
					    "fadt.dat",  "fadt.dsl", "fadt.log",
					    "madt.dat",  "madt.dsl", "madt.log",
					    "again.aml", "again.log"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unlink(names[i]);
	return chdir("/") < 0 || rmdir(directory) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fadt_is_hardware_reduced),
		cmocka_unit_test(madt_lists_every_vcpu),
		cmocka_unit_test(without_a_serial_port_none_is_told),
		cmocka_unit_test(bad_boards_are_refused),
		cmocka_unit_test(a_small_area_is_never_left),
		cmocka_unit_test(iasl_reads_the_dsdt_and_compiles_it_again),
		cmocka_unit_test(iasl_knows_every_field_of_fadt_and_madt),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
