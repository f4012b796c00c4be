/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that says a line on the serial port and sleeps: interrupts off,
 * halted for ever. */
#include "note.inc"
start:
	cli
	movw $0x3f8, %dx
	movb $'i', %al
	outb %al, %dx
	movb $'\n', %al
	outb %al, %dx
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
