/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What C cannot say: tables, the way into C, interrupt entry, and the code an
 * application processor runs from its SIPI to C.
 *
 * The tables map 1:1 the first 16 MiB and the two megabytes with the virtio
 * registers, the IOAPIC and the LAPIC; they are data, because a KVM that
 * emulates kernel mode takes its time for every instruction. map() adds more.
 */
#define TRAMPOLINE 0x40000	/* see cpu.h */
#define STACK_BYTES 4096

	.data
	.balign 4096
	.globl tables_pml4, tables_pdpt
tables_pml4:
	.quad tables_pdpt + 3
	.fill 511, 8, 0
tables_pdpt:
	.quad tables_low + 3, 0, 0, tables_gap + 3
	.fill 508, 8, 0
tables_low:
	.set address, 0
	.rept 8
	.quad address + 0x83
	.set address, address + 0x200000
	.endr
	.fill 504, 8, 0
tables_gap:
	.quad 0xc0000083
	.fill 0x1f5, 8, 0
	.quad 0xfec00083, 0xfee00083
	.fill 8, 8, 0

	.balign 16
	.globl gdt_pointer
gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_pointer:
	.word . - gdt - 1
	.quad gdt

	.globl first_info, first_rsp, first_cr0, first_cr3, first_cr4
	.globl first_efer, boot_is_pvh
first_info:	.quad 0
first_rsp:	.quad 0
first_cr0:	.quad 0
first_cr3:	.quad 0
first_cr4:	.quad 0
first_efer:	.quad 0
boot_is_pvh:	.quad 0

	.bss
	.balign 16
	.skip 16384
stack_top:
	.skip STACK_BYTES * 32
ap_stacks_end:

	.text
	.code64
	.globl start_long
start_long:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	leaq stack_top(%rip), %rsp
	call bare_start
1:	hlt
	jmp 1b

/* ---- interrupts ---------------------------------------------------------- */

	.globl interrupt_stubs
	.balign 16
interrupt_stubs:
	.set vector, 0
	.rept 96
	.balign 16
	pushq $vector
	jmp interrupt_common
	.set vector, vector + 1
	.endr

interrupt_common:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	movq 72(%rsp), %rdi		/* vector */
	leaq 80(%rsp), %rsi		/* error code or rip */
	cld
	call interrupt_entry
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	addq $8, %rsp
	iretq

/* ---- application processors ---------------------------------------------- */

	.globl trampoline, trampoline_end
trampoline:
	.code16
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt - trampoline
	movl $0x11, %eax
	movl %eax, %cr0
	ljmpl $0x18, $(TRAMPOLINE + trampoline32 - trampoline)
trampoline_gdt:
	.word 31
	.long gdt
	.code32
trampoline32:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $0x20, %eax
	movl %eax, %cr4
	movl $tables_pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	movl $0x100, %eax
	xorl %edx, %edx
	wrmsr
	movl $0x80000011, %eax
	movl %eax, %cr0
	ljmpl $0x08, $trampoline64
trampoline_end:
	.code64
trampoline64:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $-STACK_BYTES, %eax	/* every processor its own stack */
	lock xaddl %eax, ap_stack(%rip)
	movl %eax, %esp
	call ap_main
1:	hlt
	jmp 1b

	.data
ap_stack:
	.long ap_stacks_end

	.section .note.GNU-stack, "", @progbits
