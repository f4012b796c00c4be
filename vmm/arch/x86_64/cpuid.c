/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of rules: which leaf, whose processors, what to do with it. Rules
 * see one entry at a time and the topology, nothing else.
 */
#include "arch/x86_64/cpuid.h"

#include <cpuid.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/fd.h"

/* Leaf 1, ECX. */
#define L1C_PDCM         (1u << 15)
#define L1C_TSC_DEADLINE (1u << 24)
#define L1C_HYPERVISOR   (1u << 31)
/* Leaf 1, EDX. */
#define L1D_HTT          (1u << 28)

/* Topology levels of leaf 0xb (Intel SDM, table 3-17). */
#define LEVEL_SMT     1u
#define LEVEL_CORE    2u
#define PACKAGE_SHIFT 5 /* up to 32 APIC ids a package */

enum vendor {
	VENDOR_ANY,
	VENDOR_INTEL,
	VENDOR_AMD
};

struct rule {
	uint32_t function;
	enum vendor vendor;
	void (*apply)(struct kvm_cpuid_entry2 *e,
		      const struct cpuid_topology *topology);
};

static unsigned next_power_of_two(unsigned value)
{
	unsigned power = 1;

	while (power < value)
		power *= 2;
	return power;
}

static unsigned threads_per_core(const struct cpuid_topology *t)
{
	return t->smt && t->vcpus > 1 ? 2 : 1;
}

static void set_bits(uint32_t *reg, uint32_t bits, bool on)
{
	*reg = on ? *reg | bits : *reg & ~bits;
}

/* EBX: CLFLUSH line of 8 quadwords, logical processors; the APIC id comes per
 * vCPU. */
static void leaf_1(struct kvm_cpuid_entry2 *e, const struct cpuid_topology *t)
{
	e->ebx = (e->ebx & 0xffu) | 8u << 8 | next_power_of_two(t->vcpus) << 16;
	set_bits(&e->ecx, L1C_PDCM, false);
	set_bits(&e->ecx, L1C_HYPERVISOR, true);
	set_bits(&e->ecx, L1C_TSC_DEADLINE, t->tsc_deadline);
	set_bits(&e->edx, L1D_HTT, t->vcpus > 1);
}

/* EAX[25:14]: threads that share a cache, less one; [31:26]: cores. */
static void intel_leaf_4(struct kvm_cpuid_entry2 *e,
			 const struct cpuid_topology *t)
{
	unsigned level = e->eax >> 5 & 7;
	unsigned sharing = level < 3 ? threads_per_core(t) : t->vcpus;
	unsigned cores = t->vcpus / threads_per_core(t);

	if ((e->eax & 0x1f) == 0)
		return;
	e->eax = (e->eax & 0x3fffu) | (sharing - 1) << 14 | (cores - 1) << 26;
}

/* No turbo (EAX[1]), no energy bias (ECX[3]). */
static void intel_leaf_6(struct kvm_cpuid_entry2 *e,
			 const struct cpuid_topology *t)
{
	(void)t;
	set_bits(&e->eax, 1u << 1, false);
	set_bits(&e->ecx, 1u << 3, false);
}

/* EBX[6], [13]: no x87 data pointer, no FCS/FDS; ECX[5]: WAITPKG off. */
static void intel_leaf_7(struct kvm_cpuid_entry2 *e,
			 const struct cpuid_topology *t)
{
	(void)t;
	if (e->index != 0)
		return;
	set_bits(&e->ebx, 1u << 6 | 1u << 13, true);
	set_bits(&e->ecx, 1u << 5, false);
}

/* No performance counters for guests. */
static void intel_leaf_a(struct kvm_cpuid_entry2 *e,
			 const struct cpuid_topology *t)
{
	(void)t;
	e->eax = 0;
	e->ebx = 0;
	e->ecx = 0;
	e->edx = 0;
}

/* EDX[29]: ARCH_CAPABILITIES is an Intel MSR that KVM emulates anyway. */
static void amd_leaf_7(struct kvm_cpuid_entry2 *e,
		       const struct cpuid_topology *t)
{
	(void)t;
	if (e->index == 0)
		set_bits(&e->edx, 1u << 29, false);
}

/* ECX[22]: topology leaves 0x8000001d and 0x8000001e are there. */
static void amd_leaf_80000001(struct kvm_cpuid_entry2 *e,
			      const struct cpuid_topology *t)
{
	(void)t;
	set_bits(&e->ecx, 1u << 22, true);
}

