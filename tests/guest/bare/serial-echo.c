/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in goes out, up to a Ctrl-D; then `kib=` KiB of lines, with
 * `window=` each time so many KiB have gone a wait for a byte from the host. */
#include "bare.h"

#define LSR      (PORT_COM1 + 5)
#define LSR_DR   1
#define LSR_THRE 0x20
#define CTRL_D   4

static char lines[1024];

static uint8_t get(void)
{
	while (!(inb(LSR) & LSR_DR))
		;
	return inb(PORT_COM1);
}

static void echo(void)
{
	for (uint8_t c = get(); c != CTRL_D; c = get()) {
		while (!(inb(LSR) & LSR_THRE))
			;
		outb(PORT_COM1, c);
	}
}

static void fill(void)
{
	for (unsigned i = 0; i < sizeof(lines); i++)
		lines[i] = i % 64 == 63 ? '\n' : (char)('!' + i % 64);
}

static void flood(void)
{
	uint64_t kib = cmdline_number("kib=", 0);
	uint64_t window = cmdline_number("window=", 0);

	fill();
	for (uint64_t i = 1; i <= kib; i++) {
		while (!(inb(LSR) & LSR_THRE))
			;
		outs(PORT_COM1, lines, sizeof(lines));
		if (window != 0 && i % window == 0)
			(void)get();
	}
}

void bare_main(void)
{
	say("say ready");
	echo();
	say("say flood");
	flood();
	say("say flooded");
}
