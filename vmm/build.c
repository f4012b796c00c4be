/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order here is the board: virtio devices get their addresses and
 * interrupts in the order of device_kinds[], drives with the root drive first.
 * Within KVM the order is: RAM slots, interrupt controllers, vCPUs, irqfds,
 * ioeventfds; each earlier than anything that would have to wait for it.
 */
#include "build.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "backend/console.h"
#include "backend/disk_sync.h"
#include "backend/tap.h"
#include "base/array.h"
#include "base/fd.h"
#include "core/arch.h"
#include "launch/status.h"
#include "legacy/i8042.h"
#include "legacy/uart16550.h"
#include "virtio/block.h"
#include "virtio/mmio.h"
#include "virtio/net.h"
#include "virtio/rng.h"

struct builder {
	struct vm *vm;
	const struct machine *machine;
	const struct build_fds *fds;
	unsigned virtio_count;
};

/* The one device that has a last word when the machine is over. */
static struct uart16550 *serial;

/* ---- descriptors --------------------------------------------------------- */

static int need(struct handoff *handoff, const char *role, int *ret_fd,
		struct err *err)
{
	*ret_fd = handoff_take(handoff, "%s", role);
	if (*ret_fd < 0)
		return err_say(err, EINVAL, "no descriptor with role '%s'",
			       role);
	return 0;
}

static int match_devices(struct handoff *handoff, struct build_fds *fds,
			 struct err *err)
{
	const struct machine *machine = &handoff->machine;

	for (unsigned i = 0; i < machine->drive_count; i++) {
		fds->drives[i] = handoff_take(handoff, "drive:%s",
					      machine->drives[i].id);
		if (fds->drives[i] < 0)
			return err_say(err, EINVAL,
				       "no descriptor with role 'drive:%s'",
				       machine->drives[i].id);
	}
	for (unsigned i = 0; i < machine->net_count; i++) {
		fds->nets[i] =
			handoff_take(handoff, "net:%s", machine->nets[i].id);
		if (fds->nets[i] < 0)
			return err_say(err, EINVAL,
				       "no descriptor with role 'net:%s'",
				       machine->nets[i].id);
	}
	return 0;
}

int build_match(struct handoff *handoff, struct build_fds *ret_fds,
		struct err *err)
{
	int r;

	ret_fds->status = handoff_take(handoff, "status");
	if (ret_fds->status >= 0)
		(void)fd_set_nonblocking(ret_fds->status);
	r = need(handoff, "kvm", &ret_fds->kvm, err);
	r = r < 0 ? r : need(handoff, "kernel", &ret_fds->kernel, err);
	if (r < 0)
		return r;
	ret_fds->initrd = handoff_take(handoff, "initrd");
	ret_fds->console_in = -1;
	ret_fds->console_out = -1;
	if (handoff->machine.serial.enabled) {
		ret_fds->console_in = handoff_take(handoff, "console-in");
		ret_fds->console_out = handoff_take(handoff, "console-out");
	}
	r = match_devices(handoff, ret_fds, err);
	return r < 0 ? r : handoff_finish(handoff, err);
}

/* ---- virtio devices ------------------------------------------------------ */

/*
 * Puts a device behind a register page, an interrupt line and doorbells.
 * Takes device, also on failure.
 */
