/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - the seccomp filter of the calling thread.
 *
 * Each thread confines itself once it has all that it will ever open, before
 * any guest code runs; there is no way back. What a policy does not allow ends
 * the process: its default action raises SIGSYS, and the handler installed here
 * says which call it was (an unprivileged user cannot read the audit log). If
 * the handler is blocked or gone, the kernel ends the process by that signal.
 */
#ifndef KILN_CORE_CONFINE_H
#define KILN_CORE_CONFINE_H

#include "base/err.h"
#include "launch/machine.h"

/*
 * confine_install_handler - for the process, before any confine_thread().
 * The handler writes "kiln-vmm: denied: syscall N in thread NAME at ip 0x..."
 * to descriptor 2 and ends with EXIT_STATUS_BAD_SYSCALL.
 */
int confine_install_handler(struct err *err);

/*
 * confine_thread - no new privileges, then the filter profiles/seccomp/ has
 * for a thread of that kind ("loop", "vcpu"), for the calling thread alone.
 * mode: SECCOMP_LOG: the kernel logs what the policy does not allow, and it
 * runs; SECCOMP_OFF: nothing is done. Thread: any, once each.
 * Return: 0; -ENOENT when there is no such policy; -errno.
 */
int confine_thread(const char *thread, enum machine_seccomp mode,
		   struct err *err);

#endif
