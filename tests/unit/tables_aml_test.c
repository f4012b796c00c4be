/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "tables/aml.h"

static void integers_are_as_short_as_they_can_be(void **state)
{
	static const struct {
		uint64_t value;
		size_t len;
		const char *bytes;
	} rows[] = {
		{0, 1, "\x00"},
		{1, 1, "\x01"},
		{2, 2, "\x0a\x02"},
		{0xff, 2, "\x0a\xff"},
		{0x100, 3, "\x0b\x00\x01"},
		{0xffff, 3, "\x0b\xff\xff"},
		{0x10000, 5, "\x0c\x00\x00\x01\x00"},
		{0xffffffff, 5, "\x0c\xff\xff\xff\xff"},
		{0x100000000, 9, "\x0e\x00\x00\x00\x00\x01\x00\x00\x00"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[16];
		struct aml aml;

		aml_init(&aml, bytes, sizeof(bytes));
		aml_integer(&aml, rows[i].value);
		assert_int_equal(aml.len, rows[i].len);
		assert_memory_equal(bytes, rows[i].bytes, rows[i].len);
	}
}

/* A device whose body is filler of the wanted length. */
static size_t device_of(size_t body, uint8_t *bytes, size_t size)
{
	struct aml aml;
	size_t device;

	aml_init(&aml, bytes, size);
	device = aml_device_begin(&aml, "DEV_");
	for (size_t i = 0; i < body; i++)
		aml_integer(&aml, 0);
	aml_end(&aml, device);
	assert_int_equal(aml_status(&aml), 0);
	return aml.len;
}

/* ACPI 6.5 §20.2.4: the length counts itself, so the steps are at 63 and 4095
 * with the name of four bytes and the length in it. */
static void package_lengths_step_where_the_specification_says(void **state)
{
	static const struct {
		size_t body;
		size_t length_bytes;
		const char *bytes;
	} rows[] = {
		{0, 1, "\x05"},
		{63 - 5, 1, "\x3f"},
		{63 - 4, 2, "\x41\x04"},
		{4095 - 6, 2, "\x4f\xff"},
		{4095 - 5, 3, "\x81\x00\x01"}, /* 4097 */
		{70000, 3, "\x87\x17\x11"},    /* 70007 = 0x11177 */
	};
	static uint8_t bytes[80000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = device_of(rows[i].body, bytes, sizeof(bytes));

		assert_int_equal(len,
				 2 + rows[i].length_bytes + 4 + rows[i].body);
		assert_memory_equal(bytes, "\x5b\x82", 2);
		assert_memory_equal(bytes + 2, rows[i].bytes,
				    rows[i].length_bytes);
		assert_memory_equal(bytes + 2 + rows[i].length_bytes, "DEV_",
				    4);
	}
}

static void resources_are_what_the_specification_draws(void **state)
{
	/* Buffer, 35 bytes, WordPrefix 31; Memory32Fixed; IO; Interrupt; end */
	static const char wanted[] =
		"\x11\x23\x0b\x1f\x00"
		"\x86\x09\x00\x01\x00\x10\x00\xc0\x00\x10\x00\x00"
		"\x47\x01\xf8\x03\xf8\x03\x01\x08"
		"\x89\x06\x00\x03\x01\x05\x00\x00\x00"
		"\x79\x00";
	uint8_t bytes[64];
	struct aml aml;
	size_t mark;

	(void)state;
	aml_init(&aml, bytes, sizeof(bytes));
	mark = aml_resources_begin(&aml);
	aml_resource_memory(&aml, 0xc0001000, 0x1000);
	aml_resource_io(&aml, 0x3f8, 8);
	aml_resource_edge_gsi(&aml, 5);
	aml_resources_end(&aml, mark);
	assert_int_equal(wanted[1], aml.len - 1);
	assert_int_equal(aml.len, sizeof(wanted) - 1);
	assert_memory_equal(bytes, wanted, aml.len);
}

static void write_all(struct aml *aml)
{
	size_t scope = aml_scope_begin(aml, "_SB_");
	size_t device = aml_device_begin(aml, "V000");
	size_t mark;

	aml_name(aml, "_HID");
	aml_string(aml, "LNRO0005");
	aml_name(aml, "_CRS");
	mark = aml_resources_begin(aml);
	aml_resource_memory(aml, 0xc0001000, 0x1000);
	aml_resource_edge_gsi(aml, 5);
	aml_resources_end(aml, mark);
	aml_name(aml, "_ADR");
	aml_integer(aml, UINT64_MAX);
	mark = aml_package_begin(aml, 1);
	aml_integer(aml, 7);
	aml_end(aml, mark);
	aml_end(aml, device);
	aml_end(aml, scope);
}

/* Every size that is too small is found out, and nothing is written past it:
 * the address sanitizer watches the exact allocation. */
static void too_small_is_remembered(void **state)
{
	uint8_t whole[256];
	struct aml aml;
	size_t len;

	(void)state;
	aml_init(&aml, whole, sizeof(whole));
	write_all(&aml);
	assert_int_equal(aml_status(&aml), 0);
	len = aml.len;
	for (size_t size = 1; size <= len; size++) {
		uint8_t *bytes = malloc(size);

		assert_non_null(bytes);
		aml_init(&aml, bytes, size);
		write_all(&aml);
		assert_int_equal(aml_status(&aml), size < len ? -ENOSPC : 0);
		assert_true(aml.len <= size);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_as_short_as_they_can_be),
		cmocka_unit_test(
			package_lengths_step_where_the_specification_says),
		cmocka_unit_test(resources_are_what_the_specification_draws),
		cmocka_unit_test(too_small_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
