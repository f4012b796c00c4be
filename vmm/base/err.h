/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - what went wrong, said once, where the object is known.
 *
 * A function that can fail returns 0 or -errno and, when it knows the object,
 * fills a struct err. Callers further up prepend what they know with err_in()
 * and pass the code on; only main.c and cmd_*.c print. The struct holds no
 * pointer, so it crosses a pipe between processes as it is.
 *
 *	if (fd < 0)
 *		return err_set(err, errno, "open disk '%s'", path);
 *	...
 *	if (r < 0)
 *		return err_in(err, "drive '%s'", id);
 */
#ifndef KILN_BASE_ERR_H
#define KILN_BASE_ERR_H

#define ERR_MSG_MAX 256

struct err {
	int code;              /* -errno, 0 while nothing failed */
	char msg[ERR_MSG_MAX]; /* one line without a newline; cut ends in "..." */
};

/*
 * err_set - record a failed call: message, then ": " and the text of errnum.
 * errnum: positive errno. Return: -errnum. err may be NULL.
 */
int err_set(struct err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* err_say - as err_set, for messages that need no system text. */
int err_say(struct err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* err_in - prepend the object's name and ": ". Return: err->code. */
int err_in(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
