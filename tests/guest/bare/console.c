/* SPDX-License-Identifier: Apache-2.0 */
#include "bare.h"

#include <stdarg.h>

#define LINE_MAX  256
#define POLLS_MAX 1000
#define LSR_THRE  0x20

struct line {
	char text[LINE_MAX];
	size_t len;
};

static volatile uint8_t console_lock;
static unsigned passed;
static unsigned failed;

static void put(struct line *line, char c)
{
	if (line->len < LINE_MAX - 1)
		line->text[line->len++] = c;
}

static void put_text(struct line *line, const char *text)
{
	while (*text != '\0')
		put(line, *text++);
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (base == 16)
		put_text(line, "0x");
	while (n > 0)
		put(line, digits[--n]);
}

static void put_directive(struct line *line, char directive, va_list *args)
{
	if (directive == 's')
		put_text(line, va_arg(*args, const char *));
	else if (directive == 'u')
		put_number(line, va_arg(*args, uint64_t), 10);
	else if (directive == 'x')
		put_number(line, va_arg(*args, uint64_t), 16);
	else
		put(line, directive);
}

static void put_format(struct line *line, const char *format, va_list *args)
{
	for (; *format != '\0'; format++) {
		if (*format != '%')
			put(line, *format);
		else
			put_directive(line, *++format, args);
	}
}

static void send(struct line *line)
{
	line->text[line->len++] = '\n';
	while (__atomic_exchange_n(&console_lock, 1, __ATOMIC_ACQUIRE) != 0)
		;
	/* A machine without the port reads as zero for ever. */
	for (unsigned i = 0; i < POLLS_MAX; i++) {
		if (inb(PORT_COM1 + 5) & LSR_THRE)
			break;
	}
	outs(PORT_COM1, line->text, line->len);
	__atomic_store_n(&console_lock, 0, __ATOMIC_RELEASE);
}

void say(const char *format, ...)
{
	struct line line = {.len = 0};
	va_list args;

	va_start(args, format);
	put_format(&line, format, &args);
	va_end(args);
	send(&line);
}

void ok(const char *name)
{
	passed++;
	say("ok %s", name);
}

void fail(const char *name, const char *format, ...)
{
	struct line line = {.len = 0};
	va_list args;

	failed++;
	put_text(&line, "FAIL ");
	put_text(&line, name);
	put_text(&line, ": ");
	va_start(args, format);
	put_format(&line, format, &args);
	va_end(args);
	send(&line);
}

void check(const char *name, bool holds)
{
	if (holds)
		ok(name);
	else
		fail(name, "it is not so");
}

void check_eq(const char *name, uint64_t got, uint64_t want)
{
	if (got == want)
		ok(name);
	else
		fail(name, "got %x, want %x", got, want);
}

void halt(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

void reset(void)
{
	outb(PORT_I8042 + 4, 0xfe);
	halt();
}

void done(void)
{
	say("done %u ok %u failed", (uint64_t)passed, (uint64_t)failed);
	reset();
}
