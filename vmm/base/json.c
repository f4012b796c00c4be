/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the text: value() reads one value and recurses for what it
 * holds, at most JSON_DEPTH_MAX deep. Strings are checked here (escapes,
 * UTF-8, control characters), so that decoding later cannot fail but for room.
 */
#include "base/json.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "base/utf8.h"

struct scan {
	struct json *json;
	struct err *err;
	uint32_t at;
	unsigned depth;
};

void json_position(const struct json *json, uint32_t offset, unsigned *ret_line,
		   unsigned *ret_column)
{
	unsigned line = 1;
	unsigned column = 1;

	for (uint32_t i = 0; i < offset && i < json->len; i++) {
		column++;
		if (json->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

static int fail(const struct scan *scan, const char *what)
{
	unsigned line;
	unsigned column;

	json_position(scan->json, scan->at, &line, &column);
	return err_say(scan->err, EINVAL, "JSON: %s at line %u column %u", what,
		       line, column);
}

/* The byte at the cursor, or NUL at the end (NUL itself is never legal). */
static char peek(const struct scan *scan)
{
	return scan->at < scan->json->len ? scan->json->text[scan->at] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct scan *scan)
{
	while (is_blank(peek(scan)))
		scan->at++;
}

static int token_new(struct scan *scan, enum json_kind kind, uint32_t *ret)
{
	struct json *json = scan->json;

	if (json->count >= json->capacity)
		return err_say(scan->err, E2BIG,
			       "JSON: more than %zu values and keys",
			       json->capacity);
	*ret = (uint32_t)json->count++;
	json->tokens[*ret] =
		(struct json_token){.kind = kind, .start = scan->at};
	return 0;
}

static void token_end(struct scan *scan, uint32_t token)
{
	scan->json->tokens[token].end = scan->at;
	scan->json->tokens[token].next = (uint32_t)scan->json->count;
}

static int hex4(const char *text, uint32_t *ret_unit)
{
	char digits[7] = "0x";
	uint64_t unit;

	memcpy(digits + 2, text, 4);
	if (digits[2] == '\0' || parse_u64(digits, &unit) < 0 ||
	    strlen(digits) != 6)
		return -EINVAL;
	*ret_unit = (uint32_t)unit;
	return 0;
}

/*
 * Reads the escape at p (its backslash), of at most `room` bytes, into a code
 * point. Return: bytes taken, or -EINVAL.
 */
static int read_escape(const char *p, size_t room, uint32_t *ret_point)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *found;
	uint32_t low;

	if (room < 2)
		return -EINVAL;
	found = p[1] == '\0' ? NULL : strchr(letters, p[1]);
	if (found != NULL) {
		*ret_point = (uint32_t)values[found - letters];
		return 2;
	}
	if (p[1] != 'u' || room < 6 || hex4(p + 2, ret_point) < 0)
		return -EINVAL;
	if (*ret_point == 0 || (*ret_point >= 0xdc00 && *ret_point <= 0xdfff))
		return -EINVAL;
	if (*ret_point < 0xd800 || *ret_point > 0xdbff)
		return 6;
	if (room < 12 || p[6] != '\\' || p[7] != 'u' || hex4(p + 8, &low) < 0 ||
	    low < 0xdc00 || low > 0xdfff)
		return -EINVAL;
	*ret_point = 0x10000 + ((*ret_point - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

static int read_string(struct scan *scan, uint32_t *ret_token)
{
	const struct json *json = scan->json;
	uint32_t point = 0;
	int r = token_new(scan, JSON_STRING, ret_token);

	if (r < 0)
		return r;
	scan->at++;
	while (scan->at < json->len && peek(scan) != '"') {
		const char *p = json->text + scan->at;
		size_t room = json->len - scan->at;

		r = *p == '\\' ? read_escape(p, room, &point)
			       : utf8_length(p, room);
		if (r < 0)
			return fail(scan, "bad character in a string");
		scan->at += (uint32_t)r;
	}
	if (scan->at >= json->len)
		return fail(scan, "string without an end");
	scan->at++;
	token_end(scan, *ret_token);
	return 0;
}

static uint32_t skip_digits(struct scan *scan)
{
	uint32_t from = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return scan->at - from;
}

static int read_number(struct scan *scan)
{
	uint32_t token = 0;
	int r = token_new(scan, JSON_NUMBER, &token);
	bool ok;

	if (r < 0)
		return r;
	if (peek(scan) == '-')
		scan->at++;
	if (peek(scan) == '0') {
		scan->at++;
		ok = peek(scan) < '0' || peek(scan) > '9';
	} else {
		ok = skip_digits(scan) > 0;
	}
	if (ok && peek(scan) == '.') {
		scan->at++;
		ok = skip_digits(scan) > 0;
	}
	if (ok && (peek(scan) == 'e' || peek(scan) == 'E')) {
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		ok = skip_digits(scan) > 0;
	}
	if (!ok)
		return fail(scan, "bad number");
	token_end(scan, token);
	return 0;
}

static int read_word(struct scan *scan)
{
	static const struct {
		const char *word;
		enum json_kind kind;
	} words[] = {{"true", JSON_TRUE},
		     {"false", JSON_FALSE},
		     {"null", JSON_NULL}};
	const struct json *json = scan->json;
	uint32_t token = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i].word);

		if (json->len - scan->at < len ||
		    memcmp(json->text + scan->at, words[i].word, len) != 0)
			continue;
		int r = token_new(scan, words[i].kind, &token);
		if (r < 0)
			return r;
		scan->at += (uint32_t)len;
		token_end(scan, token);
		return 0;
	}
	return fail(scan, "expected a value");
}

static size_t utf8_encode(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* The bytes that a string token means, one at a time. */
struct letters {
	const char *at;
	const char *end;
	char decoded[4]; /* of the last escape */
	size_t count;
	size_t next;
};

static struct letters letters_of(const struct json *json,
				 const struct json_token *token)
{
	return (struct letters){.at = json->text + token->start + 1,
				.end = json->text + token->end - 1};
}

/* Return: the next byte; -1 at the end. */
static int letter_next(struct letters *letters)
{
	uint32_t point = 0;

	if (letters->next < letters->count)
		return (unsigned char)letters->decoded[letters->next++];
	if (letters->at >= letters->end)
		return -1;
	if (*letters->at != '\\')
		return (unsigned char)*letters->at++;
	letters->at += read_escape(
		letters->at, (size_t)(letters->end - letters->at), &point);
	letters->count = utf8_encode(point, letters->decoded);
	letters->next = 1;
	return (unsigned char)letters->decoded[0];
}

static bool same_text(const struct json *json, const struct json_token *a,
		      const struct json_token *b)
{
	struct letters left = letters_of(json, a);
	struct letters right = letters_of(json, b);
	int c;

	do {
		c = letter_next(&left);
		if (c != letter_next(&right))
			return false;
	} while (c >= 0);
	return true;
}

/* Has `key` stood in this object before? Bounded by the token capacity. */
static bool key_seen(const struct json *json, uint32_t object, uint32_t key)
{
	for (uint32_t i = object + 1; i < key; i = json->tokens[i + 1].next) {
		if (same_text(json, &json->tokens[i], &json->tokens[key]))
			return true;
	}
	return false;
}

static int read_value(struct scan *scan);

static int read_key(struct scan *scan, uint32_t object)
{
	uint32_t key;
	int r;

	if (peek(scan) != '"')
		return fail(scan, "expected a key");
	r = read_string(scan, &key);
	if (r < 0)
		return r;
	if (key_seen(scan->json, object, key))
		return fail(scan, "key occurs twice");
	skip_blanks(scan);
	if (peek(scan) != ':')
		return fail(scan, "expected ':'");
	scan->at++;
	skip_blanks(scan);
	return 0;
}

/* The members of an object or the elements of an array, brackets included. */
static int read_container(struct scan *scan, enum json_kind kind)
{
	char close = kind == JSON_OBJECT ? '}' : ']';
	uint32_t token = 0;
	int r = token_new(scan, kind, &token);

	if (r == 0 && ++scan->depth > JSON_DEPTH_MAX)
		r = fail(scan, "nested too deep");
	if (r < 0)
		return r;
	scan->at++;
	skip_blanks(scan);
	while (peek(scan) != close || scan->at >= scan->json->len) {
		r = kind == JSON_OBJECT ? read_key(scan, token) : 0;
		r = r < 0 ? r : read_value(scan);
		if (r < 0)
			return r;
		skip_blanks(scan);
		if (peek(scan) == close)
			break;
		if (peek(scan) != ',')
			return fail(scan, "expected ',' or the end of a list");
		scan->at++;
		skip_blanks(scan);
		if (peek(scan) == close)
			return fail(scan, "comma before the end of a list");
	}
	scan->at++;
	scan->depth--;
	token_end(scan, token);
	return 0;
}

static int read_value(struct scan *scan)
{
	char c = peek(scan);
	uint32_t token = 0;

	if (c == '{' || c == '[')
		return read_container(scan,
				      c == '{' ? JSON_OBJECT : JSON_ARRAY);
	if (c == '"')
		return read_string(scan, &token);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(scan);
	return read_word(scan);
}

int json_parse(struct json *json, struct err *err)
{
	struct scan scan = {.json = json, .err = err};
	int r;

	json->count = 0;
	if (json->len > UINT32_MAX / 2)
		return err_say(err, E2BIG, "JSON: text too long");
	skip_blanks(&scan);
	r = read_value(&scan);
	if (r < 0)
		return r;
	skip_blanks(&scan);
	if (scan.at != json->len)
		return fail(&scan, "more input after the value");
	return 0;
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",  [JSON_NUMBER] = "a number",
		[JSON_TRUE] = "true",        [JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	_Static_assert(ARRAY_LEN(names) == JSON_KIND_COUNT, "a name per kind");
	return names[kind];
}

int json_get_string(const struct json *json, uint32_t token, char *out,
		    size_t size_bytes)
{
	const struct json_token *t = &json->tokens[token];
	struct letters letters;
	size_t len = 0;
	int c;

	if (t->kind != JSON_STRING)
		return -EINVAL;
	letters = letters_of(json, t);
	while ((c = letter_next(&letters)) >= 0) {
		if (len + 1 >= size_bytes)
			return -ENAMETOOLONG;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return 0;
}

bool json_key_is(const struct json *json, uint32_t token, const char *word)
{
	char key[64];

	return json_get_string(json, token, key, sizeof(key)) == 0 &&
	       strcmp(key, word) == 0;
}

int json_get_u64(const struct json *json, uint32_t token, uint64_t *ret_value)
{
	const struct json_token *t = &json->tokens[token];
	size_t len = t->end - t->start;
	char digits[24] = {0};

	if (t->kind != JSON_NUMBER)
		return -EINVAL;
	for (uint32_t i = t->start; i < t->end; i++) {
		if (json->text[i] < '0' || json->text[i] > '9')
			return -EINVAL;
	}
	if (len >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, json->text + t->start, len);
	return parse_u64(digits, ret_value);
}

int json_get_bool(const struct json *json, uint32_t token, bool *ret_value)
{
	enum json_kind kind = json->tokens[token].kind;

	if (kind != JSON_TRUE && kind != JSON_FALSE)
		return -EINVAL;
	*ret_value = kind == JSON_TRUE;
	return 0;
}

static void put_escaped(struct buf *out, const char *text)
{
	buf_puts(out, "\"");
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else
			buf_append(out, text, 1);
	}
	buf_puts(out, "\"");
}

static void put_key(struct json_writer *w, const char *key)
{
	if (w->comma)
		buf_puts(w->out, ",");
	w->comma = true;
	if (key == NULL)
		return;
	put_escaped(w->out, key);
	buf_puts(w->out, ":");
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	put_key(w, key);
	buf_append(w->out, &bracket, 1);
	w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
	buf_append(w->out, &bracket, 1);
	w->comma = true;
}

void json_put_string(struct json_writer *w, const char *key, const char *text)
{
	put_key(w, key);
	put_escaped(w->out, text);
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
	put_key(w, key);
	buf_printf(w->out, "%llu", (unsigned long long)value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	put_key(w, key);
	buf_puts(w->out, value ? "true" : "false");
}
