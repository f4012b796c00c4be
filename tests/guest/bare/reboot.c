/* SPDX-License-Identifier: Apache-2.0 */
/* Reset as Linux does it with reboot=k: the keyboard controller's pulse. */
#include "bare.h"

void bare_main(void)
{
	ok("before");
	outb(PORT_I8042 + 4, 0xfe);
	for (volatile unsigned i = 0; i < 1000000; i++)
		;
	fail("reboot", "still running");
	halt();
}
