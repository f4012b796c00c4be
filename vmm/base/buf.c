/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *buf, char *data, size_t size_bytes)
{
	*buf = (struct buf){.data = data, .size_bytes = size_bytes};
	data[0] = '\0';
}

void buf_append(struct buf *buf, const char *text, size_t len)
{
	if (buf->overflowed || len >= buf->size_bytes - buf->len) {
		buf->overflowed = true;
		return;
	}
	memcpy(buf->data + buf->len, text, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	size_t room = buf->size_bytes - buf->len;
	va_list args;

	if (buf->overflowed)
		return;
	va_start(args, fmt);
	int n = vsnprintf(buf->data + buf->len, room, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		buf->data[buf->len] = '\0';
		buf->overflowed = true;
		return;
	}
	buf->len += (size_t)n;
}

int buf_status(const struct buf *buf)
{
	return buf->overflowed ? -ENAMETOOLONG : 0;
}
