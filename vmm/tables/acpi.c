/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables are built in a local buffer and placed one after the other; a table is
 * written before those that point at it, so addresses are known when needed.
 */
#include "tables/acpi.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/le.h"
#include "tables/aml.h"
#include "tables/bytes.h"

#define TABLE_BYTES_MAX 4096
#define TABLE_ALIGN     16

#define CREATOR_REVISION 1

/* ACPI 6.5 §5.2.6, table 5.4: the header of every table but the RSDP */
#define HEADER_BYTES            36
#define HEADER_LENGTH           4  /* u32 */
#define HEADER_REVISION         8  /* u8 */
#define HEADER_CHECKSUM         9  /* u8 */
#define HEADER_OEM_ID           10 /* 6 characters */
#define HEADER_OEM_TABLE_ID     16 /* 8 characters */
#define HEADER_OEM_REVISION     24 /* u32 */
#define HEADER_CREATOR          28 /* 4 characters */
#define HEADER_CREATOR_REVISION 32 /* u32 */

/* §5.2.5.3 */
#define RSDP_BYTES     36
#define RSDP_V1_BYTES  20
#define RSDP_CHECKSUM  8  /* u8, over the first 20 bytes */
#define RSDP_OEM_ID    9  /* 6 characters */
#define RSDP_REVISION  15 /* u8 */
#define RSDP_LENGTH    20 /* u32 */
#define RSDP_XSDT      24 /* u64 */
#define RSDP_CHECKSUM2 32 /* u8, over all */

/* §5.2.9, table 5.9 */
#define FADT_BYTES             276
#define FADT_DSDT              40  /* u32 */
#define FADT_BOOT_ARCH         109 /* u16 */
#define FADT_FLAGS             112 /* u32 */
#define FADT_RESET_REGISTER    116 /* address */
#define FADT_RESET_VALUE       128 /* u8 */
#define FADT_MINOR_VERSION     131 /* u8 */
#define FADT_X_DSDT            140 /* u64 */
#define FADT_SLEEP_CONTROL     244 /* address */
#define FADT_SLEEP_STATUS      256 /* address */
#define FADT_HYPERVISOR_ID     268 /* 8 characters */
#define FADT_REVISION          6
#define FADT_MINOR_VERSION_6_5 5

#define FADT_BOOT_8042        (1u << 1)
#define FADT_BOOT_NO_VGA      (1u << 2)
#define FADT_BOOT_NO_CMOS_RTC (1u << 5)

#define FADT_FLAG_WBINVD     (1u << 0)
#define FADT_FLAG_PWR_BUTTON (1u << 4) /* no fixed-hardware button */
#define FADT_FLAG_SLP_BUTTON (1u << 5)
#define FADT_FLAG_RESET_REG  (1u << 10)
#define FADT_FLAG_HW_REDUCED (1u << 20)

/* §5.2.3.2: generic address structure */
#define ADDRESS_SPACE       0 /* u8 */
#define ADDRESS_WIDTH       1 /* u8, bits */
#define ADDRESS_ACCESS_SIZE 3 /* u8, 1: byte */
#define ADDRESS_ADDRESS     4 /* u64 */
#define ADDRESS_SPACE_IO    1

/* §5.2.12 */
#define MADT_LAPIC_BASE    36 /* u32 */
#define MADT_ENTRIES       44
#define MADT_REVISION      6
#define MADT_LAPIC_TYPE    0
#define MADT_LAPIC_BYTES   8
#define MADT_LAPIC_ENABLED 1
#define MADT_IOAPIC_TYPE   1
#define MADT_IOAPIC_BYTES  12
#define MADT_IOAPIC_ID     0

#define DSDT_REVISION 2 /* integers have 64 bits */
#define XSDT_REVISION 1

#define SERIAL_PORTS         8
#define KEYBOARD_DATA_PORT   0x60
#define KEYBOARD_STATUS_PORT 0x64

_Static_assert(MADT_ENTRIES + MADT_IOAPIC_BYTES +
			       TABLES_VCPUS_MAX * MADT_LAPIC_BYTES <=
		       TABLE_BYTES_MAX,
	       "the largest MADT fits");