/* ECX[7:0]: threads less one; [15:12]: bits of the APIC id for them. */
static void amd_leaf_80000008(struct kvm_cpuid_entry2 *e,
			      const struct cpuid_topology *t)
{
	e->ecx = (e->ecx & ~0xf0ffu) | (t->vcpus - 1) | 7u << 12;
}

/* EAX[25:14]: threads that share this cache, less one. */
static void amd_leaf_8000001d(struct kvm_cpuid_entry2 *e,
			      const struct cpuid_topology *t)
{
	unsigned level = e->eax >> 5 & 7;
	unsigned sharing = level < 3 ? threads_per_core(t) : t->vcpus;

	if ((e->eax & 0x1f) != 0)
		e->eax = (e->eax & ~0x3ffc000u) | (sharing - 1) << 14;
}

/* EBX[15:8]: threads a core, less one; ECX: one node; ids come per vCPU. */
static void amd_leaf_8000001e(struct kvm_cpuid_entry2 *e,
			      const struct cpuid_topology *t)
{
	e->eax = 0;
	e->ebx = (threads_per_core(t) - 1) << 8;
	e->ecx = 0;
	e->edx = 0;
}

static void leaf_b(struct kvm_cpuid_entry2 *e, const struct cpuid_topology *t)
{
	e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	e->eax = 0;
	e->ebx = 0;
	e->ecx = e->index;
	if (e->index == 0) {
		e->eax = threads_per_core(t) - 1;
		e->ebx = threads_per_core(t);
		e->ecx |= LEVEL_SMT << 8;
	} else if (e->index == 1) {
		e->eax = PACKAGE_SHIFT;
		e->ebx = t->vcpus;
		e->ecx |= LEVEL_CORE << 8;
	}
}

static const struct rule rules[] = {
	{0x1, VENDOR_ANY, leaf_1},
	{0x4, VENDOR_INTEL, intel_leaf_4},
	{0x6, VENDOR_INTEL, intel_leaf_6},
	{0x7, VENDOR_INTEL, intel_leaf_7},
	{0x7, VENDOR_AMD, amd_leaf_7},
	{0xa, VENDOR_INTEL, intel_leaf_a},
	{0xb, VENDOR_ANY, leaf_b},
	{0x1f, VENDOR_INTEL, leaf_b},
	{0x80000001, VENDOR_AMD, amd_leaf_80000001},
	{0x80000008, VENDOR_AMD, amd_leaf_80000008},
	{0x8000001d, VENDOR_AMD, amd_leaf_8000001d},
	{0x8000001e, VENDOR_AMD, amd_leaf_8000001e},
};

static struct kvm_cpuid_entry2 *find(struct cpuid_table *table,
				     uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < table->header.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->header.entries[i];

		if (e->function == function && e->index == index)
			return e;
	}
	return NULL;
}

/*
 * The processor's brand, L1 and L2 caches and TLBs: KVM answers them with
 * zeroes, or not at all, by version.
 */
void cpuid_copy_host_leaves(struct cpuid_table *table)
{
	static const uint32_t leaves[] = {0x80000002, 0x80000003, 0x80000004,
					  0x80000005, 0x80000006};

	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		struct kvm_cpuid_entry2 *e = find(table, leaves[i], 0);

		if (e != NULL)
			(void)__get_cpuid(leaves[i], &e->eax, &e->ebx, &e->ecx,
					  &e->edx);
	}
}

int cpuid_supported(int kvm_fd, struct cpuid_table *ret_table, struct err *err)
{
	int r;

	memset(ret_table, 0, sizeof(*ret_table));
	ret_table->header.nent = CPUID_ENTRIES_MAX;
	r = fd_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &ret_table->header);
	if (r < 0)
		return err_set(err, -r, "KVM_GET_SUPPORTED_CPUID");
	cpuid_copy_host_leaves(ret_table);
	return 0;
}

/* The vendor's name lies in EBX, EDX, ECX of leaf 0; four bytes tell. */
static enum vendor vendor_of(struct cpuid_table *table)
{
	const struct kvm_cpuid_entry2 *e = find(table, 0, 0);

	if (e != NULL && e->ebx == 0x756e6547) /* "Genu" */
		return VENDOR_INTEL;
	if (e != NULL && e->ebx == 0x68747541) /* "Auth" */
		return VENDOR_AMD;
	return VENDOR_ANY;
}

/* A leaf that is not there yet is added, empty, for a rule to fill; leaf 0 of
 * its half (basic, extended) then counts up to it. */
