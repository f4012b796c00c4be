/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest machine: a line, a reset. */
#include "bare.h"

void bare_main(void)
{
	ok("hello");
}
