/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm - one virtual machine: its KVM handle, RAM, buses, vCPUs and loop.
 *
 * Life: vm_create() -> devices and vCPUs are added (build.c) -> vm_confine()
 * -> vm_run() until somebody calls vm_finish() -> the process exits. Between
 * create and run everything happens on the main thread.
 */
#ifndef KILN_CORE_VM_H
#define KILN_CORE_VM_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "core/bus.h"
#include "core/event.h"
#include "core/irq.h"
#include "core/memory.h"
#include "core/vcpu.h"
#include "launch/exit_status.h"
#include "launch/machine.h"

#define VM_VCPUS_MAX 32

struct arch_vm;

struct vm {
	const struct machine *machine; /* borrowed */
	int kvm_fd;
	int vm_fd;
	int status_fd; /* -1: nobody listens */
	struct guest_memory memory;
	struct event_loop *loop;
	struct bus mmio;
	struct bus pio; /* ports; empty where the architecture has none */
	struct vcpu vcpus[VM_VCPUS_MAX];
	unsigned vcpu_count;
	struct arch_vm *arch; /* interrupt controllers, power port, ... */

	sem_t vcpus_confined; /* posted once by every vCPU thread */
	sem_t vcpus_go;       /* posted once for every vCPU thread */

	atomic_flag finished; /* who finished first has the word */
	atomic_bool over;     /* vCPUs stop entering the guest */
	enum exit_status exit_code;
	char exit_text[ERR_MSG_MAX];
};

/*
 * vm_create - KVM machine with its RAM, nothing else. Takes kvm_fd.
 * The order matters: memory slots come before anything that registers a device
 * inside KVM, or the next slot waits for a grace period of milliseconds.
 */
int vm_create(struct vm *vm, const struct machine *machine, int kvm_fd,
	      struct err *err);
void vm_destroy(struct vm *vm); /* accepts NULL and half-built */

/* vm_irq_connect - an eventfd that raises gsi. Gives line->event_fd. */
int vm_irq_connect(struct vm *vm, uint32_t gsi, struct irq_line *ret_line,
		   struct err *err);

/* vm_doorbell_connect - a 4-byte write of `match` at `address` signals
 * event_fd inside KVM, without an exit to this process. */
int vm_doorbell_connect(const struct vm *vm, gpa_t address, uint32_t match,
			int event_fd, struct err *err);

/* vm_confine - make the vCPU threads, put every thread behind its filter.
 * Nothing can be opened after this. */
int vm_confine(struct vm *vm, struct err *err);

/* vm_run - let the vCPUs go, serve the loop. Return: how it ended. */
enum exit_status vm_run(struct vm *vm);

/* vm_finish - the machine ends, with this code and line; the first caller
 * wins. Thread: any. */
void vm_finish(struct vm *vm, enum exit_status code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
