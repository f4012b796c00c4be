/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/field.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "base/utf8.h"

/* Room for one value in a message. */
#define SHOWN_MAX 48

/* What a kind of field knows to do; text is INI text. */
struct kind_ops {
	int (*from_text)(const struct field *field, void *at, const char *text);
	void (*put_json)(const struct field *field, const void *at,
			 struct json_writer *writer);
	void (*format)(const void *at, const struct field *field,
		       struct buf *out);
	void (*expects)(const struct field *field, struct buf *out);
};

static const struct kind_ops *ops_of(const struct field *field);

static void *place(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

static const void *place_const(const struct field *field, const void *object)
{
	return (const char *)object + field->offset;
}

static int refuse(const struct field *field, const char *text, struct err *err)
{
	char expected[ERR_MSG_MAX];
	struct buf out;
	const char *dots = strlen(text) > SHOWN_MAX ? "..." : "";

	buf_init(&out, expected, sizeof(expected));
	field_expects(field, &out);
	return err_say(err, EINVAL, "'%.*s'%s is not %s", SHOWN_MAX, text, dots,
		       expected);
}

/* ---- numbers, sizes, percentages: a uint64_t each ------------------------ */

static int read_percent(const char *text, uint64_t *ret_value)
{
	char digits[24];
	size_t len = strlen(text);

	if (len < 2 || len > sizeof(digits) || text[len - 1] != '%')
		return -EINVAL;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	return parse_u64(digits, ret_value);
}

static int read_number(const struct field *field, const char *text,
		       uint64_t *ret_value)
{
	if (field->kind == FIELD_SIZE)
		return parse_size(text, ret_value);
	if (field->kind == FIELD_PERCENT)
		return read_percent(text, ret_value);
	return parse_u64(text, ret_value);
}

static uint64_t number_fallback(const struct field *field)
{
	uint64_t value = 0;

	if (field->fallback != NULL)
		(void)read_number(field, field->fallback, &value);
	return value;
}

static bool number_ok(const struct field *field, uint64_t value)
{
	if (value == number_fallback(field))
		return true;
	return value >= field->min && value <= field->max &&
	       (field->multiple_of == 0 || value % field->multiple_of == 0);
}

static int number_from_text(const struct field *field, void *at,
			    const char *text)
{
	uint64_t value;

	if (read_number(field, text, &value) < 0 || !number_ok(field, value))
		return -EINVAL;
	memcpy(at, &value, sizeof(value));
	return 0;
}

static uint64_t number_at(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void number_put_json(const struct field *field, const void *at,
			    struct json_writer *writer)
{
	json_put_u64(writer, field->name, number_at(at));
}

/* One value as INI text: the largest unit that divides it. */
static void put_number(const struct field *field, uint64_t value,
		       struct buf *out)
{
	static const char *const units[] = {"", "K", "M", "G", "T"};
	unsigned unit = 0;

	while (field->kind == FIELD_SIZE && value != 0 && value % 1024 == 0 &&
	       unit + 1 < ARRAY_LEN(units)) {
		value /= 1024;
		unit++;
	}
	buf_printf(out, "%llu%s%s", (unsigned long long)value, units[unit],
		   field->kind == FIELD_PERCENT ? "%" : "");
}

static void number_format(const void *at, const struct field *field,
			  struct buf *out)
{
	put_number(field, number_at(at), out);
}

static void number_expects(const struct field *field, struct buf *out)
{
	uint64_t fallback = number_fallback(field);

	buf_puts(out, field->kind == FIELD_SIZE      ? "a size"
		      : field->kind == FIELD_PERCENT ? "a percentage"
						     : "a whole number");
	buf_puts(out, " from ");
	put_number(field, field->min, out);
	buf_puts(out, " to ");
	put_number(field, field->max, out);
	if (field->multiple_of != 0) {
		buf_puts(out, " in steps of ");
		put_number(field, field->multiple_of, out);
	}
	if (fallback < field->min || fallback > field->max) {
		buf_puts(out, ", or ");
		put_number(field, fallback, out);
	}
}

/* ---- booleans ------------------------------------------------------------ */

static int bool_from_text(const struct field *field, void *at, const char *text)
{
	(void)field;
	return parse_bool(text, at);
}

static void bool_put_json(const struct field *field, const void *at,
			  struct json_writer *writer)
{
	json_put_bool(writer, field->name, *(const bool *)at);
}

static void bool_format(const void *at, const struct field *field,
			struct buf *out)
{
	(void)field;
	buf_puts(out, *(const bool *)at ? "yes" : "no");
}

static void bool_expects(const struct field *field, struct buf *out)
{
	(void)field;
	buf_puts(out, "yes or no");
}

/* ---- text ---------------------------------------------------------------- */

static int string_from_text(const struct field *field, void *at,
			    const char *text)
{
	size_t len = strlen(text);

	if (len >= field->size_bytes || !utf8_text_ok(text, len))
		return -EINVAL;
	/* What lies behind the NUL is defined too: objects compare bytewise. */
	memset(at, 0, field->size_bytes);
	memcpy(at, text, len);
	return 0;
}

static void string_put_json(const struct field *field, const void *at,
			    struct json_writer *writer)
{
	json_put_string(writer, field->name, at);
}

static void string_format(const void *at, const struct field *field,
			  struct buf *out)
{
	(void)field;
	buf_puts(out, at);
}

static void string_expects(const struct field *field, struct buf *out)
{
	buf_printf(out, "text of at most %zu bytes without control characters",
		   field->size_bytes - 1);
}

/* ---- one word of a list -------------------------------------------------- */

static int choice_from_text(const struct field *field, void *at,
			    const char *text)
{
	for (uint32_t i = 0; field->names[i] != NULL; i++) {
		if (strcmp(field->names[i], text) == 0) {
			memcpy(at, &i, sizeof(i));
			return 0;
		}
	}
	return -EINVAL;
}

static const char *choice_name(const struct field *field, const void *at)
{
	uint32_t index;

	memcpy(&index, at, sizeof(index));
	return field->names[index];
}

static void choice_put_json(const struct field *field, const void *at,
			    struct json_writer *writer)
{
	json_put_string(writer, field->name, choice_name(field, at));
}

static void choice_format(const void *at, const struct field *field,
			  struct buf *out)
{
	buf_puts(out, choice_name(field, at));
}

static void choice_expects(const struct field *field, struct buf *out)
{
	for (unsigned i = 0; field->names[i] != NULL; i++) {
		const char *before = i == 0                        ? ""
				     : field->names[i + 1] == NULL ? " or "
								   : ", ";

		buf_printf(out, "%s%s", before, field->names[i]);
	}
}

/* ---- hardware addresses -------------------------------------------------- */

static int mac_from_text(const struct field *field, void *at, const char *text)
{
	(void)field;
	return parse_mac(text, at);
}

static void mac_format(const void *at, const struct field *field,
		       struct buf *out)
{
	const uint8_t *mac = at;

	(void)field;
	buf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		   mac[3], mac[4], mac[5]);
}

static void mac_put_json(const struct field *field, const void *at,
			 struct json_writer *writer)
{
	char text[24];
	struct buf out;

	buf_init(&out, text, sizeof(text));
	mac_format(at, field, &out);
	json_put_string(writer, field->name, text);
}

static void mac_expects(const struct field *field, struct buf *out)
{
	(void)field;
	buf_puts(out, "an address such as 06:00:ac:10:00:02, not multicast");
}

static const struct kind_ops *ops_of(const struct field *field)
{
	static const struct kind_ops number = {number_from_text,
					       number_put_json, number_format,
					       number_expects};
	static const struct kind_ops table[] = {
		[FIELD_BOOL] = {bool_from_text, bool_put_json, bool_format,
				bool_expects},
		[FIELD_STRING] = {string_from_text, string_put_json,
				  string_format, string_expects},
		[FIELD_CHOICE] = {choice_from_text, choice_put_json,
				  choice_format, choice_expects},
		[FIELD_MAC] = {mac_from_text, mac_put_json, mac_format,
			       mac_expects},
	};

	_Static_assert(ARRAY_LEN(table) == FIELD_KIND_COUNT, "a row per kind");
	return table[field->kind].from_text == NULL ? &number
						    : &table[field->kind];
}

/* ---- any kind ------------------------------------------------------------ */

static size_t field_bytes(const struct field *field)
{
	static const size_t bytes[] = {
		[FIELD_BOOL] = sizeof(bool),
		[FIELD_NUMBER] = sizeof(uint64_t),
		[FIELD_SIZE] = sizeof(uint64_t),
		[FIELD_PERCENT] = sizeof(uint64_t),
		[FIELD_STRING] = 0,
		[FIELD_CHOICE] = sizeof(uint32_t),
		[FIELD_MAC] = 6,
	};

	_Static_assert(ARRAY_LEN(bytes) == FIELD_KIND_COUNT, "a row per kind");
	return field->kind == FIELD_STRING ? field->size_bytes
					   : bytes[field->kind];
}

void field_default(const struct field *field, void *object)
{
	memset(place(field, object), 0, field_bytes(field));
	if (field->fallback != NULL)
		(void)ops_of(field)->from_text(field, place(field, object),
					       field->fallback);
}

int field_set_text(const struct field *field, void *object, const char *text,
		   struct err *err)
{
	if (ops_of(field)->from_text(field, place(field, object), text) == 0)
		return 0;
	return refuse(field, text, err);
}

static int refuse_json(const struct field *field, const struct json *json,
		       uint32_t token, struct err *err)
{
	char expected[ERR_MSG_MAX];
	struct buf out;

	buf_init(&out, expected, sizeof(expected));
	field_expects(field, &out);
	return err_say(err, EINVAL, "expected %s, found %s", expected,
		       json_kind_name(json->tokens[token].kind));
}

static int set_json_number(const struct field *field, void *object,
			   const struct json *json, uint32_t token,
			   struct err *err)
{
	const struct json_token *t = &json->tokens[token];
	char shown[SHOWN_MAX + 1] = "";
	size_t len = t->end - t->start;
	uint64_t value;

	if (t->kind != JSON_NUMBER)
		return refuse_json(field, json, token, err);
	if (json_get_u64(json, token, &value) == 0 && number_ok(field, value)) {
		memcpy(place(field, object), &value, sizeof(value));
		return 0;
	}
	memcpy(shown, json->text + t->start, len < SHOWN_MAX ? len : SHOWN_MAX);
	return refuse(field, shown, err);
}

/* Kinds that are text in JSON too. */
static int set_json_text(const struct field *field, void *object,
			 const struct json *json, uint32_t token,
			 struct err *err)
{
	char text[FIELD_TEXT_MAX];

	if (json->tokens[token].kind != JSON_STRING)
		return refuse_json(field, json, token, err);
	if (json_get_string(json, token, text, sizeof(text)) < 0)
		return refuse(field, "...", err);
	return field_set_text(field, object, text, err);
}

int field_set_json(const struct field *field, void *object,
		   const struct json *json, uint32_t token, struct err *err)
{
	switch (field->kind) {
	case FIELD_BOOL:
		if (json_get_bool(json, token, place(field, object)) == 0)
			return 0;
		return refuse_json(field, json, token, err);
	case FIELD_NUMBER:
	case FIELD_SIZE:
	case FIELD_PERCENT:
		return set_json_number(field, object, json, token, err);
	case FIELD_STRING:
	case FIELD_CHOICE:
	case FIELD_MAC:
	case FIELD_KIND_COUNT:
		break;
	}
	return set_json_text(field, object, json, token, err);
}

void field_put_json(const struct field *field, const void *object,
		    struct json_writer *writer)
{
	ops_of(field)->put_json(field, place_const(field, object), writer);
}

void field_format(const struct field *field, const void *object,
		  struct buf *out)
{
	ops_of(field)->format(place_const(field, object), field, out);
}

void field_expects(const struct field *field, struct buf *out)
{
	ops_of(field)->expects(field, out);
}

static const struct field *find_field(const struct field *fields, size_t count,
				      const struct json *json, uint32_t key)
{
	for (size_t i = 0; i < count; i++) {
		if (json_key_is(json, key, fields[i].name))
			return &fields[i];
	}
	return NULL;
}

static int decode_member(const struct field *fields, size_t count, void *object,
			 const struct json *json, uint32_t key, struct err *err)
{
	const struct field *field = find_field(fields, count, json, key);
	char name[SHOWN_MAX] = "...";
	int r;

	if (field == NULL) {
		(void)json_get_string(json, key, name, sizeof(name));
		return err_say(err, EINVAL, "unknown member '%s'", name);
	}
	r = field_set_json(field, object, json, key + 1, err);
	if (r < 0)
		(void)err_in(err, "%s", field->name);
	return r;
}

int field_decode_object(const struct field *fields, size_t count, void *object,
			const struct json *json, uint32_t token,
			struct err *err)
{
	const struct json_token *t = &json->tokens[token];

	if (t->kind != JSON_OBJECT)
		return err_say(err, EINVAL, "expected an object, found %s",
			       json_kind_name(t->kind));
	for (size_t i = 0; i < count; i++)
		field_default(&fields[i], object);
	for (uint32_t key = token + 1; key < t->next;
	     key = json->tokens[key + 1].next) {
		int r = decode_member(fields, count, object, json, key, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void field_encode_object(const struct field *fields, size_t count,
			 const void *object, const char *key,
			 struct json_writer *writer)
{
	json_open(writer, key, '{');
	for (size_t i = 0; i < count; i++)
		field_put_json(&fields[i], object, writer);
	json_close(writer, '}');
}
