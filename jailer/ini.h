/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ini - lines of an INI file, each with its number. It knows no key and no
 * section; keys.h does.
 *
 *	# or ; first on a line: a comment        [section] or [section NAME]
 *	key = value                              text \   (goes on in the next
 *	                                                   line, joined by a blank)
 *
 * Splitting is libinih's. What it would do without a word is refused here
 * first: lines longer than its buffer (fed in pieces instead), section names
 * it cuts, indented lines (it takes them for more of the value above), comments
 * behind a value, a header without its end. CRLF line ends are taken, and a
 * byte order mark. Thread: any.
 */
#ifndef KILN_JAILER_INI_H
#define KILN_JAILER_INI_H

#include <stddef.h>

#include "base/err.h"

#define INI_FILE_MAX   (4U << 20) /* bytes */
#define INI_LINE_MAX   65536      /* bytes, continuations joined */
#define INI_HEADER_MAX 80         /* bytes between the brackets */
#define INI_KEY_MAX    48         /* bytes */

/* What the reader finds; texts are borrowed during the call. */
struct ini_events {
	void *context;
	/* header NULL: it could not be read, and what follows belongs to no
	 * section; its problem has been told. */
	void (*section)(void *context, const char *header, unsigned line);
	void (*assign)(void *context, const char *key, const char *value,
		       unsigned line);
	void (*problem)(void *context, const char *text, unsigned line);
};

/* ini_read - the whole text, in order; a bad line is told and passed over. */
void ini_read(const char *text, size_t len, const struct ini_events *events);

/*
 * ini_load - the bytes of a regular file of at most INI_FILE_MAX bytes. Does
 * not wait on a FIFO or a device: refuses them. Gives *ret_text (free()).
 * Return: 0 or -errno; -ENOENT when there is no such file.
 */
int ini_load(const char *path, char **ret_text, size_t *ret_len,
	     struct err *err);

#endif
