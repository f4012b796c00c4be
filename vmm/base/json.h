/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - a strict, bounded JSON reader (RFC 8259) and writer, free of
 * allocation. The text becomes an array of tokens that the caller owns;
 * values are decoded from it on demand.
 *
 *	{"a":[1,true]}   ->   [0] object  [1] "a"  [2] array  [3] 1  [4] true
 *
 * A container is followed by what it holds; `next` leads past it all. In an
 * object keys and values take turns. Refused beyond the RFC: keys that occur
 * twice in one object, NUL in strings, depth over JSON_DEPTH_MAX, input after
 * the value. Errors name line and column, both counted from 1. Thread: any.
 */
#ifndef KILN_BASE_JSON_H
#define KILN_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 16

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_KIND_COUNT
};

struct json_token {
	enum json_kind kind;
	uint32_t start; /* offset of the first byte; of a string: its quote */
	uint32_t end;   /* offset after the last byte */
	uint32_t next;  /* index of the token after this value */
};

struct json {
	const char *text; /* borrowed, needs no NUL */
	size_t len;
	struct json_token *tokens; /* borrowed */
	size_t capacity;
	size_t count; /* tokens in use; the whole text is token 0 */
};

/*
 * json_parse - tokenize text[0..len). Set text, len, tokens and capacity
 * first. Return: 0; -EINVAL with the place in err; -E2BIG out of tokens.
 */
int json_parse(struct json *json, struct err *err);

/* Name of a kind for messages: "an object", "a string", ... */
const char *json_kind_name(enum json_kind kind);

/* json_key_is - is the string token the given word, escapes decoded? */
bool json_key_is(const struct json *json, uint32_t token, const char *word);

/*
 * json_get_string - decode a string token into out (NUL-terminated).
 * Return: 0; -EINVAL not a string; -ENAMETOOLONG more than size - 1 bytes.
 */
int json_get_string(const struct json *json, uint32_t token, char *out,
		    size_t size_bytes);

/* Return: 0; -EINVAL not a whole number without sign; -ERANGE over 64 bits. */
int json_get_u64(const struct json *json, uint32_t token, uint64_t *ret_value);

int json_get_bool(const struct json *json, uint32_t token, bool *ret_value);

/* Line and column (from 1) of a byte offset, for messages. */
void json_position(const struct json *json, uint32_t offset, unsigned *ret_line,
		   unsigned *ret_column);

/* Writing: compact, members in call order; check buf_status() at the end. */
struct json_writer {
	struct buf *out;
	bool comma; /* the next member or element needs one before it */
};

void json_open(struct json_writer *w, const char *key, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_put_string(struct json_writer *w, const char *key, const char *text);
void json_put_u64(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);

#endif
