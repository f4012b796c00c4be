/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare - the runtime of a bare guest: a program of a few KiB that is booted in
 * the place of a kernel, tests what it was made for, and prints a verdict a
 * line on COM1:
 *
 *	ok NAME                       the behaviour is there
 *	FAIL NAME: got X, want Y      it is not
 *	say KEY VALUE                 for the test on the host to judge
 *	done N ok M failed            last line; then the machine resets
 *
 * One stack per processor, no interrupts until the program wants them, memory
 * is mapped 1:1. A program defines bare_main().
 */
#ifndef KILN_BARE_H
#define KILN_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define PORT_COM1  0x3f8
#define PORT_I8042 0x60
#define PORT_SLEEP 0x600

/* ---- what the loader left (cpu.S) ---------------------------------------- */

extern uint64_t first_info; /* start_info or zero page */
extern uint64_t first_rsp, first_cr0, first_cr3, first_cr4, first_efer;
extern uint64_t boot_is_pvh;
extern const char bare_end[];

/* The command line, wherever the protocol has put it. */
const char *cmdline(void);
bool cmdline_has(const char *word);
/* The number behind "name=", decimal; fallback when it is not there. */
uint64_t cmdline_number(const char *name, uint64_t fallback);

/* ---- ports and registers ------------------------------------------------- */

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outs(uint16_t port, const void *data, size_t len)
{
	__asm__ volatile("rep outsb"
			 : "+S"(data), "+c"(len)
			 : "d"(port)
			 : "memory");
}

static inline uint32_t read32(uint64_t at)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static inline void write32(uint64_t at, uint32_t value)
{
	__asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(at) : "memory");
}

static inline uint64_t read64(uint64_t at)
{
	uint64_t value;

	__asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static inline void write64(uint64_t at, uint64_t value)
{
	__asm__ volatile("movq %0, (%1)" : : "r"(value), "r"(at) : "memory");
}

static inline uint16_t read16(uint64_t at)
{
	uint16_t value;

	__asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static inline void write16(uint64_t at, uint16_t value)
{
	__asm__ volatile("movw %0, (%1)" : : "r"(value), "r"(at) : "memory");
}

static inline uint8_t read8(uint64_t at)
{
	uint8_t value;

	__asm__ volatile("movb (%1), %0" : "=q"(value) : "r"(at) : "memory");
	return value;
}

static inline void write8(uint64_t at, uint8_t value)
{
	__asm__ volatile("movb %0, (%1)" : : "q"(value), "r"(at) : "memory");
}

/* A full fence that every emulator of instructions knows. */
static inline void fence(void)
{
	__asm__ volatile("lock orl $0, (%%rsp)" : : : "memory", "cc");
}

void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);

/* ---- console and verdicts ------------------------------------------------ */

/* Directives: %s, %u (uint64_t), %x (uint64_t, with 0x). One call, one line;
 * lines of several processors do not mix. */
void say(const char *format, ...);

void ok(const char *name);
/* Format as say(): what was got, what is right. */
void fail(const char *name, const char *format, ...);
void check(const char *name, bool holds);
void check_eq(const char *name, uint64_t got, uint64_t want);

/* The last line, then a reset by the keyboard controller. */
__attribute__((noreturn)) void done(void);
__attribute__((noreturn)) void reset(void);
__attribute__((noreturn)) void halt(void);

void bare_main(void);

#endif
