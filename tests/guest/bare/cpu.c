/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu.h"

#define TRAMPOLINE 0x40000u /* free RAM below 640 KiB; see cpu.S */
#define TABLES_MAX 16
#define SPINS_MAX  200000000u

/* ICR (Intel SDM vol. 3, §11.6.1). */
#define ICR_INIT    0x4500u
#define ICR_STARTUP 0x4600u
#define ICR_PENDING (1u << 12)

extern uint64_t tables_pdpt[512];
extern const uint8_t interrupt_stubs[];
extern const uint8_t trampoline[], trampoline_end[];

void interrupt_entry(uint64_t vector, const uint64_t *frame);
void ap_main(void);

volatile uint32_t interrupt_counts[VECTORS];
void (*volatile interrupt_handlers[VECTORS])(void);
void (*ap_program)(void);

static uint64_t spare_tables[TABLES_MAX][512] __attribute__((aligned(4096)));
static unsigned spare_used;
static struct {
	uint64_t low, high;
} idt[VECTORS] __attribute__((aligned(16)));

void map(uint64_t address)
{
	uint64_t *entry = &tables_pdpt[address >> 30 & 511];
	uint64_t *table;

	if (*entry == 0) {
		if (spare_used == TABLES_MAX) {
			fail("map", "no table left for %x", address);
			done();
		}
		*entry = (uint64_t)spare_tables[spare_used++] | 3;
	}
	table = (uint64_t *)(*entry & ~UINT64_C(0xfff));
	table[address >> 21 & 511] = (address & ~UINT64_C(0x1fffff)) | 0x83;
}

void interrupts_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned i = 0; i < VECTORS; i++) {
		uint64_t at = (uint64_t)interrupt_stubs + i * 16u;

		idt[i].low = (at & 0xffff) | UINT64_C(8) << 16 |
			     UINT64_C(0x8e00) << 32 | (at >> 16 & 0xffff) << 48;
		idt[i].high = at >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void interrupt_entry(uint64_t vector, const uint64_t *frame)
{
	if (vector < 32) {
		fail("exception", "vector %u, stack %x %x", vector, frame[0],
		     frame[1]);
		done();
	}
	if (vector >= VECTORS)
		return;
	interrupt_counts[vector]++;
	if (interrupt_handlers[vector] != NULL)
		interrupt_handlers[vector]();
	write32(LAPIC_EOI, 0);
}

bool wait_interrupt(unsigned vector, uint32_t count)
{
	interrupts_on();
	for (unsigned i = 0; i < SPINS_MAX; i++) {
		if (interrupt_counts[vector] >= count)
			break;
	}
	interrupts_off();
	return interrupt_counts[vector] >= count;
}

void lapic_enable(void)
{
	write32(LAPIC_SVR, 0x100 | 0x5f);
}

uint32_t ioapic_read(unsigned reg)
{
	write32(IOAPIC, reg);
	return read32(IOAPIC + 0x10);
}

void ioapic_write(unsigned reg, uint32_t value)
{
	write32(IOAPIC, reg);
	write32(IOAPIC + 0x10, value);
}

void ioapic_route(unsigned pin, unsigned vector, unsigned apic_id, bool masked)
{
	ioapic_write(0x11 + 2 * pin, apic_id << 24);
	ioapic_write(0x10 + 2 * pin, vector | (masked ? 1u << 16 : 0));
}

/* Intel 8259A data sheet, initialisation command words. */
void pic_init(uint16_t unmasked)
{
	static const struct {
		uint8_t port, value;
	} words[] = {
		{0x20, 0x11}, {0x21, 0x20}, {0x21, 0x04}, {0x21, 0x01},
		{0xa0, 0x11}, {0xa1, 0x28}, {0xa1, 0x02}, {0xa1, 0x01},
	};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		outb(words[i].port, words[i].value);
	outb(0x21, (uint8_t)~unmasked);
	outb(0xa1, (uint8_t)(~unmasked >> 8));
}

void ap_main(void)
{
	ap_program();
	halt();
}

static void send_ipi(unsigned apic_id, uint32_t command)
{
	write32(LAPIC_ICR2, apic_id << 24);
	write32(LAPIC_ICR, command);
	while (read32(LAPIC_ICR) & ICR_PENDING)
		;
}

void ap_start(unsigned apic_id)
{
	/* Both ends are labels of cpu.S. */
	memcpy((void *)(uint64_t)TRAMPOLINE, trampoline,
	       /* cppcheck-suppress comparePointers */
	       (size_t)(trampoline_end - trampoline));
	send_ipi(apic_id, ICR_INIT);
	send_ipi(apic_id, ICR_STARTUP | TRAMPOLINE >> 12);
	send_ipi(apic_id, ICR_STARTUP | TRAMPOLINE >> 12);
}