static const char oem_id[] = "KILN  ";

/* Where the next table goes. */
struct placer {
	const struct guest_memory *memory;
	gpa_t next;
	gpa_t end;
};

struct table {
	uint8_t bytes[TABLE_BYTES_MAX];
	size_t len;
};

static void table_start(struct table *table, const char *signature,
			uint8_t revision, size_t len)
{
	uint8_t *at = table->bytes;

	table->len = len;
	bytes_put_text(at, signature, 4);
	at[HEADER_REVISION] = revision;
	bytes_put_text(at + HEADER_OEM_ID, oem_id, 6);
	bytes_put_text(at + HEADER_OEM_TABLE_ID, "KILN", 4);
	bytes_put_text(at + HEADER_OEM_TABLE_ID + 4, signature, 4);
	le32_store(at + HEADER_OEM_REVISION, 1);
	bytes_put_text(at + HEADER_CREATOR, "KILN", 4);
	le32_store(at + HEADER_CREATOR_REVISION, CREATOR_REVISION);
}

static int table_place(struct placer *placer, struct table *table,
		       gpa_t *ret_gpa, struct err *err)
{
	gpa_t gpa = align_up(placer->next, TABLE_ALIGN);

	if (gpa > placer->end || table->len > placer->end - gpa)
		return err_say(err, ENOSPC,
			       "ACPI table %.4s: no room for its %zu bytes",
			       (const char *)table->bytes, table->len);
	le32_store(table->bytes + HEADER_LENGTH, (uint32_t)table->len);
	table->bytes[HEADER_CHECKSUM] =
		bytes_checksum(table->bytes, table->len);
	if (guest_write(placer->memory, gpa, table->bytes, table->len) < 0)
		return err_say(err, ENOMEM,
			       "ACPI table %.4s: no RAM at %#" PRIx64,
			       (const char *)table->bytes, gpa);
	placer->next = gpa + table->len;
	*ret_gpa = gpa;
	return 0;
}

static void put_virtio(struct aml *aml, const struct tables_virtio *virtio,
		       unsigned index)
{
	char name[8];
	size_t device;
	size_t resources;

	(void)snprintf(name, sizeof(name), "V%03u", index % 1000);
	device = aml_device_begin(aml, name);
	aml_name(aml, "_HID");
	aml_string(aml, "LNRO0005");
	aml_name(aml, "_UID");
	aml_integer(aml, index);
	aml_name(aml, "_CCA"); /* its memory accesses are coherent */
	aml_integer(aml, 1);
	aml_name(aml, "_CRS");
	resources = aml_resources_begin(aml);
	aml_resource_memory(aml, virtio->base, virtio->size_bytes);
	aml_resource_edge_gsi(aml, virtio->gsi);
	aml_resources_end(aml, resources);
	aml_end(aml, device);
}

static void put_serial(struct aml *aml, const struct tables_board *board)
{
	size_t device = aml_device_begin(aml, "COM1");
	size_t resources;

	aml_name(aml, "_HID");
	aml_string(aml, "PNP0501");
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_CRS");
	resources = aml_resources_begin(aml);
	aml_resource_io(aml, board->serial_port, SERIAL_PORTS);
	aml_resource_edge_gsi(aml, board->serial_gsi);
	aml_resources_end(aml, resources);
	aml_end(aml, device);
}

static void put_keyboard(struct aml *aml, const struct tables_board *board)
{
	size_t device = aml_device_begin(aml, "PS2_");
	size_t resources;

	aml_name(aml, "_HID");
	aml_string(aml, "PNP0303");
	aml_name(aml, "_CRS");
	resources = aml_resources_begin(aml);
	aml_resource_io(aml, KEYBOARD_DATA_PORT, 1);
	aml_resource_io(aml, KEYBOARD_STATUS_PORT, 1);
	aml_resource_edge_gsi(aml, board->keyboard_gsi);
	aml_resources_end(aml, resources);
	aml_end(aml, device);
}

