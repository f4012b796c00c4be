/* SPDX-License-Identifier: Apache-2.0 */
/* The 16550A's register file, as a driver looks for it (TI PC16550D). Verdicts
 * wait until the end: what is printed goes through the device under test. */
#include "bare.h"

#define RBR (PORT_COM1 + 0)
#define IER (PORT_COM1 + 1)
#define IIR (PORT_COM1 + 2)
#define FCR (PORT_COM1 + 2)
#define LCR (PORT_COM1 + 3)
#define MCR (PORT_COM1 + 4)
#define LSR (PORT_COM1 + 5)
#define MSR (PORT_COM1 + 6)
#define SCR (PORT_COM1 + 7)

#define LCR_DLAB 0x80
#define LSR_DR   0x01
#define LSR_OE   0x02
#define MCR_LOOP 0x10

struct finding {
	const char *name;
	uint64_t got, want;
};

static struct finding findings[40];
static unsigned finding_count;

static void note(const char *name, uint64_t got, uint64_t want)
{
	if (finding_count < ARRAY_LEN(findings))
		findings[finding_count++] = (struct finding){name, got, want};
}

static void check_divisor(void)
{
	outb(LCR, LCR_DLAB | 3);
	outb(RBR, 0x34);
	outb(IER, 0x12);
	note("dll", inb(RBR), 0x34);
	note("dlm", inb(IER), 0x12);
	outb(RBR, 1);
	outb(IER, 0);
	outb(LCR, 3);
	note("lcr", inb(LCR), 3);
	note("ier-apart", inb(IER), 0);
}

static void check_plain(void)
{
	outb(SCR, 0x5a);
	note("scratch", inb(SCR), 0x5a);
	outb(SCR, 0xa5);
	note("scratch-again", inb(SCR), 0xa5);
	outb(IER, 0xff);
	note("ier-mask", inb(IER), 0x0f);
	outb(IER, 0);
	note("lsr-empty", inb(LSR) & 0x7f, 0x60);
	outb(MCR, 0xff & ~MCR_LOOP);
	note("mcr-mask", inb(MCR) & 0xe0, 0);
	outb(MCR, 0);
}

static void check_identity(void)
{
	outb(FCR, 0);
	note("iir-none", inb(IIR), 0x01);
	outb(FCR, 0x07);
	note("iir-fifo", inb(IIR), 0xc1);
	outb(IER, 2);
	note("iir-thre", inb(IIR) & 0x0f, 0x02);
	note("iir-thre-read", inb(IIR) & 0x0f, 0x01);
	outb(IER, 0);
}

static void check_loop_lines(void)
{
	/* MCR DTR, RTS, OUT1, OUT2 -> MSR DSR, CTS, RI, DCD. */
	static const uint8_t pairs[][2] = {
		{0x01, 0x20}, {0x02, 0x10}, {0x04, 0x40}, {0x08, 0x80}};
	static const char *const names[] = {"loop-dtr", "loop-rts", "loop-out1",
					    "loop-out2"};

	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		outb(MCR, MCR_LOOP | pairs[i][0]);
		note(names[i], inb(MSR) & 0xf0, pairs[i][1]);
	}
}

static void check_loop_data(void)
{
	outb(MCR, MCR_LOOP);
	outb(RBR, 'k');
	note("loop-ready", inb(LSR) & LSR_DR, LSR_DR);
	outb(IER, 1);
	note("loop-iir", inb(IIR) & 0x0f, 0x04);
	outb(IER, 0);
	note("loop-data", inb(RBR), 'k');
	note("loop-empty", inb(LSR) & LSR_DR, 0);
	/* The FIFO keeps order, and forgets at a reset of it. */
	outb(RBR, 'a');
	outb(RBR, 'b');
	note("loop-first", inb(RBR), 'a');
	outb(FCR, 0x03);
	note("fifo-reset", inb(LSR) & LSR_DR, 0);
	for (unsigned i = 0; i < 100; i++)
		outb(RBR, (uint8_t)i);
	note("overrun", inb(LSR) & LSR_OE, LSR_OE);
	note("overrun-read", inb(LSR) & LSR_OE, 0);
	note("overrun-first", inb(RBR), 0);
	outb(FCR, 0x07);
	outb(MCR, 0);
}

void bare_main(void)
{
	check_divisor();
	check_plain();
	check_identity();
	check_loop_lines();
	check_loop_data();
	outb(IER, 0);
	outb(LCR, 3);
	for (unsigned i = 0; i < finding_count; i++)
		check_eq(findings[i].name, findings[i].got, findings[i].want);
}
