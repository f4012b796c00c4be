/* SPDX-License-Identifier: Apache-2.0 */
/* Off by the ACPI sleep control register (ACPI 6.5 §4.8.3.7): S5, enable. */
#include "bare.h"

void bare_main(void)
{
	/* A sleep type without the enable bit, and another type, do nothing. */
	outb(PORT_SLEEP, 5 << 2);
	outb(PORT_SLEEP, 1 << 2 | 1 << 5);
	ok("still-on");
	outb(PORT_SLEEP, 5 << 2 | 1 << 5);
	for (volatile unsigned i = 0; i < 1000000; i++)
		;
	fail("poweroff", "still running");
	halt();
}
