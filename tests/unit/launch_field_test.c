/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/field.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

struct thing {
	uint64_t number;
	uint64_t size;
	uint64_t percent;
	uint32_t choice;
	bool flag;
	char text[8];
	uint8_t mac[6];
};

static const char *const choices[] = {"red", "green", NULL};

static const struct field fields[] = {
	{.name = "number",
	 .kind = FIELD_NUMBER,
	 .offset = offsetof(struct thing, number),
	 .min = 1,
	 .max = 32,
	 .fallback = "4"},
	{.name = "size",
	 .kind = FIELD_SIZE,
	 .offset = offsetof(struct thing, size),
	 .min = 8 << 20,
	 .max = UINT64_C(255) << 30,
	 .multiple_of = 1 << 20},
	{.name = "percent",
	 .kind = FIELD_PERCENT,
	 .offset = offsetof(struct thing, percent),
	 .min = 1,
	 .max = 3200},
	{.name = "choice",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct thing, choice),
	 .names = choices,
	 .fallback = "green"},
	{.name = "flag",
	 .kind = FIELD_BOOL,
	 .offset = offsetof(struct thing, flag),
	 .fallback = "yes"},
	{.name = "text",
	 .kind = FIELD_STRING,
	 .offset = offsetof(struct thing, text),
	 .size_bytes = 8,
	 .fallback = "abc"},
	{.name = "mac",
	 .kind = FIELD_MAC,
	 .offset = offsetof(struct thing, mac)},
};

enum {
	NUMBER,
	SIZE,
	PERCENT,
	CHOICE,
	FLAG,
	TEXT,
	MAC
};

static void set_defaults(struct thing *thing)
{
	memset(thing, 0xaa, sizeof(*thing));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		field_default(&fields[i], thing);
}

static void defaults_come_from_the_rows(void **state)
{
	static const uint8_t no_mac[6];
	struct thing thing;

	(void)state;
	set_defaults(&thing);
	assert_int_equal(thing.number, 4);
	assert_int_equal(thing.size, 0);
	assert_int_equal(thing.percent, 0);
	assert_int_equal(thing.choice, 1);
	assert_true(thing.flag);
	assert_string_equal(thing.text, "abc");
	assert_memory_equal(thing.mac, no_mac, 6);
}

/* Text that is taken, and how it comes back. */
static void text_is_read_and_formatted_back(void **state)
{
	static const struct {
		unsigned field;
		const char *text, *back;
	} rows[] = {
		{NUMBER, "1", "1"},
		{NUMBER, "32", "32"},
		{NUMBER, "0x10", "16"},
		{SIZE, "8M", "8M"},
		{SIZE, "255G", "255G"},
		{SIZE, "16384K", "16M"},
		{SIZE, "0", "0"},
		{SIZE, "1048576K", "1G"},
		{PERCENT, "150%", "150%"},
		{PERCENT, "3200%", "3200%"},
		{PERCENT, "0%", "0%"},
		{CHOICE, "red", "red"},
		{FLAG, "no", "no"},
		{FLAG, "on", "yes"},
		{TEXT, "1234567", "1234567"},
		{TEXT, "", ""},
		{TEXT, "\303\244\303\266", "\303\244\303\266"},
		{MAC, "06:00:AC:10:00:02", "06:00:ac:10:00:02"},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct field *field = &fields[rows[i].field];
		struct thing thing;
		char text[64];
		struct buf out;

		set_defaults(&thing);
		buf_init(&out, text, sizeof(text));
		assert_int_equal(
			field_set_text(field, &thing, rows[i].text, &err), 0);
		field_format(field, &thing, &out);
		assert_string_equal(text, rows[i].back);
		assert_int_equal(field_set_text(field, &thing, text, &err), 0);
	}
}

static void bad_text_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		unsigned field;
		const char *text, *says;
	} rows[] = {
		{NUMBER, "0", "'0' is not a whole number from 1 to 32"},
		{NUMBER, "33", "'33' is not a whole number from 1 to 32"},
		{NUMBER, "", "'' is not a whole number from 1 to 32"},
		{NUMBER, "-1", NULL},
		{NUMBER, "1 ", NULL},
		{NUMBER, "1.5", NULL},
		{NUMBER, "18446744073709551617", NULL},
		{SIZE, "7M",
		 "'7M' is not a size from 8M to 255G in steps of 1M, or 0"},
		{SIZE, "256G", NULL},
		{SIZE, "8193K", NULL},
		{SIZE, "99999999999999999999T", NULL},
		{SIZE, "17179869184G", NULL},
		{SIZE, "8m", NULL},
		{PERCENT, "150",
		 "'150' is not a percentage from 1% to 3200%, "
		 "or 0%"},
		{PERCENT, "3201%", NULL},
		{PERCENT, "%", NULL},
		{PERCENT, "1%%", NULL},
		{PERCENT, "000000000000000000000000000001%", NULL},
		{CHOICE, "blue", "'blue' is not red or green"},
		{CHOICE, "", NULL},
		{CHOICE, "Red", NULL},
		{FLAG, "maybe", "'maybe' is not yes or no"},
		{TEXT, "12345678", NULL},
		{TEXT, "a\tb", NULL},
		{TEXT, "a\177", NULL},
		{TEXT, "\377", NULL},
		{TEXT, "\303", NULL},
		{MAC, "01:00:00:00:00:00", NULL},
		{MAC, "06:00:ac:10:00", NULL},
	};
	struct thing before;

	(void)state;
	set_defaults(&before);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct thing thing = before;
		struct err err = {0};

		assert_int_equal(field_set_text(&fields[rows[i].field], &thing,
						rows[i].text, &err),
				 -EINVAL);
		assert_memory_equal(&thing, &before, sizeof(thing));
		assert_int_equal(err.code, -EINVAL);
		if (rows[i].says != NULL)
			assert_string_equal(err.msg, rows[i].says);
	}
}

