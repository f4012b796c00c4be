/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/cpuid.h"

#include <cpuid.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

static struct cpuid_table table;

static struct kvm_cpuid_entry2 *find(uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < table.header.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table.header.entries[i];

		if (e->function == function && e->index == index)
			return e;
	}
	return NULL;
}

static struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
	struct kvm_cpuid_entry2 *e = find(function, index);

	if (e == NULL)
		fail_msg("leaf 0x%x.%u is not there", function, index);
	return e;
}

static void add(uint32_t function, uint32_t index, uint32_t fill)
{
	table.header.entries[table.header.nent++] = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
		.eax = fill,
		.ebx = fill,
		.ecx = fill,
		.edx = fill,
	};
}

static void set_text(uint32_t function, const char text[16])
{
	struct kvm_cpuid_entry2 *e = leaf(function, 0);

	memcpy(&e->eax, text, 4);
	memcpy(&e->ebx, text + 4, 4);
	memcpy(&e->ecx, text + 8, 4);
	memcpy(&e->edx, text + 12, 4);
}

/* What both vendors have; every bit set, so that what is cleared shows. */
static void start(uint32_t basic_max, uint32_t extended_max)
{
	memset(&table, 0, sizeof(table));
	add(0, 0, basic_max);
	add(1, 0, UINT32_MAX);
	add(7, 0, 0);
	add(7, 1, 0);
	add(0xb, 0, UINT32_MAX);
	add(0x80000000, 0, extended_max);
	add(0x80000001, 0, 0);
	for (uint32_t i = 2; i <= 4; i++)
		add(0x80000000 + i, 0, 0);
	add(0x80000008, 0, UINT32_MAX);
}

static void start_intel(void)
{
	start(0x16, 0x80000008);
	leaf(0, 0)->ebx = 0x756e6547;
	leaf(7, 0)->ecx = UINT32_MAX;
	add(4, 0, 1 | 1 << 5);
	add(4, 1, 1 | 3 << 5);
	add(4, 2, 0);
	add(6, 0, UINT32_MAX);
	add(0xa, 0, UINT32_MAX);
}

static void start_amd(void)
{
	start(0x10, 0x8000001f);
	leaf(0, 0)->ebx = 0x68747541;
	leaf(7, 0)->edx = UINT32_MAX;
	leaf(7, 1)->edx = UINT32_MAX;
	add(0x8000001d, 0, 1 | 1 << 5 | 0x3ffc000);
	add(0x8000001d, 1, 1 | 3 << 5);
	add(0x8000001d, 2, 0);
	add(0x8000001e, 0, UINT32_MAX);
}

static void prepare(unsigned vcpus, bool smt)
{
	const struct cpuid_topology topology = {
		.vcpus = vcpus, .smt = smt, .tsc_deadline = true};
	struct err err = {0};

	if (cpuid_prepare(&table, &topology, &err) < 0)
		fail_msg("%s", err.msg);
}

static void leaf_1_tells_of_a_virtual_machine(void **state)
{
	const struct kvm_cpuid_entry2 *e;

	(void)state;
	start_intel();
	prepare(3, false);
	cpuid_set_vcpu(&table, 2);
	e = leaf(1, 0);
	assert_int_equal(e->ebx, 2u << 24 | 4u << 16 | 8u << 8 | 0xff);
	assert_int_equal(e->ecx, UINT32_MAX & ~(1u << 15)); /* PDCM */
	assert_int_equal(e->edx >> 28 & 1, 1);              /* HTT */

	start_intel();
	leaf(1, 0)->ecx = 0;
	prepare(1, false);
	assert_int_equal(leaf(1, 0)->ecx, 1u << 31 | 1u << 24);
	assert_int_equal(leaf(1, 0)->edx >> 28 & 1, 0);
	assert_int_equal(leaf(1, 0)->ebx >> 16 & 0xff, 1);
}

static void the_deadline_timer_is_there_when_kvm_has_it(void **state)
{
	const struct cpuid_topology topology = {.vcpus = 1};

	(void)state;
	start_intel();
	assert_int_equal(cpuid_prepare(&table, &topology, NULL), 0);
	assert_int_equal(leaf(1, 0)->ecx >> 24 & 1, 0);
}

