/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch - what each architecture defines for itself: one body in
 * arch/x86_64/, one in arch/aarch64/; the Makefile links exactly one.
 */
#ifndef KILN_CORE_ARCH_H
#define KILN_CORE_ARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/memory.h"
#include "core/vm.h"

/* Where RAM may lie, lowest first; ends with a range of size 0. */
extern const struct memory_range arch_memory_ranges[];

/* KVM capabilities without which nothing works; ends with number 0. */
struct arch_capability {
	int number;
	const char *name;
};
extern const struct arch_capability arch_capabilities[];

/* Where virtio device n sits and which interrupt it has. */
gpa_t arch_virtio_base(unsigned n);
uint32_t arch_virtio_gsi(unsigned n);
#define ARCH_VIRTIO_BYTES 0x1000

/* arch_vm_create - interrupt controllers. After the memory slots, before the
 * vCPUs. Gives vm->arch. */
int arch_vm_create(struct vm *vm, struct err *err);
void arch_vm_destroy(struct vm *vm); /* accepts half-built */

/* arch_irq_attach - let an interrupt controller of ours see the line too. */
void arch_irq_attach(struct vm *vm, struct irq_line *line);

/* What the loader needs and what it says to the vCPUs. */
struct arch_boot {
	int kernel_fd; /* borrowed */
	int initrd_fd; /* borrowed; -1: none */
	unsigned virtio_count;
};

/* arch_load - kernel, initrd, command line and tables into RAM. */
int arch_load(struct vm *vm, const struct arch_boot *boot, struct err *err);

/* arch_vcpus_setup - identification, registers; every vCPU is created. */
int arch_vcpus_setup(struct vm *vm, struct err *err);

/* arch_vcpu_before_run - right before each KVM_RUN. Thread: vcpu. */
void arch_vcpu_before_run(struct vcpu *vcpu);

/*
 * arch_vcpu_exit - handle an exit that vcpu.c does not know.
 * Return: 0 go on; -ENOSYS nobody knows it. Thread: vcpu.
 */
int arch_vcpu_exit(struct vcpu *vcpu);

/* arch_vcpu_where - "rip 0x..." for the line that says where it ended. */
void arch_vcpu_where(const struct vcpu *vcpu, char *out, size_t size_bytes);

#endif
