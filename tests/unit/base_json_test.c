/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

#define TOKENS 64

static struct json_token tokens[TOKENS];

/* The text lies at the end of an allocation of its own, without a NUL, so that
 * a byte read too far is seen. */
static struct json parse(const char *text, int *ret_result, struct err *err)
{
	static char *copy;
	size_t len = strlen(text);

	free(copy);
	copy = malloc(len == 0 ? 1 : len);
	memcpy(copy, text, len);
	struct json json = {
		.text = copy, .len = len, .tokens = tokens, .capacity = TOKENS};

	*ret_result = json_parse(&json, err);
	return json;
}

static struct json parse_good(const char *text)
{
	struct err err = {0};
	int r;
	struct json json = parse(text, &r, &err);

	if (r < 0)
		fail_msg("%s: %s", text, err.msg);
	return json;
}

static void tokens_are_in_order(void **state)
{
	static const struct json_token want[] = {
		{JSON_OBJECT, 1, 28, 9},  {JSON_STRING, 2, 5, 2},
		{JSON_ARRAY, 7, 19, 6},   {JSON_NUMBER, 8, 9, 4},
		{JSON_TRUE, 10, 14, 5},   {JSON_ARRAY, 16, 18, 6},
		{JSON_STRING, 20, 23, 7}, {JSON_NULL, 24, 28, 8},
	};
	struct json json = parse_good(" {\"a\": [1,true, []],\"b\":null}");

	(void)state;
	assert_int_equal(json.count, ARRAY_LEN(want));
	for (size_t i = 1; i < ARRAY_LEN(want); i++) {
		assert_int_equal(json.tokens[i].kind, want[i].kind);
		assert_int_equal(json.tokens[i].start, want[i].start);
		assert_int_equal(json.tokens[i].end, want[i].end);
		assert_int_equal(json.tokens[i].next, want[i].next);
	}
	assert_int_equal(json.tokens[0].next, 8);
	assert_int_equal(json.tokens[0].end, 29);
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "expected a value at line 1 column 1"},
		{"  \n ", "expected a value at line 2 column 2"},
		{"{\n \"a\":,}", "expected a value at line 2 column 6"},
		{"{", "expected a key"},
		{"[", "expected a value"},
		{"{\"a\"", "expected ':'"},
		{"{\"a\":", "expected a value"},
		{"{\"a\":1", "expected ',' or the end of a list"},
		{"{\"a\":1,", "expected a key"},
		{"{\"a\":1,}", "comma before the end of a list"},
		{"[1,]", "comma before the end of a list"},
		{"[1 2]", "expected ',' or the end of a list"},
		{"[1]]", "more input after the value"},
		{"1 2", "more input after the value"},
		{"{1:2}", "expected a key"},
		{"{\"a\" 1}", "expected ':'"},
		{"'a'", "expected a value"},
		{"nul", "expected a value"},
		{"True", "expected a value"},
		{"NaN", "expected a value"},
		{"01", "bad number"},
		{"-", "bad number"},
		{"1.", "bad number"},
		{".5", "expected a value"},
		{"+1", "expected a value"},
		{"1e", "bad number"},
		{"1e+", "bad number"},
		{"0x10", "more input after the value"},
		{"\"a", "string without an end"},
		{"\"a\\\"", "string without an end"},
		{"\"\\", "bad character in a string"},
		{"\"\\q\"", "bad character in a string"},
		{"\"\\u12\"", "bad character in a string"},
		{"\"\\u12g4\"", "bad character in a string"},
		{"\"\\u0000\"", "bad character in a string"},
		{"\"\\ud800\"", "bad character in a string"},
		{"\"\\ud800\\u0041\"", "bad character in a string"},
		{"\"\\udc00\"", "bad character in a string"},
		{"\"a\tb\"", "bad character in a string"},
		{"\"\xc3\"", "bad character in a string"},
		{"\"\xff\"", "bad character in a string"},
		{"{\"a\":1,\"a\":2}", "key occurs twice"},
		{"// x\n1", "expected a value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		int r;

		print_message("# %s\n", rows[i].text);
		(void)parse(rows[i].text, &r, &err);
		assert_int_equal(r, -EINVAL);
		if (strstr(err.msg, rows[i].says) == NULL)
			fail_msg("'%s' says '%s'", rows[i].text, err.msg);
	}
}

/* The same key in other letters would slip in a second value. */
static void an_escaped_key_is_the_same_key(void **state)
{
	static const char *const twice[] = {
		"{\"a\":1,\"\\u0061\":2}",
		"{\"\\u0061\":1,\"a\":2}",
		"{\"a/b\":1,\"a\\/b\":2}",
		"{\"\\n\":1,\"\\u000a\":2}",
		"{\"\xc3\xa4\":1,\"\\u00e4\":2}",
		"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}",
	};
	static const char *const once[] = {
		"{\"a\":1,\"\\u0062\":2}", "{\"a\":1,\"A\":2}",
		"{\"a\":1,\"aa\":2}",      "{\"\":1,\"a\":2}",
		"{\"a\":{\"a\":1}}",       "[{\"a\":1},{\"a\":2}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
		struct err err = {0};
		int r;

		print_message("# %s\n", twice[i]);
		(void)parse(twice[i], &r, &err);
		assert_int_equal(r, -EINVAL);
		assert_non_null(strstr(err.msg, "key occurs twice"));
	}
	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		(void)parse_good(once[i]);
}

