/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that ends with its second instruction: reset by the i8042. */
#include "note.inc"
start:
	movb $0xfe, %al
	outb %al, $0x64
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
