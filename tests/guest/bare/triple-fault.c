/* SPDX-License-Identifier: Apache-2.0 */
/* An exception without an IDT. */
#include "bare.h"

void bare_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0, 0};

	ok("before");
	__asm__ volatile("lidt %0\n\tud2" : : "m"(none));
	fail("triple-fault", "still running");
}
