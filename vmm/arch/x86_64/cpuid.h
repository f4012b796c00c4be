/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid - what the guest's CPUID instruction says: KVM's supported leaves made
 * uniform, so that guests see the machine they were given and not the host's.
 * Topology: one package, `vcpus` cores or, with SMT, pairs of threads.
 * Sources: Intel SDM vol. 2A CPUID; AMD APM vol. 3 appendix E.
 */
#ifndef KILN_ARCH_X86_64_CPUID_H
#define KILN_ARCH_X86_64_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "base/err.h"

#define CPUID_ENTRIES_MAX 128

/* header.entries[] has room for CPUID_ENTRIES_MAX. */
struct cpuid_table {
	union {
		struct kvm_cpuid2 header;
		char room[sizeof(struct kvm_cpuid2) +
			  CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2)];
	};
};

struct cpuid_topology {
	unsigned vcpus; /* 1 to 32 */
	bool smt;       /* two threads a core */
	bool tsc_deadline;
};

/* cpuid_supported - KVM_GET_SUPPORTED_CPUID, with cpuid_copy_host_leaves():
 * the base for every vCPU. */
int cpuid_supported(int kvm_fd, struct cpuid_table *ret_table, struct err *err);

/* cpuid_copy_host_leaves - brand (0x80000002 to 4) and caches (0x80000005, 6)
 * as this processor has them, into entries that are in the table. */
void cpuid_copy_host_leaves(struct cpuid_table *table);

/*
 * cpuid_prepare - the part that all vCPUs share; may append leaves of the
 * topology.
 * cpuid_set_vcpu - the part that differs: APIC ids. Call it for each vCPU in
 * turn on the same table.
 */
int cpuid_prepare(struct cpuid_table *table,
		  const struct cpuid_topology *topology, struct err *err);
void cpuid_set_vcpu(struct cpuid_table *table, unsigned index);

#endif