static void assert_levels(uint32_t function, uint32_t threads, uint32_t vcpus,
			  uint32_t id)
{
	const struct kvm_cpuid_entry2 *e = leaf(function, 0);

	assert_int_equal(e->flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	assert_int_equal(e->eax, threads - 1);
	assert_int_equal(e->ebx, threads);
	assert_int_equal(e->ecx, 1 << 8);
	assert_int_equal(e->edx, id);
	e = leaf(function, 1);
	assert_int_equal(e->flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	assert_int_equal(e->eax, 5);
	assert_int_equal(e->ebx, vcpus);
	assert_int_equal(e->ecx, 2 << 8 | 1);
	assert_int_equal(e->edx, id);
}

/* KVM lists the first level alone. */
static void topology_has_two_levels(void **state)
{
	static const struct {
		unsigned vcpus;
		bool smt;
		uint32_t threads;
	} rows[] = {{1, false, 1}, {1, true, 1},   {2, true, 2},
		    {3, false, 1}, {32, false, 1}, {32, true, 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start_intel();
		prepare(rows[i].vcpus, rows[i].smt);
		cpuid_set_vcpu(&table, rows[i].vcpus - 1);
		assert_levels(0xb, rows[i].threads, rows[i].vcpus,
			      rows[i].vcpus - 1);
		assert_null(find(0x1f, 0));
		start_amd();
		prepare(rows[i].vcpus, rows[i].smt);
		cpuid_set_vcpu(&table, 0);
		assert_levels(0xb, rows[i].threads, rows[i].vcpus, 0);
	}
}

/* A guest prefers 0x1f; with its first level alone each vCPU would be a
 * package. */
static void leaf_1f_is_as_leaf_b(void **state)
{
	(void)state;
	start_intel();
	leaf(0, 0)->eax = 0x20;
	add(0x1f, 0, UINT32_MAX);
	prepare(4, true);
	cpuid_set_vcpu(&table, 3);
	assert_levels(0xb, 2, 4, 3);
	assert_levels(0x1f, 2, 4, 3);
	assert_int_equal(leaf(0, 0)->eax, 0x20);
}

static void the_highest_leaf_counts_what_was_added(void **state)
{
	(void)state;
	start_intel();
	leaf(0, 0)->eax = 7;
	prepare(1, false);
	assert_int_equal(leaf(0, 0)->eax, 0xb);
	assert_int_equal(leaf(0x80000000, 0)->eax, 0x80000008);
}

static void intel_leaves(void **state)
{
	(void)state;
	start_intel();
	prepare(4, true);
	assert_int_equal(leaf(4, 0)->eax,
			 1u << 26 | 1 << 14 | 1 << 5 | 1); /* L1: a core */
	assert_int_equal(leaf(4, 1)->eax,
			 1u << 26 | 3 << 14 | 3 << 5 | 1); /* L3: all */
	assert_int_equal(leaf(4, 2)->eax, 0);
	assert_int_equal(leaf(6, 0)->eax, UINT32_MAX & ~2u);
	assert_int_equal(leaf(6, 0)->ecx, UINT32_MAX & ~8u);
	assert_int_equal(leaf(7, 0)->ebx, 1u << 6 | 1u << 13);
	assert_int_equal(leaf(7, 0)->ecx, UINT32_MAX & ~(1u << 5));
	assert_int_equal(leaf(7, 1)->ebx, 0);
	assert_int_equal(leaf(0xa, 0)->eax | leaf(0xa, 0)->ebx |
				 leaf(0xa, 0)->ecx | leaf(0xa, 0)->edx,
			 0);
	assert_null(find(0x8000001e, 0));
}

static void amd_leaves(void **state)
{
	(void)state;
	start_amd();
	prepare(4, true);
	cpuid_set_vcpu(&table, 3);
	assert_int_equal(leaf(7, 0)->edx, UINT32_MAX & ~(1u << 29));
	assert_int_equal(leaf(7, 0)->ebx, 0);
	assert_int_equal(leaf(7, 1)->edx, UINT32_MAX);
	assert_int_equal(leaf(0x80000001, 0)->ecx, 1u << 22);
	assert_int_equal(leaf(0x80000008, 0)->ecx, 0xffff0f00 | 7 << 12 | 3);
	assert_int_equal(leaf(0x8000001d, 0)->eax, 1 << 14 | 1 << 5 | 1);
	assert_int_equal(leaf(0x8000001d, 1)->eax, 3 << 14 | 3 << 5 | 1);
	assert_int_equal(leaf(0x8000001d, 2)->eax, 0);
	assert_int_equal(leaf(0x8000001e, 0)->eax, 3);
	assert_int_equal(leaf(0x8000001e, 0)->ebx, 1 << 8 | 1);
	assert_int_equal(leaf(0x8000001e, 0)->ecx, 0);
}

/* TOPOEXT promises the leaf: without it every vCPU has the id 0. */
static void amd_ids_are_there_without_kvm_listing_them(void **state)
{
	(void)state;
	start_amd();
	leaf(0x80000000, 0)->eax = 0x80000008;
	table.header.nent--; /* 0x8000001e, the last */
	assert_null(find(0x8000001e, 0));
	prepare(4, false);
	cpuid_set_vcpu(&table, 3);
	assert_int_equal(leaf(0x8000001e, 0)->eax, 3);
	assert_int_equal(leaf(0x8000001e, 0)->ebx, 3);
	assert_int_equal(leaf(0x8000001e, 0)->flags, 0);
	assert_int_equal(leaf(0x80000000, 0)->eax, 0x8000001e);
}

static void ids_differ_and_nothing_else(void **state)
{
	static struct cpuid_table first;

	(void)state;
	start_amd();
	prepare(32, true);
	cpuid_set_vcpu(&table, 0);
	first = table;
	cpuid_set_vcpu(&table, 31);
	assert_int_equal(leaf(1, 0)->ebx >> 24, 31);
	assert_int_equal(leaf(0x8000001e, 0)->ebx, 1 << 8 | 15);
	cpuid_set_vcpu(&table, 0);
	assert_memory_equal(&first, &table, sizeof(table));
}

static void assert_brand(const char *want)
{
	char text[49] = "";

	for (uint32_t i = 0; i < 3; i++) {
		const struct kvm_cpuid_entry2 *e = leaf(0x80000002 + i, 0);

		memcpy(text + 16 * i, &e->eax, 4);
		memcpy(text + 16 * i + 4, &e->ebx, 4);
		memcpy(text + 16 * i + 8, &e->ecx, 4);
		memcpy(text + 16 * i + 12, &e->edx, 4);
	}
	assert_string_equal(text, want);
}

static void the_brand_is_a_family(void **state)
{
	(void)state;
	start_intel();
	set_text(0x80000002, "Intel(R) Xeon(R)");
	set_text(0x80000003, " Platinum 8124M ");
	set_text(0x80000004, "CPU @ 3.00GHz\0\0");
	prepare(1, false);
	assert_brand("Intel(R) Xeon(R) Processor @ 3.00GHz");
	start_intel();
	prepare(1, false);
	assert_brand("Intel(R) Xeon(R) Processor");
	start_intel();
	set_text(0x80000002,
		 " @ xxxxxxxxxxxxx"); /* longer than there is room */
	set_text(0x80000003, "xxxxxxxxxxxxxxxx");
	set_text(0x80000004, "xxxxxxxxxxxxxxxx");
	prepare(1, false);
	assert_brand("Intel(R) Xeon(R) Processor @ xxxxxxxxxxxxxxxxxx");
	start_amd();
	set_text(0x80000002, "AMD EPYC 7571 @ ");
	prepare(1, false);
	assert_brand("AMD EPYC");
}

static void the_brand_comes_from_the_processor(void **state)
{
	uint32_t want[4] = {0};

	(void)state;
	start_intel();
	add(0x80000006, 0, 0);
	cpuid_copy_host_leaves(&table);
	for (uint32_t i = 0x80000002; i <= 0x80000006; i++) {
		if (i == 0x80000005)
			continue;
		(void)__get_cpuid(i, &want[0], &want[1], &want[2], &want[3]);
		assert_memory_equal(&leaf(i, 0)->eax, want, 16);
	}
	assert_null(find(0x80000005, 0));
	assert_int_equal(leaf(0x80000008, 0)->eax, UINT32_MAX);
}

static void an_unknown_vendor_keeps_what_it_has(void **state)
{
	(void)state;
	start_intel();
	leaf(0, 0)->ebx = 0;
	set_text(0x80000002, "Other processor");
	prepare(1, false);
	assert_brand("Other processor");
	assert_int_equal(leaf(6, 0)->eax, UINT32_MAX);
	cpuid_set_vcpu(&table, 0);
	assert_levels(0xb, 1, 1, 0);
}

static void a_full_table_is_an_error(void **state)
{
	const struct cpuid_topology topology = {.vcpus = 1};
	struct err err = {0};

	(void)state;
	start_intel();
	while (table.header.nent < CPUID_ENTRIES_MAX)
		add(0x40000000 + table.header.nent, 0, 0);
	assert_int_equal(cpuid_prepare(&table, &topology, &err), -E2BIG);
	assert_string_equal(err.msg, "CPUID table is full");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_1_tells_of_a_virtual_machine),
		cmocka_unit_test(the_deadline_timer_is_there_when_kvm_has_it),
		cmocka_unit_test(topology_has_two_levels),
		cmocka_unit_test(leaf_1f_is_as_leaf_b),
		cmocka_unit_test(the_highest_leaf_counts_what_was_added),
		cmocka_unit_test(intel_leaves),
		cmocka_unit_test(amd_leaves),
		cmocka_unit_test(amd_ids_are_there_without_kvm_listing_them),
		cmocka_unit_test(ids_differ_and_nothing_else),
		cmocka_unit_test(the_brand_is_a_family),
		cmocka_unit_test(the_brand_comes_from_the_processor),
		cmocka_unit_test(an_unknown_vendor_keeps_what_it_has),
		cmocka_unit_test(a_full_table_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
