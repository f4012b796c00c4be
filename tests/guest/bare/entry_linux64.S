/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 64-bit Linux start (Linux Documentation/x86/boot.rst, 64-bit boot protocol):
 * long mode, rsi = zero page. What was found is kept for the program to judge;
 * then our own tables replace those of the VMM.
 */
	.section .text.start, "ax"
	.code64
	.globl start
start:
	cli
	movq %rsp, first_rsp(%rip)
	movq %rsi, first_info(%rip)
	movq %cr0, %rax
	movq %rax, first_cr0(%rip)
	movq %cr3, %rax
	movq %rax, first_cr3(%rip)
	movq %cr4, %rax
	movq %rax, first_cr4(%rip)
	movl $0xc0000080, %ecx
	rdmsr
	movl %eax, first_efer(%rip)
	lgdt gdt_pointer(%rip)
	movq $tables_pml4, %rax
	movq %rax, %cr3
	jmp start_long

	.section .note.GNU-stack, "", @progbits
