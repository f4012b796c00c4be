/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field - one row describes one setting: its name, its shape, its limits and
 * what it means. The same row reads it from INI text, reads and writes it as
 * JSON, prints it, checks it, and feeds --help and the manual's test. There is
 * no second list of settings anywhere.
 *
 * How a value lies in its object, at `offset`:
 *	FIELD_BOOL    bool          FIELD_NUMBER  uint64_t
 *	FIELD_SIZE    uint64_t, bytes; INI text takes K, M, G, T
 *	FIELD_PERCENT uint64_t, percent; INI text ends in %
 *	FIELD_STRING  char[size_bytes], NUL-terminated; UTF-8 without control
 *	              characters
 *	FIELD_CHOICE  uint32_t, index into names
 *	FIELD_MAC     uint8_t[6]; all zero: not set
 * The default is a legal value even when min is above it ("0: no limit").
 * Thread: any.
 */
#ifndef KILN_LAUNCH_FIELD_H
#define KILN_LAUNCH_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* Longest text of any field, NUL included. */
#define FIELD_TEXT_MAX 4096

enum field_kind {
	FIELD_BOOL,
	FIELD_NUMBER,
	FIELD_SIZE,
	FIELD_PERCENT,
	FIELD_STRING,
	FIELD_CHOICE,
	FIELD_MAC,
	FIELD_KIND_COUNT
};

struct field {
	const char *name; /* the key, in INI and in JSON */
	enum field_kind kind;
	size_t offset;
	size_t size_bytes;        /* FIELD_STRING: room, NUL included */
	uint64_t min, max;        /* numbers: both allowed */
	uint64_t multiple_of;     /* numbers: 0 is any */
	const char *const *names; /* FIELD_CHOICE: ends in NULL */
	const char *fallback;     /* default as INI text; NULL: zero, empty */
	const char *help;         /* one line */
};

/* field_default - set the default. Return: 0 (a bad default is a bug). */
void field_default(const struct field *field, void *object);

/* field_set_text - from INI text. Return: 0 or -errno; err says what would be
 * right, without the key's name. The object is unchanged on failure. */
int field_set_text(const struct field *field, void *object, const char *text,
		   struct err *err);

/* field_set_json - from a JSON value, same checks. */
int field_set_json(const struct field *field, void *object,
		   const struct json *json, uint32_t token, struct err *err);

void field_put_json(const struct field *field, const void *object,
		    struct json_writer *writer);

/* field_format - as INI text that field_set_text() takes back. */
void field_format(const struct field *field, const void *object,
		  struct buf *out);

/* field_expects - what the key takes: "a whole number from 1 to 32". */
void field_expects(const struct field *field, struct buf *out);

/*
 * field_decode_object - every member of the JSON object `token` by its row; an
 * unknown member is refused by name, a missing one gets its default.
 */
int field_decode_object(const struct field *fields, size_t count, void *object,
			const struct json *json, uint32_t token,
			struct err *err);

void field_encode_object(const struct field *fields, size_t count,
			 const void *object, const char *key,
			 struct json_writer *writer);

#endif