static void depth_and_size_are_bounded(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	struct err err = {0};
	int r;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2 * JSON_DEPTH_MAX] = '\0';
	(void)parse_good(text);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	text[2 * JSON_DEPTH_MAX + 2] = '\0';
	(void)parse(text, &r, &err);
	assert_int_equal(r, -EINVAL);
	assert_non_null(strstr(err.msg, "nested too deep"));

	/* Depth is how deep it is, not how often. */
	(void)parse_good(
		"[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]");

	struct json json = {
		.text = "[1,2]", .len = 5, .tokens = tokens, .capacity = 2};
	assert_int_equal(json_parse(&json, &err), -E2BIG);
	json.capacity = 3;
	assert_int_equal(json_parse(&json, &err), 0);
	json.capacity = 0;
	assert_int_equal(json_parse(&json, NULL), -E2BIG);
}

static void strings_are_decoded(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"\"\"", ""},
		{"\"abc\"", "abc"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e4\\u20AC\"", "A\xc3\xa4\xe2\x82\xac"},
		{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
		{"\"\xc3\xa4\"", "\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json json = parse_good(rows[i].text);
		char out[16];

		assert_int_equal(json_get_string(&json, 0, out, sizeof(out)),
				 0);
		assert_string_equal(out, rows[i].want);
		assert_true(json_key_is(&json, 0, rows[i].want));
		assert_int_equal(json_get_string(&json, 0, out,
						 strlen(rows[i].want) + 1),
				 0);
		if (rows[i].want[0] == '\0')
			continue;
		assert_int_equal(
			json_get_string(&json, 0, out, strlen(rows[i].want)),
			-ENAMETOOLONG);
	}
}

static void values_are_of_their_kind(void **state)
{
	struct json json = parse_good("[1,\"1\",true,false,null,{},[]]");
	uint64_t number = 7;
	bool flag = true;
	char text[8] = "kept";

	(void)state;
	for (uint32_t i = 2; i <= 7; i++)
		assert_int_equal(json_get_u64(&json, i, &number), -EINVAL);
	assert_int_equal(number, 7);
	assert_int_equal(json_get_u64(&json, 1, &number), 0);
	assert_int_equal(number, 1);
	assert_int_equal(json_get_string(&json, 1, text, sizeof(text)),
			 -EINVAL);
	assert_int_equal(json_get_string(&json, 3, text, sizeof(text)),
			 -EINVAL);
	assert_string_equal(text, "kept");
	assert_false(json_key_is(&json, 1, "1"));
	assert_int_equal(json_get_bool(&json, 1, &flag), -EINVAL);
	assert_int_equal(json_get_bool(&json, 5, &flag), -EINVAL);
	assert_true(flag);
	assert_int_equal(json_get_bool(&json, 4, &flag), 0);
	assert_false(flag);
	assert_int_equal(json_get_bool(&json, 3, &flag), 0);
	assert_true(flag);
}

static void numbers_have_an_end(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{"0", 0, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"1000000000000000000000000000000000", -ERANGE, 0},
		{"-1", -EINVAL, 0},
		{"-0", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"1e2", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json json = parse_good(rows[i].text);
		uint64_t value = 4711;

		assert_int_equal(json_get_u64(&json, 0, &value),
				 rows[i].result);
		assert_int_equal(value,
				 rows[i].result < 0 ? 4711 : rows[i].value);
	}
}

/* What is written is read back as it was. */
static void a_document_survives_both_ways(void **state)
{
	static const char text[] = "q\"b\\s/\n\t\x01 \xc3\xa4\x7f";
	char room[256];
	char back[64];
	struct buf out;
	struct json_writer w = {.out = &out};
	uint64_t number;
	bool flag;

	(void)state;
	buf_init(&out, room, sizeof(room));
	json_open(&w, NULL, '{');
	json_put_string(&w, text, text);
	json_open(&w, "list", '[');
	json_put_u64(&w, NULL, UINT64_MAX);
	json_put_bool(&w, NULL, true);
	json_close(&w, ']');
	json_open(&w, "none", '{');
	json_close(&w, '}');
	json_close(&w, '}');
	assert_int_equal(buf_status(&out), 0);
	struct json json = parse_good(room);

	assert_int_equal(json.count, 9);
	assert_true(json_key_is(&json, 1, text));
	assert_int_equal(json_get_string(&json, 2, back, sizeof(back)), 0);
	assert_string_equal(back, text);
	assert_int_equal(json_get_u64(&json, 5, &number), 0);
	assert_int_equal(number, UINT64_MAX);
	assert_int_equal(json_get_bool(&json, 6, &flag), 0);
	assert_true(flag);
	assert_true(json_key_is(&json, 7, "none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_in_order),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(an_escaped_key_is_the_same_key),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(values_are_of_their_kind),
		cmocka_unit_test(numbers_have_an_end),
		cmocka_unit_test(a_document_survives_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
