/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu - one virtual processor and its thread "fc_vcpu N".
 */
#ifndef KILN_CORE_VCPU_H
#define KILN_CORE_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct kvm_run;
struct vm;

struct vcpu {
	struct vm *vm;
	unsigned index;
	int fd; /* -1: not created */
	struct kvm_run *run;
	size_t run_bytes;
	pthread_t thread;
	bool thread_made;
	atomic_int thread_id; /* 0 until the thread runs */
};

/* vcpu_create - KVM vCPU `index` of vm, not yet set up, no thread. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index,
		size_t run_bytes, struct err *err);
void vcpu_destroy(struct vcpu *vcpu); /* accepts half-built */

/* vcpu_start_thread - the thread confines itself, then waits for vm_run(). */
int vcpu_start_thread(struct vcpu *vcpu, struct err *err);

/* vcpu_kick - make KVM_RUN return, or not begin. Thread: any. */
void vcpu_kick(struct vcpu *vcpu);

/* vcpu_install_kick_handler - once, before any thread. */
int vcpu_install_kick_handler(void);

#endif