static void a_long_value_is_cut_in_the_message(void **state)
{
	char text[4000];
	struct thing thing;
	struct err err;

	(void)state;
	memset(text, '9', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	set_defaults(&thing);
	assert_int_equal(field_set_text(&fields[NUMBER], &thing, text, &err),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "'... is not a whole number"));
}

static int decode(const char *text, struct thing *thing, struct err *err)
{
	struct json_token tokens[32];
	struct json json = {.text = text,
			    .len = strlen(text),
			    .tokens = tokens,
			    .capacity = ARRAY_LEN(tokens)};

	assert_int_equal(json_parse(&json, err), 0);
	memset(thing, 0, sizeof(*thing));
	return field_decode_object(fields, ARRAY_LEN(fields), thing, &json, 0,
				   err);
}

static void json_goes_round(void **state)
{
	static const char text[] =
		"{\"number\":7,\"size\":16777216,\"percent\":150,"
		"\"choice\":\"red\",\"flag\":false,\"text\":\"x\\\"y\","
		"\"mac\":\"06:00:ac:10:00:02\"}";
	char back[256];
	struct thing thing;
	struct err err;
	struct buf out;
	struct json_writer writer = {.out = &out};

	(void)state;
	assert_int_equal(decode(text, &thing, &err), 0);
	assert_int_equal(thing.percent, 150);
	buf_init(&out, back, sizeof(back));
	field_encode_object(fields, ARRAY_LEN(fields), &thing, NULL, &writer);
	assert_int_equal(buf_status(&out), 0);
	assert_string_equal(back, text);
}

static void missing_members_get_their_default(void **state)
{
	struct thing thing;
	struct err err;

	(void)state;
	assert_int_equal(decode("{}", &thing, &err), 0);
	assert_int_equal(thing.number, 4);
	assert_string_equal(thing.text, "abc");
}

static void bad_json_is_refused_by_name(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"{\"colour\":1}", "unknown member 'colour'"},
		{"{\"number\":0}",
		 "number: '0' is not a whole number from 1 to 32"},
		{"{\"number\":-1}",
		 "number: '-1' is not a whole number from 1 to 32"},
		{"{\"number\":1e1}",
		 "number: '1e1' is not a whole number from 1 to 32"},
		{"{\"number\":\"4\"}", "number: expected a whole number from 1 "
				       "to 32, found a string"},
		{"{\"flag\":1}", "flag: expected yes or no, found a number"},
		{"{\"choice\":true}",
		 "choice: expected red or green, found true"},
		{"{\"choice\":\"blue\"}", "choice: 'blue' is not red or green"},
		{"{\"size\":8388609}", "size: '8388609' is not a size from 8M "
				       "to 255G in steps of 1M, or 0"},
		{"{\"text\":\"a\\u0007\"}", NULL},
		{"{\"mac\":\"\"}", NULL},
		{"[]", "expected an object, found an array"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct thing thing;
		struct err err = {0};

		assert_int_equal(decode(rows[i].text, &thing, &err), -EINVAL);
		if (rows[i].says != NULL)
			assert_string_equal(err.msg, rows[i].says);
	}
}

static void a_number_of_many_digits_is_refused(void **state)
{
	char text[512] = "{\"number\":";
	struct thing thing;
	struct err err;

	(void)state;
	memset(text + 10, '1', 400);
	memcpy(text + 410, "}", 2);
	assert_int_equal(decode(text, &thing, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_from_the_rows),
		cmocka_unit_test(text_is_read_and_formatted_back),
		cmocka_unit_test(bad_text_is_refused_and_changes_nothing),
		cmocka_unit_test(a_long_value_is_cut_in_the_message),
		cmocka_unit_test(json_goes_round),
		cmocka_unit_test(missing_members_get_their_default),
		cmocka_unit_test(bad_json_is_refused_by_name),
		cmocka_unit_test(a_number_of_many_digits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