static int require_leaf(struct cpuid_table *table, uint32_t function,
			uint32_t index, struct err *err)
{
	struct kvm_cpuid_entry2 *limit = find(table, function & 1u << 31, 0);

	if (find(table, function, index) != NULL)
		return 0;
	if (table->header.nent >= CPUID_ENTRIES_MAX)
		return err_say(err, E2BIG, "CPUID table is full");
	table->header.entries[table->header.nent++] = (struct kvm_cpuid_entry2){
		.function = function,
		.index = index,
	};
	if (limit != NULL && limit->eax < function)
		limit->eax = function;
	return 0;
}

/*
 * Leaves that say where a vCPU sits: both levels of 0xb always, of its
 * successor 0x1f where the host has it (KVM lists the first level alone, and
 * a guest that finds one level takes each vCPU for a package), and AMD's own,
 * which TOPOEXT promises.
 */
static int require_topology(struct cpuid_table *table, enum vendor vendor,
			    struct err *err)
{
	bool has_1f = vendor == VENDOR_INTEL && find(table, 0x1f, 0) != NULL;
	int r = 0;

	for (uint32_t level = 0; r == 0 && level < 2; level++) {
		r = require_leaf(table, 0xb, level, err);
		if (r == 0 && has_1f)
			r = require_leaf(table, 0x1f, level, err);
	}
	if (r == 0 && vendor == VENDOR_AMD)
		r = require_leaf(table, 0x8000001e, 0, err);
	return r;
}

#define BRAND_BYTES 48
#define BRAND_LEAF  0x80000002u /* and two more, 16 bytes each */

/* The three leaves as one string; false when one is missing. */
static bool read_brand(struct cpuid_table *table, char out[BRAND_BYTES + 1])
{
	for (uint32_t i = 0; i < 3; i++) {
		const struct kvm_cpuid_entry2 *e =
			find(table, BRAND_LEAF + i, 0);

		if (e == NULL)
			return false;
		memcpy(out + 16 * i, &e->eax, 4);
		memcpy(out + 16 * i + 4, &e->ebx, 4);
		memcpy(out + 16 * i + 8, &e->ecx, 4);
		memcpy(out + 16 * i + 12, &e->edx, 4);
	}
	out[BRAND_BYTES] = '\0';
	return true;
}

static void write_brand(struct cpuid_table *table, const char *brand)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct kvm_cpuid_entry2 *e = find(table, BRAND_LEAF + i, 0);

		memcpy(&e->eax, brand + 16 * i, 4);
		memcpy(&e->ebx, brand + 16 * i + 4, 4);
		memcpy(&e->ecx, brand + 16 * i + 8, 4);
		memcpy(&e->edx, brand + 16 * i + 12, 4);
	}
}

/*
 * Guests see a family name, not the host's model. Intel's keeps the nominal
 * frequency (" @ 2.50GHz"), which some guests read out of it.
 */
static void set_brand(struct cpuid_table *table, enum vendor vendor)
{
	char host[BRAND_BYTES + 1];
	char brand[BRAND_BYTES + 1] = "AMD EPYC";
	const char *frequency;

	if (vendor == VENDOR_ANY || !read_brand(table, host))
		return;
	if (vendor == VENDOR_INTEL) {
		frequency = strstr(host, " @ ");
		(void)snprintf(brand, BRAND_BYTES, /* with its NUL */
			       "Intel(R) Xeon(R) Processor%s",
			       frequency == NULL ? "" : frequency);
	}
	write_brand(table, brand);
}

int cpuid_prepare(struct cpuid_table *table,
		  const struct cpuid_topology *topology, struct err *err)
{
	enum vendor vendor = vendor_of(table);
	int r = require_topology(table, vendor, err);

	for (uint32_t i = 0; r == 0 && i < table->header.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->header.entries[i];

		for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
			if (rules[k].function == e->function &&
			    (rules[k].vendor == VENDOR_ANY ||
			     rules[k].vendor == vendor))
				rules[k].apply(e, topology);
		}
	}
	if (r == 0)
		set_brand(table, vendor);
	return r;
}

void cpuid_set_vcpu(struct cpuid_table *table, unsigned index)
{
	for (uint32_t i = 0; i < table->header.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->header.entries[i];

		switch (e->function) {
		case 0x1:
			e->ebx = (e->ebx & 0x00ffffffu) | index << 24;
			break;
		case 0xb:
		case 0x1f:
			e->edx = index;
			break;
		case 0x8000001e:
			e->eax = index;
			e->ebx = (e->ebx & ~0xffu) |
				 index / ((e->ebx >> 8 & 0xff) + 1);
			break;
		default:
			break;
		}
	}
}
