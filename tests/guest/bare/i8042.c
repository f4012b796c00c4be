/* SPDX-License-Identifier: Apache-2.0 */
/* The keyboard controller, as far as Linux probes it (IBM PS/2 reference,
 * keyboard and auxiliary device controller). */
#include "bare.h"

#define DATA    0x60
#define COMMAND 0x64

#define STATUS_OUTPUT 0x01
#define STATUS_INPUT  0x02

static unsigned answer(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		if (inb(COMMAND) & STATUS_OUTPUT)
			return inb(DATA);
	}
	return 0x100;
}

static unsigned command(uint8_t value)
{
	outb(COMMAND, value);
	return answer();
}

void bare_main(void)
{
	check_eq("never-full", inb(COMMAND) & STATUS_INPUT, 0);
	while (inb(COMMAND) & STATUS_OUTPUT)
		(void)inb(DATA);
	/* The command byte is what was written. */
	outb(COMMAND, 0x60);
	outb(DATA, 0x47);
	check_eq("command-byte", command(0x20), 0x47);
	check_eq("empty-after", inb(COMMAND) & STATUS_OUTPUT, 0);
	outb(COMMAND, 0x60);
	outb(DATA, 0x61);
	check_eq("command-byte-again", command(0x20), 0x61);
	/* The output port: bit 0 is the reset line, up while the machine is. */
	check_eq("output-port", command(0xd0) & 1, 1);
	/* A byte for the keyboard is acknowledged. */
	outb(DATA, 0xf4);
	check_eq("keyboard-ack", answer(), 0xfa);
	/* Nobody reads: bytes pile up, and the controller lives. */
	for (unsigned i = 0; i < 1000; i++)
		outb(DATA, 0xf4);
	while (inb(COMMAND) & STATUS_OUTPUT)
		(void)inb(DATA);
	outb(COMMAND, 0x60);
	outb(DATA, 0x47);
	check_eq("works-after-flood", command(0x20), 0x47);
}
