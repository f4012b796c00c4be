/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - bounded text over memory that the caller owns. Always NUL-terminated;
 * an overflow is remembered and everything after it is ignored, so that a
 * whole text is built first and checked once. Thread: any.
 */
#ifndef KILN_BASE_BUF_H
#define KILN_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t size_bytes; /* of data, the NUL included */
	size_t len;
	bool overflowed;
};

/* Borrows data until the last use of the buf; size_bytes >= 1. */
void buf_init(struct buf *buf, char *data, size_t size_bytes);
void buf_append(struct buf *buf, const char *text, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* buf_status - 0, or -ENAMETOOLONG when the text did not fit. */
int buf_status(const struct buf *buf);

#endif
