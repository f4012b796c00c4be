/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fd.h"
#include "core/arch.h"
#include "core/confine.h"
#include "launch/status.h"

#define KVM_API 12 /* the only version since Linux 2.6.22 */

/* Some hosts answer EINTR while they spawn the machine's recovery thread. */
#define CREATE_TRIES 5

static int check_kvm(int kvm_fd, struct err *err)
{
	int version = fd_ioctl_number(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version < 0)
		return err_set(err, -version, "/dev/kvm: KVM_GET_API_VERSION");
	if (version != KVM_API)
		return err_say(err, ENOSYS, "/dev/kvm: API version %d, not %d",
			       version, KVM_API);
	for (const struct arch_capability *c = arch_capabilities; c->number > 0;
	     c++) {
		if (fd_ioctl_number(kvm_fd, KVM_CHECK_EXTENSION,
				    (unsigned long)c->number) <= 0)
			return err_say(err, ENOSYS,
				       "/dev/kvm: this host's KVM lacks %s",
				       c->name);
	}
	return 0;
}

static int create_machine(struct vm *vm, struct err *err)
{
	int fd = -EINTR;

	for (int tries = CREATE_TRIES; fd == -EINTR && tries > 0; tries--)
		fd = fd_ioctl_number(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (fd < 0)
		return err_set(err, -fd, "KVM_CREATE_VM");
	vm->vm_fd = fd;
	return 0;
}

static int add_memory_slots(const struct vm *vm, struct err *err)
{
	for (unsigned i = 0; i < vm->memory.region_count; i++) {
		const struct memory_region *region = &vm->memory.regions[i];
		struct kvm_userspace_memory_region slot = {
			.slot = i,
			.guest_phys_addr = region->base,
			.memory_size = region->size_bytes,
			.userspace_addr = (uintptr_t)region->host,
		};
		int r = fd_ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot);

		if (r < 0)
			return err_set(err, -r, "memory slot %u", i);
	}
	return 0;
}

static size_t count_ranges(void)
{
	size_t count = 0;

	while (arch_memory_ranges[count].size_bytes > 0)
		count++;
	return count;
}

int vm_create(struct vm *vm, const struct machine *machine, int kvm_fd,
	      struct err *err)
{
	int r;

	memset(vm, 0, sizeof(*vm));
	vm->machine = machine;
	vm->kvm_fd = kvm_fd;
	vm->vm_fd = -1;
	vm->status_fd = -1;
	atomic_flag_clear(&vm->finished);
	(void)sem_init(&vm->vcpus_confined, 0, 0);
	(void)sem_init(&vm->vcpus_go, 0, 0);
	for (unsigned i = 0; i < VM_VCPUS_MAX; i++)
		vm->vcpus[i].fd = -1;
	r = event_loop_create(&vm->loop);
	if (r < 0)
		return err_set(err, -r, "event loop");
	r = check_kvm(kvm_fd, err);
	r = r < 0 ? r : create_machine(vm, err);
	r = r < 0 ? r
		  : guest_memory_create(
			    machine->board.memory_bytes,
			    (enum machine_pages)machine->board.huge_pages,
			    arch_memory_ranges, count_ranges(), &vm->memory,
			    err);
	return r < 0 ? r : add_memory_slots(vm, err);
}

void vm_destroy(struct vm *vm)
{
	if (vm == NULL)
		return;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_destroy(&vm->vcpus[i]);
	arch_vm_destroy(vm);
	guest_memory_destroy(&vm->memory);
	event_loop_destroy(vm->loop);
	fd_close(&vm->vm_fd);
	fd_close(&vm->kvm_fd);
}

int vm_irq_connect(struct vm *vm, uint32_t gsi, struct irq_line *ret_line,
		   struct err *err)
{
	int fd = event_notifier_create();
	struct kvm_irqfd irqfd = {.fd = (uint32_t)fd, .gsi = gsi};
	int r;

	if (fd < 0)
		return err_set(err, -fd, "eventfd for interrupt %u", gsi);
	r = fd_ioctl(vm->vm_fd, KVM_IRQFD, &irqfd);
	if (r < 0) {
		fd_close(&fd);
		return err_set(err, -r, "KVM_IRQFD for interrupt %u", gsi);
	}
	*ret_line = (struct irq_line){.event_fd = fd, .gsi = gsi};
	arch_irq_attach(vm, ret_line);
	return 0;
}

int vm_doorbell_connect(const struct vm *vm, gpa_t address, uint32_t match,
			int event_fd, struct err *err)
{
	struct kvm_ioeventfd bell = {
		.datamatch = match,
		.addr = address,
		.len = 4,
		.fd = event_fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};
	int r = fd_ioctl(vm->vm_fd, KVM_IOEVENTFD, &bell);

	if (r < 0)
		return err_set(err, -r, "KVM_IOEVENTFD at 0x%llx",
			       (unsigned long long)address);
	return 0;
}

int vm_confine(struct vm *vm, struct err *err)
{
	enum machine_seccomp mode =
		(enum machine_seccomp)vm->machine->confine.seccomp;
	int r = vcpu_install_kick_handler();

	if (r < 0)
		return err_set(err, -r, "vCPU kick handler");
	r = confine_install_handler(err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		r = vcpu_start_thread(&vm->vcpus[i], err);
		if (r < 0)
			return r;
	}
	/* Each filter costs 40 us or more, so the threads load theirs at the
	 * same time. */
	r = confine_thread("loop", mode, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		while (sem_wait(&vm->vcpus_confined) < 0 && errno == EINTR)
			;
	}
	return 0;
}

enum exit_status vm_run(struct vm *vm)
{
	int r;

	status_write_phase(vm->status_fd, STATUS_STARTED);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		(void)sem_post(&vm->vcpus_go);
	r = event_loop_run(vm->loop);
	if (r < 0)
		vm_finish(vm, EXIT_STATUS_BUG, "event loop: %s", strerror(-r));
	return vm->exit_code;
}

void vm_finish(struct vm *vm, enum exit_status code, const char *fmt, ...)
{
	va_list args;

	if (atomic_flag_test_and_set(&vm->finished))
		return;
	vm->exit_code = code;
	va_start(args, fmt);
	(void)vsnprintf(vm->exit_text, sizeof(vm->exit_text), fmt, args);
	va_end(args);
	atomic_store(&vm->over, true);
	event_loop_stop(vm->loop);
}
