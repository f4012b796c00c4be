/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread: confine, wait for vm_run(), then KVM_RUN for ever. Exits that
 * any board has are handled here, the rest by arch_vcpu_exit(). When the
 * machine is over the thread sleeps until the process exits.
 *
 * A kick is a signal plus kvm_run.immediate_exit: the flag catches the window
 * between the check before KVM_RUN and the entry itself.
 */
#include "core/vcpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/arch.h"
#include "core/confine.h"
#include "core/vm.h"

#define STACK_BYTES (64u << 10)
#define KICK_SIGNAL (SIGRTMIN)

/* Linux 6.13 makes a helper thread at the first KVM_RUN and may say ENOMEM
 * while that thread starts; it is worth a second try, not more. */
#define ENOMEM_TRIES 10

static _Thread_local struct vcpu *current_vcpu;

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index,
		size_t run_bytes, struct err *err)
{
	void *run;

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->run_bytes = run_bytes;
	vcpu->fd = fd_ioctl_number(vm->vm_fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return err_set(err, -vcpu->fd, "KVM_CREATE_VCPU %u", index);
	run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu->fd, 0);
	if (run == MAP_FAILED)
		return err_set(err, errno, "map the run page of vCPU %u",
			       index);
	vcpu->run = run;
	return 0;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run != NULL)
		(void)munmap(vcpu->run, vcpu->run_bytes);
	vcpu->run = NULL;
	fd_close(&vcpu->fd);
}

static void kicked(int signal)
{
	(void)signal;
	if (current_vcpu != NULL)
		current_vcpu->run->immediate_exit = 1;
}

int vcpu_install_kick_handler(void)
{
	struct sigaction action = {.sa_handler = kicked};

	return sigaction(KICK_SIGNAL, &action, NULL) < 0 ? -errno : 0;
}

void vcpu_kick(struct vcpu *vcpu)
{
	int tid = atomic_load(&vcpu->thread_id);

	if (tid > 0)
		(void)syscall(SYS_tgkill, getpid(), tid, KICK_SIGNAL);
}

static void handle_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct bus *bus = &vcpu->vm->mmio;

	if (run->mmio.is_write)
		(void)bus_write(bus, run->mmio.phys_addr, run->mmio.data,
				run->mmio.len);
	else
		(void)bus_read(bus, run->mmio.phys_addr, run->mmio.data,
			       run->mmio.len);
}

static void handle_internal_error(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	char where[96];

	arch_vcpu_where(vcpu, where, sizeof(where));
	vm_finish(vcpu->vm, EXIT_STATUS_KVM,
		  "vCPU %u: KVM internal error, suberror %u at %s", vcpu->index,
		  run->internal.suberror, where);
}

static void handle_shutdown(const struct vcpu *vcpu)
{
	char where[96];

	arch_vcpu_where(vcpu, where, sizeof(where));
	vm_finish(vcpu->vm, EXIT_STATUS_TRIPLE_FAULT,
		  "vCPU %u: triple fault at %s", vcpu->index, where);
}

static void handle_unknown(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	char where[96];

	arch_vcpu_where(vcpu, where, sizeof(where));
	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		vm_finish(
			vcpu->vm, EXIT_STATUS_KVM,
			"vCPU %u: KVM cannot enter the guest, reason 0x%llx at %s",
			vcpu->index,
			(unsigned long long)
				run->fail_entry.hardware_entry_failure_reason,
			where);
	else
		vm_finish(vcpu->vm, EXIT_STATUS_KVM,
			  "vCPU %u: KVM exit %u is not handled, at %s",
			  vcpu->index, run->exit_reason, where);
}

static void handle_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_MMIO:
		handle_mmio(vcpu);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		handle_internal_error(vcpu);
		break;
	case KVM_EXIT_SHUTDOWN:
		handle_shutdown(vcpu);
		break;
	case KVM_EXIT_INTR:
		break;
	default:
		if (arch_vcpu_exit(vcpu) < 0)
			handle_unknown(vcpu);
	}
}

/* One entry. Return: false when the machine is over. */
static bool run_once(struct vcpu *vcpu, int *enomem_tries)
{
	char where[96];
	int r;

	arch_vcpu_before_run(vcpu);
	r = fd_ioctl_number(vcpu->fd, KVM_RUN, 0);
	if (r == 0) {
		handle_exit(vcpu);
		return true;
	}
	if (r == -EINTR || r == -EAGAIN) {
		vcpu->run->immediate_exit = 0;
		return true;
	}
	if (r == -ENOMEM && --*enomem_tries > 0)
		return true;
	arch_vcpu_where(vcpu, where, sizeof(where));
	vm_finish(vcpu->vm, EXIT_STATUS_KVM, "vCPU %u: KVM_RUN: %s at %s",
		  vcpu->index, strerror(-r), where);
	return false;
}

static bool is_over(struct vm *vm)
{
	return atomic_load_explicit(&vm->over, memory_order_relaxed);
}

/* Named, confined, and told to go. */
static void wait_for_start(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	char name[16];
	struct err err = {0};

	(void)snprintf(name, sizeof(name), "fc_vcpu %u", vcpu->index);
	(void)prctl(PR_SET_NAME, name);
	current_vcpu = vcpu;
	atomic_store(&vcpu->thread_id, (int)syscall(SYS_gettid));
	if (confine_thread("vcpu",
			   (enum machine_seccomp)vm->machine->confine.seccomp,
			   &err) < 0)
		vm_finish(vm, EXIT_STATUS_VMM, "vCPU %u: %s", vcpu->index,
			  err.msg);
	(void)sem_post(&vm->vcpus_confined);
	while (sem_wait(&vm->vcpus_go) < 0 && errno == EINTR)
		;
}

static void *vcpu_main(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;
	int enomem_tries = ENOMEM_TRIES;

	wait_for_start(vcpu);
	while (!is_over(vm) && run_once(vcpu, &enomem_tries))
		;
	for (;;)
		(void)pause();
	return NULL;
}

int vcpu_start_thread(struct vcpu *vcpu, struct err *err)
{
	pthread_attr_t attributes;
	int r;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	r = pthread_create(&vcpu->thread, &attributes, vcpu_main, vcpu);
	(void)pthread_attr_destroy(&attributes);
	if (r != 0)
		return err_set(err, r, "thread of vCPU %u", vcpu->index);
	vcpu->thread_made = true;
	return 0;
}
