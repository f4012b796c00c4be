/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON. Whatever is accepted must hold what json.h promises:
 * tokens in order and inside the text, strings that decode to clean UTF-8, keys
 * that differ.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define TOKENS_MAX 512
#define TEXT_MAX   4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_token(const struct json *json, uint32_t i)
{
	const struct json_token *t = &json->tokens[i];
	char text[TEXT_MAX];
	uint64_t number;
	bool flag;

	require(t->kind < JSON_KIND_COUNT && json_kind_name(t->kind) != NULL);
	require(t->start < t->end && t->end <= json->len);
	require(t->next > i && t->next <= json->count);
	(void)json_get_u64(json, i, &number);
	(void)json_get_bool(json, i, &flag);
	if (t->kind != JSON_STRING) {
		require(json_get_string(json, i, text, sizeof(text)) < 0);
		return;
	}
	require(json_get_string(json, i, text, sizeof(text)) == 0);
	require(strlen(text) <= t->end - t->start - 2);
	for (size_t at = 0, len = strlen(text); at < len;) {
		int r = (unsigned char)text[at] < 0x20
				? 1 /* from an escape */
				: utf8_length(text + at, len - at);

		require(r > 0);
		at += (size_t)r;
	}
}

static void check_object(const struct json *json, uint32_t object)
{
	const struct json_token *t = &json->tokens[object];
	char key[TEXT_MAX];
	char other[TEXT_MAX];

	for (uint32_t i = object + 1; i < t->next;
	     i = json->tokens[i + 1].next) {
		require(i + 1 < t->next);
		require(json_get_string(json, i, key, sizeof(key)) == 0);
		for (uint32_t k = object + 1; k < i;
		     k = json->tokens[k + 1].next) {
			require(json_get_string(json, k, other,
						sizeof(other)) == 0);
			require(strcmp(key, other) != 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_token tokens[TOKENS_MAX];
	struct json json = {.text = (const char *)data,
			    .len = size,
			    .tokens = tokens,
			    .capacity = TOKENS_MAX};
	struct err err = {0};

	if (size >= TEXT_MAX)
		return 0;
	if (json_parse(&json, &err) < 0) {
		require(err.code < 0 && err.msg[0] != '\0');
		return 0;
	}
	require(json.count > 0 && json.tokens[0].next == json.count);
	for (uint32_t i = 0; i < json.count; i++) {
		check_token(&json, i);
		if (json.tokens[i].kind == JSON_OBJECT)
			check_object(&json, i);
	}
	return 0;
}
