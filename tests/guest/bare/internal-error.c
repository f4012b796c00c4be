/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instruction that a KVM without hardware support has to emulate and
 * cannot. Where the processor runs it, the program says so.
 */
#include "bare.h"

void bare_main(void)
{
	static uint64_t pair[2] __attribute__((aligned(16)));
	uint64_t low = 0;
	uint64_t high = 0;

	say("say address %x", (uint64_t) && here);
here:
	__asm__ volatile("lock cmpxchg16b %0"
			 : "+m"(pair), "+a"(low), "+d"(high)
			 : "b"(UINT64_C(1)), "c"(UINT64_C(2))
			 : "cc");
	say("say emulated no");
	check("cmpxchg16b", pair[0] == 1 && pair[1] == 2);
}
