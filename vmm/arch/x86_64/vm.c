/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: where RAM and devices lie, what KVM must offer, and the
 * controllers that are there before any device.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>

#include "arch/x86_64/board.h"
#include "arch/x86_64/layout.h"
#include "base/fd.h"
#include "core/arch.h"

const struct memory_range arch_memory_ranges[] = {
	{0, LAYOUT_GAP},
	{LAYOUT_AFTER_GAP, LAYOUT_RAM_END - LAYOUT_AFTER_GAP},
	{0, 0},
};

const struct arch_capability arch_capabilities[] = {
	{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
	{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
	{KVM_CAP_IRQFD, "KVM_CAP_IRQFD"},
	{KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD"},
	{KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
	{KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
	{KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
	{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
	{0, NULL},
};

gpa_t arch_virtio_base(unsigned n)
{
	return LAYOUT_VIRTIO + (gpa_t)n * ARCH_VIRTIO_BYTES;
}

uint32_t arch_virtio_gsi(unsigned n)
{
	return LAYOUT_GSI_VIRTIO + n;
}

static void power_off(void *owner)
{
	vm_finish(owner, EXIT_STATUS_OK, "power-off by the guest");
}

/* Two ranges that Intel processors without unrestricted guest mode need. */
static int reserve_intel_pages(const struct vm *vm, struct err *err)
{
	uint64_t identity_map = LAYOUT_IDENTITY_MAP;
	int r = fd_ioctl_number(vm->vm_fd, KVM_SET_TSS_ADDR, LAYOUT_TSS);

	if (r < 0)
		return err_set(err, -r, "KVM_SET_TSS_ADDR");
	r = fd_ioctl(vm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	return r < 0 ? err_set(err, -r, "KVM_SET_IDENTITY_MAP_ADDR") : 0;
}

int arch_vm_create(struct vm *vm, struct err *err)
{
	int r;

	vm->arch = calloc(1, sizeof(*vm->arch));
	if (vm->arch == NULL)
		return err_set(err, ENOMEM, "board");
	r = reserve_intel_pages(vm, err);
	r = r < 0 ? r : irqchip_create(&vm->arch->irqchip, vm, err);
	if (r < 0)
		return r;
	vm->arch->power = (struct power){.off = power_off, .owner = vm};
	r = bus_add(&vm->pio, LAYOUT_PORT_SLEEP_CONTROL, POWER_PORTS,
		    &power_bus_ops, &vm->arch->power);
	return r < 0 ? err_set(err, -r, "power port") : 0;
}

void arch_vm_destroy(struct vm *vm)
{
	free(vm->arch);
	vm->arch = NULL;
}

void arch_irq_attach(struct vm *vm, struct irq_line *line)
{
	irqchip_attach(&vm->arch->irqchip, line);
}
