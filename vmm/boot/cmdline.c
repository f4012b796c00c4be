/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words are split as Linux does it (lib/cmdline.c, next_arg): at white space
 * outside double quotes.
 */
#include "boot/cmdline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define WORD_MAX 128 /* the longest addition, its NUL included */

struct word {
	const char *start;
	size_t len;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word at or after *at; false at the end of the text. */
static bool word_next(const char **at, struct word *ret_word)
{
	const char *p = *at;
	bool quoted = false;

	while (is_space(*p))
		p++;
	ret_word->start = p;
	while (*p != '\0' && (quoted || !is_space(*p))) {
		if (*p == '"')
			quoted = !quoted;
		p++;
	}
	ret_word->len = (size_t)(p - ret_word->start);
	*at = p;
	return ret_word->len > 0;
}

static bool word_is(const struct word *word, const char *text)
{
	return word->len == strlen(text) &&
	       memcmp(word->start, text, word->len) == 0;
}

static bool word_begins(const struct word *word, const char *text)
{
	size_t len = strlen(text);

	return word->len >= len && memcmp(word->start, text, len) == 0;
}

/* Only words for the kernel are looked at, not those for init. */
static bool line_has(const struct boot_cmdline *line,
		     bool (*fits)(const struct word *, const char *),
		     const char *text)
{
	const char *at = line->text;
	struct word word;

	while (word_next(&at, &word) &&
	       (size_t)(word.start - line->text) < line->additions_at)
		if (fits(&word, text))
			return true;
	return false;
}

/* Offset of the "--" that ends the kernel's words, with the space before it. */
static size_t kernel_words_end(const char *text)
{
	const char *at = text;
	struct word word;

	while (word_next(&at, &word))
		if (word_is(&word, "--"))
			return word.start > text
				       ? (size_t)(word.start - text) - 1
				       : 0;
	return strlen(text);
}

int boot_cmdline_start(struct boot_cmdline *line, const char *given,
		       struct err *err)
{
	size_t len = strlen(given);

	if (len >= sizeof(line->text))
		return err_say(
			err, E2BIG,
			"kernel command line: %zu bytes: %zu at the most", len,
			sizeof(line->text) - 1);
	memcpy(line->text, given, len + 1);
	line->len = len;
	line->additions_at = kernel_words_end(line->text);
	return 0;
}

/* Separators: one before, unless the line starts here; one after, when "--"
 * comes next without a space of its own. */
static int add(struct boot_cmdline *line, const char *addition, struct err *err)
{
	char word[WORD_MAX + 2];
	struct buf buf;
	char *at = line->text + line->additions_at;

	buf_init(&buf, word, sizeof(word));
	if (line->additions_at > 0)
		buf_puts(&buf, " ");
	buf_puts(&buf, addition);
	if (*at != '\0' && !is_space(*at))
		buf_puts(&buf, " ");
	if (buf_status(&buf) < 0 || buf.len >= sizeof(line->text) - line->len)
		return err_say(err, E2BIG,
			       "kernel command line: no room for '%s': %zu "
			       "bytes at the most, all parts included",
			       addition, sizeof(line->text) - 1);
	memmove(at + buf.len, at, line->len - line->additions_at + 1);
	memcpy(at, word, buf.len);
	line->len += buf.len;
	line->additions_at += buf.len;
	return 0;
}

int boot_cmdline_add_pci_off(struct boot_cmdline *line, struct err *err)
{
	if (line_has(line, word_is, "pci=off"))
		return 0;
	return add(line, "pci=off", err);
}

int boot_cmdline_add_root(struct boot_cmdline *line,
			  const struct machine_drive *drive, struct err *err)
{
	char word[WORD_MAX];
	struct buf buf;

	if (line_has(line, word_begins, "root="))
		return 0;
	buf_init(&buf, word, sizeof(word));
	if (drive->partuuid[0] != '\0')
		buf_printf(&buf, "root=PARTUUID=%s", drive->partuuid);
	else
		buf_puts(&buf, "root=/dev/vda");
	buf_puts(&buf, drive->read_only ? " ro" : " rw");
	return add(line, word, err);
}

int boot_cmdline_add_virtio(struct boot_cmdline *line, gpa_t base,
			    uint64_t size_bytes, uint32_t gsi, struct err *err)
{
	char word[WORD_MAX];
	struct buf buf;

	buf_init(&buf, word, sizeof(word));
	buf_printf(&buf,
		   "virtio_mmio.device=%" PRIu64 "K@0x%" PRIx64 ":%" PRIu32,
		   size_bytes >> 10, base, gsi);
	return add(line, word, err);
}

int boot_cmdline_write(const struct boot_cmdline *line,
		       const struct guest_memory *memory, gpa_t gpa,
		       struct err *err)
{
	int r = guest_write(memory, gpa, line->text, line->len + 1);

	if (r < 0)
		return err_say(err, -r,
			       "kernel command line: no RAM at %#" PRIx64, gpa);
	return 0;
}
