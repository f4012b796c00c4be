/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vCPU: what it says it is, how it starts, and the exits that only x86
 * knows.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>

#include "arch/x86_64/board.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/regs.h"
#include "base/fd.h"
#include "core/arch.h"

static int setup_one(struct vm *vm, struct vcpu *vcpu,
		     struct cpuid_table *table, struct err *err)
{
	int r;

	cpuid_set_vcpu(table, vcpu->index);
	r = fd_ioctl(vcpu->fd, KVM_SET_CPUID2, &table->header);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_CPUID2");
	r = regs_set_msrs(vcpu->fd, err);
	r = r < 0 ? r : regs_set_fpu(vcpu->fd, err);
	r = r < 0 ? r : regs_set_lapic(vcpu->fd, err);
	if (r == 0 && vcpu->index == 0)
		r = regs_set_boot(vcpu->fd, &vm->arch->kernel, err);
	return r;
}

int arch_vcpus_setup(struct vm *vm, struct err *err)
{
	static struct cpuid_table table;
	struct cpuid_topology topology = {
		.vcpus = vm->vcpu_count,
		.smt = vm->machine->board.smt,
		.tsc_deadline = fd_ioctl_number(vm->kvm_fd, KVM_CHECK_EXTENSION,
						KVM_CAP_TSC_DEADLINE_TIMER) > 0,
	};
	int r = cpuid_supported(vm->kvm_fd, &table, err);

	r = r < 0 ? r : cpuid_prepare(&table, &topology, err);
	for (unsigned i = 0; r == 0 && i < vm->vcpu_count; i++) {
		r = setup_one(vm, &vm->vcpus[i], &table, err);
		if (r < 0)
			return err_in(err, "vCPU %u", i);
	}
	return r;
}

void arch_vcpu_before_run(struct vcpu *vcpu)
{
	irqchip_inject(&vcpu->vm->arch->irqchip, vcpu);
}

/* String instructions move `count` items in one exit. */
static void handle_ports(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	const struct bus *bus = &vcpu->vm->pio;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			(void)bus_write(bus, run->io.port, data, run->io.size);
		else
			(void)bus_read(bus, run->io.port, data, run->io.size);
	}
}

int arch_vcpu_exit(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_ports(vcpu);
		return 0;
	case KVM_EXIT_IOAPIC_EOI:
		ioapic_eoi(&vcpu->vm->arch->irqchip.ioapic, run->eoi.vector);
		return 0;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return 0; /* arch_vcpu_before_run() injects */
	default:
		return -ENOSYS;
	}
}

void arch_vcpu_where(const struct vcpu *vcpu, char *out, size_t size_bytes)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (fd_ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    fd_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		(void)snprintf(out, size_bytes, "an unknown rip");
	else
		(void)snprintf(out, size_bytes,
			       "rip 0x%llx (cr0 0x%llx cr2 0x%llx cr3 0x%llx)",
			       (unsigned long long)regs.rip,
			       (unsigned long long)sregs.cr0,
			       (unsigned long long)sregs.cr2,
			       (unsigned long long)sregs.cr3);
}