static int attach_virtio(struct builder *b, const struct virtio_ops *ops,
			 void *device, struct err *err)
{
	struct vm *vm = b->vm;
	unsigned n = b->virtio_count;
	gpa_t base = arch_virtio_base(n);
	struct virtio_mmio_setup setup = {.ops = ops,
					  .device = device,
					  .memory = &vm->memory,
					  .loop = vm->loop};
	struct virtio_mmio *mmio = NULL;
	int r = n < MACHINE_VIRTIO_MAX
			? 0
			: err_say(err, ENOSPC,
				  "virtio device %u: the board has room for %d",
				  n + 1, MACHINE_VIRTIO_MAX);

	r = r < 0 ? r : vm_irq_connect(vm, arch_virtio_gsi(n), &setup.irq, err);
	r = r < 0 ? r : virtio_mmio_create(&setup, &mmio, err);
	if (r < 0) {
		ops->device.destroy(device);
		return r;
	}
	b->virtio_count++;
	for (unsigned q = 0; r == 0 && q < virtio_mmio_queue_count(mmio); q++)
		r = vm_doorbell_connect(vm, base + VIRTIO_MMIO_QUEUE_NOTIFY, q,
					virtio_mmio_notify_fd(mmio, q), err);
	if (r < 0)
		return r;
	r = bus_add(&vm->mmio, base, VIRTIO_MMIO_SIZE_BYTES,
		    &virtio_mmio_bus_ops, mmio);
	return r < 0 ? err_set(err, -r, "registers of virtio device %u", n) : 0;
}

static int add_drive(struct builder *b, unsigned index, struct err *err)
{
	const struct machine_drive *drive = &b->machine->drives[index];
	struct block_setup setup = {
		.writeback = drive->cache == CACHE_WRITEBACK,
		.id = NULL,
	};
	struct block *block;
	int r = disk_sync_create(b->fds->drives[index], drive->read_only,
				 &setup.disk, err);

	if (r < 0)
		return err_in(err, "drive '%s'", drive->id);
	r = block_create(&setup, &block, err);
	if (r < 0) {
		disk_destroy(setup.disk);
		return err_in(err, "drive '%s'", drive->id);
	}
	r = attach_virtio(b, &block_ops, block, err);
	return r < 0 ? err_in(err, "drive '%s'", drive->id) : 0;
}

/* The root drive is the first disk whatever its place in the description. */
static int add_drives(struct builder *b, struct err *err)
{
	int r = 0;

	for (int root = 1; root >= 0; root--) {
		for (unsigned i = 0; r == 0 && i < b->machine->drive_count;
		     i++) {
			if (b->machine->drives[i].root == (root == 1))
				r = add_drive(b, i, err);
		}
	}
	return r;
}

static int add_net(struct builder *b, unsigned index, struct err *err)
{
	const struct machine_net *described = &b->machine->nets[index];
	struct net_setup setup = {.loop = b->vm->loop,
				  .mtu = (uint16_t)described->mtu};
	struct net *net;
	int r = tap_open(b->fds->nets[index], &setup.link, err);

	if (r < 0)
		return r;
	memcpy(setup.mac, described->mac, sizeof(setup.mac));
	r = net_create(&setup, &net, err);
	if (r < 0) {
		setup.link.ops->destroy(setup.link.self);
		return r;
	}
	return attach_virtio(b, &net_ops, net, err);
}

static int add_nets(struct builder *b, struct err *err)
{
	for (unsigned i = 0; i < b->machine->net_count; i++) {
		int r = add_net(b, i, err);

		if (r < 0)
			return err_in(err, "net '%s'", b->machine->nets[i].id);
	}
	return 0;
}

static int add_entropy(struct builder *b, struct err *err)
{
	struct rng *rng;
	int r;

	if (!b->machine->entropy.enabled)
		return 0;
	r = rng_create(&rng, err);
	r = r < 0 ? r : attach_virtio(b, &rng_ops, rng, err);
	return r < 0 ? err_in(err, "entropy") : 0;
}

/* Order = address and interrupt order = order in a snapshot. */
static int (*const device_kinds[])(struct builder *b, struct err *err) = {
	add_drives,
	add_nets,
	add_entropy,
};

static int add_virtio_devices(struct builder *b, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(device_kinds); i++)
		r = device_kinds[i](b, err);
	return r;
}

/* ---- legacy devices ------------------------------------------------------ */

static int add_ports(struct builder *b, uint64_t port, uint64_t count,
		     const struct bus_ops *ops, void *device, const char *name,
		     struct err *err)
{
	int r = bus_add(&b->vm->pio, port, count, ops, device);

	return r < 0 ? err_set(err, -r, "ports of %s", name) : 0;
}

