/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/json against jansson: both must take or refuse the same texts and
 * decode the same strings. Where ours is stricter by design (depth, numbers
 * that only jansson refuses for their size) the text is left out here and has
 * its own test in base_json_test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/json.h"
#include "jansson_verdict.h"

#define TOKENS_MAX 256

static bool ours_accepts(const char *text, size_t len)
{
	struct json_token tokens[TOKENS_MAX];
	struct json json = {
		.text = text,
		.len = len,
		.tokens = tokens,
		.capacity = ARRAY_LEN(tokens),
	};
	struct err err;

	return json_parse(&json, &err) == 0;
}

static void same_verdict(const char *text, size_t len)
{
	bool ours = ours_accepts(text, len);

	if (ours != jansson_accepts(text, len))
		fail_msg("ours %s, jansson does not agree: %.*s",
			 ours ? "accepts" : "refuses", (int)len, text);
}

static const char *const texts[] = {
	"{}",
	"[]",
	" [ 1 , 2 ]\n",
	"{\"a\":1}",
	"{\"a\":1,\"a\":2}",
	"{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
	"{\"a\":1,}",
	"[1,]",
	"[,1]",
	"{,}",
	"{\"a\"}",
	"{\"a\":}",
	"{a:1}",
	"{'a':1}",
	"{\"a\" : [true, false, null]}",
	"tru",
	"truer",
	"nul",
	"[True]",
	"0",
	"-0",
	"00",
	"01",
	"1.",
	".1",
	"1.5e3",
	"1e",
	"1e+",
	"1e+5",
	"+1",
	"-",
	"--1",
	"0x10",
	"\"\"",
	"\"a",
	"\"\\u0041\"",
	"\"\\u00\"",
	"\"\\uD83D\\uDE00\"",
	"\"\\uD83D\"",
	"\"\\uDE00\"",
	"\"\\uD83Dx\"",
	"\"\\x41\"",
	"\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
	"\"\t\"",
	"\"\x7f\"",
	"\"\xc3\xa9\"",
	"\"\xc3\"",
	"\"\xc0\x80\"",
	"\"\xe0\x80\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xf0\x9f\x98\x80\"",
	"\"\xf4\x90\x80\x80\"",
	"\"\xff\"",
	"1 2",
	"[1] x",
	"[1}",
	"{\"a\":1]",
	"[",
	"{",
	"",
	" ",
	"/* */ 1",
	"[1 2]",
	"{\"a\":1 \"b\":2}",
	"[[[[[[[[1]]]]]]]]",
};

static void agrees_with_jansson(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		same_verdict(texts[i], strlen(texts[i]));
}

/* Every text again with each byte cut, doubled and replaced. */
static void agrees_on_neighbours(void **state)
{
	static const char bytes[] = "{}[]\",:\\0-1eu \n\x80";
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		size_t len = strlen(texts[i]);

		for (size_t at = 0; at < len; at++) {
			same_verdict(texts[i], at);
			for (size_t k = 0; k < sizeof(bytes) - 1; k++) {
				memcpy(text, texts[i], len);
				text[at] = bytes[k];
				same_verdict(text, len);
			}
		}
	}
}

static void decodes_strings_alike(void **state)
{
	static const char *const strings[] = {
		"\"plain\"",
		"\"\\u0041\\u00e9\\u20ac\\uD83D\\uDE00\"",
		"\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
		"\"\xc3\xa9\xf0\x9f\x98\x80\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct json_token token;
		struct json json = {
			.text = strings[i],
			.len = strlen(strings[i]),
			.tokens = &token,
			.capacity = 1,
		};
		char ours[64];
		char *theirs = jansson_string(strings[i], json.len);

		assert_int_equal(json_parse(&json, NULL), 0);
		assert_int_equal(json_get_string(&json, 0, ours, sizeof(ours)),
				 0);
		assert_non_null(theirs);
		assert_string_equal(ours, theirs);
		free(theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_jansson),
		cmocka_unit_test(agrees_on_neighbours),
		cmocka_unit_test(decodes_strings_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
