/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu - interrupts, their controllers, other processors, and the page tables.
 */
#ifndef KILN_BARE_CPU_H
#define KILN_BARE_CPU_H

#include "bare.h"

#define IOAPIC 0xfec00000u
#define LAPIC  0xfee00000u

/* LAPIC registers (Intel SDM vol. 3, table 11-1). */
#define LAPIC_ID    (LAPIC + 0x020)
#define LAPIC_EOI   (LAPIC + 0x0b0)
#define LAPIC_SVR   (LAPIC + 0x0f0)
#define LAPIC_ICR   (LAPIC + 0x300)
#define LAPIC_ICR2  (LAPIC + 0x310)
#define LAPIC_LINT0 (LAPIC + 0x350)

#define VECTORS 96 /* 0x20 to 0x5f are for programs */

/* map - 1:1 page tables for the 2 MiB around address. */
void map(uint64_t address);

/* interrupts_init - load the IDT. An exception ends the program with FAIL. */
void interrupts_init(void);

/* How often each vector has come. */
extern volatile uint32_t interrupt_counts[VECTORS];

/* Called for each interrupt, before its end is told to the LAPIC. */
extern void (*volatile interrupt_handlers[VECTORS])(void);

/* wait_interrupt - with interrupts on, until the vector has come `count` times
 * in all; false when it does not come. */
bool wait_interrupt(unsigned vector, uint32_t count);

static inline void interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

void lapic_enable(void);

/* ioapic_route - edge, fixed, to processor `apic_id`. */
void ioapic_route(unsigned pin, unsigned vector, unsigned apic_id, bool masked);
uint32_t ioapic_read(unsigned reg);
void ioapic_write(unsigned reg, uint32_t value);

/* pic_init - lines at vectors 0x20 to 0x2f, all masked but `unmasked`. */
void pic_init(uint16_t unmasked);

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* ap_start - INIT and SIPI to a processor; it arrives in ap_main(), which the
 * program sets. */
void ap_start(unsigned apic_id);
extern void (*ap_program)(void);

#endif
