/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut message must not look like a whole one. */
static void mark_cut(char *msg, int wanted)
{
	if (wanted >= ERR_MSG_MAX)
		memcpy(msg + ERR_MSG_MAX - 4, "...", 4);
}

static void append_errno(struct err *err, int errnum)
{
	size_t used = strlen(err->msg);
	int n = snprintf(err->msg + used, sizeof(err->msg) - used, ": %s",
			 strerror(errnum));

	mark_cut(err->msg, n < 0 ? 0 : (int)used + n);
}

int err_set(struct err *err, int errnum, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return -errnum;
	va_start(args, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	mark_cut(err->msg, n);
	append_errno(err, errnum);
	err->code = -errnum;
	return -errnum;
}

int err_say(struct err *err, int errnum, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return -errnum;
	va_start(args, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	mark_cut(err->msg, n);
	err->code = -errnum;
	return -errnum;
}

int err_in(struct err *err, const char *fmt, ...)
{
	char inner[ERR_MSG_MAX];
	va_list args;

	if (err == NULL)
		return -1;
	memcpy(inner, err->msg, sizeof(inner));
	va_start(args, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	mark_cut(err->msg, n);
	size_t used = strlen(err->msg);
	n = snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", inner);
	mark_cut(err->msg, n < 0 ? 0 : (int)used + n);
	return err->code;
}
