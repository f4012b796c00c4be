/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_guest - a guest of a few hundred bytes that runs the instructions
 * which tell a KVM that can run Linux from one that cannot. It needs no file
 * but /dev/kvm and leaves nothing behind. Thread: one at a time (SIGALRM).
 */
#ifndef KILN_JAILER_DOCTOR_GUEST_H
#define KILN_JAILER_DOCTOR_GUEST_H

#include "base/err.h"

/*
 * doctor_guest_run - borrows kvm_fd, an open /dev/kvm.
 * Return: 0, with the number of kinds of instructions that passed; -ENOTSUP
 * when KVM gave up emulating an instruction; -EPROTO when the guest did not get
 * to its end otherwise; the message says at which instruction. Another -errno:
 * KVM refused to make the machine.
 */
int doctor_guest_run(int kvm_fd, unsigned *ret_steps, struct err *err);

#endif
