/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/irqchip.h"

#include <linux/kvm.h>

#include "arch/x86_64/layout.h"
#include "base/array.h"
#include "base/fd.h"

/* The whole table at once is what KVM takes; masked pins are left out. */
static void set_routes(void *owner, const struct ioapic_route *routes)
{
	struct irqchip *chip = owner;
	union {
		struct kvm_irq_routing header;
		char room[sizeof(struct kvm_irq_routing) +
			  IOAPIC_PINS * sizeof(struct kvm_irq_routing_entry)];
	} table = {.room = {0}};
	int r;

	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		if (routes[pin].address == 0)
			continue;
		table.header.entries[table.header.nr++] =
			(struct kvm_irq_routing_entry){
				.gsi = pin,
				.type = KVM_IRQ_ROUTING_MSI,
				.u.msi.address_lo =
					(uint32_t)routes[pin].address,
				.u.msi.data = routes[pin].data,
			};
	}
	r = fd_ioctl(chip->vm->vm_fd, KVM_SET_GSI_ROUTING, &table.header);
	if (r < 0)
		vm_finish(chip->vm, EXIT_STATUS_KVM,
			  "KVM_SET_GSI_ROUTING: errno %d", -r);
}

static void pic_ready(void *owner)
{
	struct irqchip *chip = owner;

	vcpu_kick(&chip->vm->vcpus[0]);
}

static int create_split(struct irqchip *chip, struct err *err)
{
	struct vm *vm = chip->vm;
	struct kvm_enable_cap cap = {.cap = KVM_CAP_SPLIT_IRQCHIP,
				     .args = {IOAPIC_PINS}};
	int r = fd_ioctl(vm->vm_fd, KVM_ENABLE_CAP, &cap);

	if (r < 0)
		return err_set(
			err, -r,
			"split interrupt controller (KVM_CAP_SPLIT_IRQCHIP)");
	ioapic_init(&chip->ioapic);
	chip->ioapic.routes_changed = set_routes;
	chip->ioapic.owner = chip;
	pic_init(&chip->pic);
	chip->pic.ready = pic_ready;
	chip->pic.owner = chip;
	r = bus_add(&vm->mmio, LAYOUT_IOAPIC, IOAPIC_BYTES, &ioapic_bus_ops,
		    &chip->ioapic);
	r = r < 0 ? r
		  : bus_add(&vm->pio, PIC_PORT_MASTER, 2, &pic_master_bus_ops,
			    &chip->pic);
	r = r < 0 ? r
		  : bus_add(&vm->pio, PIC_PORT_SLAVE, 2, &pic_slave_bus_ops,
			    &chip->pic);
	return r < 0 ? err_set(err, -r, "interrupt controllers") : 0;
}

int irqchip_create(struct irqchip *chip, struct vm *vm, struct err *err)
{
	int r;

	chip->vm = vm;
	chip->split = vm->machine->board.irqchip == IRQCHIP_SPLIT;
	if (chip->split)
		return create_split(chip, err);
	r = fd_ioctl_number(vm->vm_fd, KVM_CREATE_IRQCHIP, 0);
	return r < 0 ? err_set(err, -r, "KVM_CREATE_IRQCHIP") : 0;
}

static void raise_pic(void *controller, uint32_t gsi)
{
	pic_raise(controller, gsi);
}

void irqchip_attach(struct irqchip *chip, struct irq_line *line)
{
	if (!chip->split || line->gsi >= PIC_LINES)
		return;
	line->also = raise_pic;
	line->controller = &chip->pic;
}

void irqchip_inject(struct irqchip *chip, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_interrupt interrupt;
	int vector;

	run->request_interrupt_window = 0;
	if (!chip->split || vcpu->index != 0 ||
	    !atomic_load(&chip->pic.pending))
		return;
	if (!run->ready_for_interrupt_injection) {
		run->request_interrupt_window = 1;
		return;
	}
	vector = pic_take_vector(&chip->pic);
	if (vector < 0)
		return;
	interrupt.irq = (uint32_t)vector;
	(void)fd_ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt);
	run->request_interrupt_window = atomic_load(&chip->pic.pending);
}