static int add_serial(struct builder *b, struct err *err)
{
	struct vm *vm = b->vm;
	struct uart16550_setup setup = {.loop = vm->loop};
	int r;

	if (!b->machine->serial.enabled)
		return 0;
	r = vm_irq_connect(vm, UART16550_COM1_GSI, &setup.irq, err);
	r = r < 0 ? r
		  : console_create(b->fds->console_in, b->fds->console_out,
				   &setup.console, err);
	if (r < 0)
		return err_in(err, "serial");
	r = uart16550_create(&setup, &serial, err);
	if (r < 0) {
		console_destroy(setup.console);
		return err_in(err, "serial");
	}
	return add_ports(b, UART16550_COM1_PORT, UART16550_SIZE_BYTES,
			 &uart16550_bus_ops, serial, "the serial port", err);
}

static void guest_reset(void *owner)
{
	vm_finish(owner, EXIT_STATUS_OK, "reset by the guest");
}

static int add_keyboard(struct builder *b, struct err *err)
{
	struct i8042_setup setup = {.reset = guest_reset, .owner = b->vm};
	struct i8042 *i8042 = NULL;
	int r = vm_irq_connect(b->vm, I8042_GSI, &setup.irq, err);

	r = r < 0 ? r : i8042_create(&setup, &i8042, err);
	if (r < 0)
		return err_in(err, "keyboard controller");
	r = add_ports(b, I8042_DATA_PORT, 1, &i8042_data_bus_ops, i8042,
		      "the keyboard controller", err);
	return r < 0 ? r
		     : add_ports(b, I8042_COMMAND_PORT, 1,
				 &i8042_command_bus_ops, i8042,
				 "the keyboard controller", err);
}

/* ---- the machine --------------------------------------------------------- */

static int create_vcpus(struct vm *vm, struct err *err)
{
	int run_bytes = fd_ioctl_number(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	int r = 0;

	if (run_bytes < 0)
		return err_set(err, -run_bytes, "KVM_GET_VCPU_MMAP_SIZE");
	for (unsigned i = 0; r == 0 && i < vm->machine->board.vcpus; i++) {
		vm->vcpu_count = i + 1;
		r = vcpu_create(&vm->vcpus[i], vm, i, (size_t)run_bytes, err);
	}
	return r;
}

static int load_guest(struct builder *b, struct err *err)
{
	struct arch_boot boot = {.kernel_fd = b->fds->kernel,
				 .initrd_fd = b->fds->initrd,
				 .virtio_count = b->virtio_count};
	int r = arch_load(b->vm, &boot, err);
	int kernel = b->fds->kernel;
	int initrd = b->fds->initrd;

	fd_close(&kernel);
	fd_close(&initrd);
	return r;
}

int build_vm(struct vm *vm, const struct machine *machine,
	     const struct build_fds *fds, struct err *err)
{
	struct builder b = {.vm = vm, .machine = machine, .fds = fds};
	int r = vm_create(vm, machine, fds->kvm, err);

	if (r < 0)
		return r;
	vm->status_fd = fds->status;
	status_write_phase(vm->status_fd, STATUS_MEMORY);
	r = arch_vm_create(vm, err);
	r = r < 0 ? r : create_vcpus(vm, err);
	r = r < 0 ? r : add_serial(&b, err);
	r = r < 0 ? r : add_keyboard(&b, err);
	r = r < 0 ? r : add_virtio_devices(&b, err);
	if (r < 0)
		return r;
	status_write_phase(vm->status_fd, STATUS_DEVICES);
	r = load_guest(&b, err);
	if (r < 0)
		return r;
	status_write_phase(vm->status_fd, STATUS_KERNEL);
	r = arch_vcpus_setup(vm, err);
	if (r < 0)
		return r;
	status_write_phase(vm->status_fd, STATUS_VCPUS);
	return 0;
}

void build_flush(void)
{
	if (serial != NULL)
		uart16550_flush(serial);
}
