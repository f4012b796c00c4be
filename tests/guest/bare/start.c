/* SPDX-License-Identifier: Apache-2.0 */
/* From cpu.S to the program, the command line, and what a compiler expects of
 * any environment. */
#include "bare.h"

/* Xen public/arch-x86/hvm/start_info.h; Linux zero-page.rst. */
#define START_INFO_CMDLINE    24
#define ZERO_PAGE_CMDLINE_PTR 0x228

void bare_start(void);

void bare_start(void)
{
	bare_main();
	done();
}

const char *cmdline(void)
{
	uint64_t at = boot_is_pvh ? read64(first_info + START_INFO_CMDLINE)
				  : read32(first_info + ZERO_PAGE_CMDLINE_PTR);

	return (const char *)at;
}

/* What follows `text` at the start of a word of the command line, or NULL. */
static const char *find(const char *text)
{
	size_t len = strlen(text);
	const char *at = cmdline();

	for (;; at++) {
		while (*at == ' ')
			at++;
		if (*at == '\0')
			return NULL;
		if (memcmp(at, text, len) == 0)
			return at + len;
		while (*at != ' ' && *at != '\0')
			at++;
		if (*at == '\0')
			return NULL;
	}
}

bool cmdline_has(const char *word)
{
	const char *rest = find(word);

	return rest != NULL && (*rest == ' ' || *rest == '\0');
}

uint64_t cmdline_number(const char *name, uint64_t fallback)
{
	const char *at = find(name);
	uint64_t value = 0;

	if (at == NULL || *at < '0' || *at > '9')
		return fallback;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

void *memcpy(void *to, const void *from, size_t len)
{
	void *at = to;

	__asm__ volatile("rep movsb"
			 : "+D"(at), "+S"(from), "+c"(len)
			 :
			 : "memory");
	return to;
}

void *memset(void *to, int value, size_t len)
{
	void *at = to;

	__asm__ volatile("rep stosb"
			 : "+D"(at), "+c"(len)
			 : "a"(value)
			 : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (size_t i = 0; i < len; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	return len;
}