/* §7.4.2: the first element is the type for the sleep control register. */
static void put_power_off(struct aml *aml)
{
	size_t package;

	aml_name(aml, "_S5_");
	package = aml_package_begin(aml, 4);
	aml_integer(aml, ACPI_SLEEP_TYPE_OFF);
	for (int i = 0; i < 3; i++)
		aml_integer(aml, 0);
	aml_end(aml, package);
}

static int write_dsdt(struct placer *placer, const struct tables_board *board,
		      gpa_t *ret_gpa, struct err *err)
{
	struct table table = {.len = 0};
	struct aml aml;
	size_t scope;

	table_start(&table, "DSDT", DSDT_REVISION, HEADER_BYTES);
	aml_init(&aml, table.bytes + HEADER_BYTES,
		 sizeof(table.bytes) - HEADER_BYTES);
	put_power_off(&aml);
	scope = aml_scope_begin(&aml, "_SB_");
	for (unsigned i = 0; i < board->virtio_count; i++)
		put_virtio(&aml, &board->virtio[i], i);
	if (board->has_serial)
		put_serial(&aml, board);
	put_keyboard(&aml, board);
	aml_end(&aml, scope);
	if (aml_status(&aml) < 0)
		return err_say(err, ENOSPC,
			       "ACPI table DSDT: more than %zu bytes",
			       sizeof(table.bytes));
	table.len += aml.len;
	return table_place(placer, &table, ret_gpa, err);
}

static void put_port(uint8_t *at, uint16_t port)
{
	at[ADDRESS_SPACE] = ADDRESS_SPACE_IO;
	at[ADDRESS_WIDTH] = 8;
	at[ADDRESS_ACCESS_SIZE] = 1;
	le64_store(at + ADDRESS_ADDRESS, port);
}

static int write_fadt(struct placer *placer, const struct tables_board *board,
		      gpa_t dsdt, gpa_t *ret_gpa, struct err *err)
{
	struct table table = {.len = 0};
	uint8_t *at = table.bytes;

	table_start(&table, "FACP", FADT_REVISION, FADT_BYTES);
	le32_store(at + FADT_DSDT, (uint32_t)dsdt);
	le64_store(at + FADT_X_DSDT, dsdt);
	le16_store(at + FADT_BOOT_ARCH,
		   FADT_BOOT_8042 | FADT_BOOT_NO_VGA | FADT_BOOT_NO_CMOS_RTC);
	le32_store(at + FADT_FLAGS, FADT_FLAG_WBINVD | FADT_FLAG_PWR_BUTTON |
					    FADT_FLAG_SLP_BUTTON |
					    FADT_FLAG_RESET_REG |
					    FADT_FLAG_HW_REDUCED);
	put_port(at + FADT_RESET_REGISTER, ACPI_RESET_PORT);
	at[FADT_RESET_VALUE] = ACPI_RESET_VALUE;
	at[FADT_MINOR_VERSION] = FADT_MINOR_VERSION_6_5;
	put_port(at + FADT_SLEEP_CONTROL, board->sleep_control_port);
	put_port(at + FADT_SLEEP_STATUS, board->sleep_status_port);
	bytes_put_text(at + FADT_HYPERVISOR_ID, "KILN\0\0\0\0", 8);
	return table_place(placer, &table, ret_gpa, err);
}

static void put_lapic(uint8_t *at, unsigned index)
{
	at[0] = MADT_LAPIC_TYPE;
	at[1] = MADT_LAPIC_BYTES;
	at[2] = (uint8_t)index; /* processor uid */
	at[3] = (uint8_t)index; /* APIC id */
	le32_store(at + 4, MADT_LAPIC_ENABLED);
}

