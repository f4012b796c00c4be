/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PVH start (Xen docs/misc/pvh.pandoc): 32-bit protected mode, flat segments,
 * no paging, ebx = start_info. From here to long mode with our own tables.
 */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

	.section .note.pvh, "a", @note
	.align 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long start

	.section .text.start, "ax"
	.code32
	.globl start
start:
	cli
	movl %cr0, %eax
	movl %eax, first_cr0
	movl %cr4, %eax
	movl %eax, first_cr4
	movl %ebx, first_info
	movl $1, boot_is_pvh
	lgdtl gdt_pointer
	movl $tables_pml4, %eax
	movl %eax, %cr3
	movl $0x20, %eax		/* CR4.PAE */
	movl %eax, %cr4
	movl $0xc0000080, %ecx		/* EFER.LME */
	movl $0x100, %eax
	xorl %edx, %edx
	wrmsr
	movl $0x80000011, %eax		/* CR0.PG, ET, PE */
	movl %eax, %cr0
	ljmpl $0x08, $start_long

	.section .note.GNU-stack, "", @progbits
