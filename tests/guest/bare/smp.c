/* SPDX-License-Identifier: Apache-2.0 */
/* Every processor is started by INIT and SIPI and says who it is. */
#include "cpu.h"

#define SPINS_MAX 400000000u

static volatile uint32_t arrived;

static uint64_t own_apic_id(void)
{
	return cpuid(1, 0).ebx >> 24;
}

static void arrive(void)
{
	uint64_t id = own_apic_id();

	if (read32(LAPIC_ID) >> 24 != id)
		fail("lapic-id", "got %u, want %u",
		     (uint64_t)(read32(LAPIC_ID) >> 24), id);
	if (cpuid(0xb, 0).edx != id)
		fail("x2apic-id", "got %u, want %u",
		     (uint64_t)cpuid(0xb, 0).edx, id);
	say("say cpu %u", id);
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
}

void bare_main(void)
{
	uint64_t count = cmdline_number("vcpus=", 1);

	lapic_enable();
	ap_program = arrive;
	check_eq("boot-cpu", own_apic_id(), 0);
	/* CPUID 1 EBX: logical processors, a power of two (SDM vol. 2). */
	check("cpuid-count", (cpuid(1, 0).ebx >> 16 & 0xff) >= count);
	check("cpuid-b", cpuid(0xb, 1).ebx == count);
	arrive();
	for (unsigned id = 1; id < count; id++)
		ap_start(id);
	for (unsigned i = 0; i < SPINS_MAX && arrived < count; i++)
		;
	check_eq("arrived", arrived, count);
}
