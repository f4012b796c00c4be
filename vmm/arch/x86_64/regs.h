/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regs - the state in which a vCPU meets its kernel.
 *
 *	PVH      32-bit protected mode, flat segments, no paging
 *	Linux64  64-bit mode, identity map of the first GiB
 *
 * Sources: Xen PVH start ABI; Linux Documentation/arch/x86/boot.rst, "64-bit
 * boot protocol"; contract of the x86 board.
 */
#ifndef KILN_ARCH_X86_64_REGS_H
#define KILN_ARCH_X86_64_REGS_H

#include "base/err.h"
#include "boot/kernel.h"
#include "core/memory.h"

/* regs_write_tables - GDT, IDT and, for 64-bit mode, page tables into RAM. */
int regs_write_tables(const struct guest_memory *memory, struct err *err);

/* regs_set_boot - general, segment, control and FPU registers of vCPU 0. */
int regs_set_boot(int vcpu_fd, const struct boot_kernel *kernel,
		  struct err *err);

/* regs_set_fpu, regs_set_msrs, regs_set_lapic - of every vCPU. */
int regs_set_fpu(int vcpu_fd, struct err *err);
int regs_set_msrs(int vcpu_fd, struct err *err);
int regs_set_lapic(int vcpu_fd, struct err *err);

#endif
