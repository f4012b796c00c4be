/* SPDX-License-Identifier: Apache-2.0 */
/* Never ends by itself: spins, or sleeps with interrupts off ("sleep"). */
#include "bare.h"

void bare_main(void)
{
	bool sleep = cmdline_has("sleep");

	ok("running");
	for (;;) {
		if (sleep)
			__asm__ volatile("cli; hlt");
	}
}