static int write_madt(struct placer *placer, const struct tables_board *board,
		      gpa_t *ret_gpa, struct err *err)
{
	struct table table = {.len = 0};
	uint8_t *at = table.bytes + MADT_ENTRIES;

	table_start(&table, "APIC", MADT_REVISION,
		    MADT_ENTRIES + MADT_IOAPIC_BYTES +
			    board->vcpus * (size_t)MADT_LAPIC_BYTES);
	le32_store(table.bytes + MADT_LAPIC_BASE, board->lapic_base);
	at[0] = MADT_IOAPIC_TYPE;
	at[1] = MADT_IOAPIC_BYTES;
	at[2] = MADT_IOAPIC_ID;
	le32_store(at + 4, board->ioapic_base);
	at += MADT_IOAPIC_BYTES; /* its first GSI is 0 */
	for (unsigned i = 0; i < board->vcpus; i++, at += MADT_LAPIC_BYTES)
		put_lapic(at, i);
	return table_place(placer, &table, ret_gpa, err);
}

static int write_xsdt(struct placer *placer, const gpa_t *tables, size_t count,
		      gpa_t *ret_gpa, struct err *err)
{
	struct table table = {.len = 0};

	table_start(&table, "XSDT", XSDT_REVISION,
		    HEADER_BYTES + count * sizeof(uint64_t));
	for (size_t i = 0; i < count; i++)
		le64_store(table.bytes + HEADER_BYTES + i * sizeof(uint64_t),
			   tables[i]);
	return table_place(placer, &table, ret_gpa, err);
}

static int write_rsdp(const struct guest_memory *memory, gpa_t gpa, gpa_t xsdt,
		      struct err *err)
{
	uint8_t rsdp[RSDP_BYTES] = {0};

	bytes_put_text(rsdp, "RSD PTR ", 8);
	bytes_put_text(rsdp + RSDP_OEM_ID, oem_id, 6);
	rsdp[RSDP_REVISION] = 2;
	le32_store(rsdp + RSDP_LENGTH, sizeof(rsdp));
	le64_store(rsdp + RSDP_XSDT, xsdt);
	rsdp[RSDP_CHECKSUM] = bytes_checksum(rsdp, RSDP_V1_BYTES);
	rsdp[RSDP_CHECKSUM2] = bytes_checksum(rsdp, sizeof(rsdp));
	if (guest_write(memory, gpa, rsdp, sizeof(rsdp)) < 0)
		return err_say(err, ENOMEM, "ACPI RSDP: no RAM at %#" PRIx64,
			       gpa);
	return 0;
}

static int check_board(const struct tables_board *board, struct err *err)
{
	const struct tables_area *acpi = &board->acpi;
	const struct tables_area *mptable = &board->mptable;

	if (board->vcpus == 0 || board->vcpus > TABLES_VCPUS_MAX ||
	    board->virtio_count > TABLES_VIRTIO_MAX)
		return err_say(err, EINVAL,
			       "ACPI tables: %u vCPUs and %u devices: 1 to %u "
			       "and up to %u can be told",
			       board->vcpus, board->virtio_count,
			       TABLES_VCPUS_MAX, TABLES_VIRTIO_MAX);
	if (range_overlaps(acpi->base, acpi->size_bytes, mptable->base,
			   mptable->size_bytes) ||
	    range_overlaps(acpi->base, acpi->size_bytes, board->rsdp,
			   RSDP_BYTES))
		return err_say(err, EINVAL,
			       "ACPI tables: [%#" PRIx64 ", %#" PRIx64
			       ") overlaps the MP table or the RSDP",
			       acpi->base, acpi->base + acpi->size_bytes);
	return 0;
}

int acpi_write(const struct guest_memory *memory,
	       const struct tables_board *board, struct err *err)
{
	struct placer placer = {.memory = memory,
				.next = board->acpi.base,
				.end = board->acpi.base +
				       board->acpi.size_bytes};
	gpa_t dsdt = 0;
	gpa_t xsdt = 0;
	gpa_t listed[2] = {0};
	int r = check_board(board, err);

	if (r == 0)
		r = write_dsdt(&placer, board, &dsdt, err);
	if (r == 0)
		r = write_fadt(&placer, board, dsdt, &listed[0], err);
	if (r == 0)
		r = write_madt(&placer, board, &listed[1], err);
	if (r == 0)
		r = write_xsdt(&placer, listed, ARRAY_LEN(listed), &xsdt, err);
	return r == 0 ? write_rsdp(memory, board->rsdp, xsdt, err) : r;
}
