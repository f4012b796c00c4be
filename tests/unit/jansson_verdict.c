/* SPDX-License-Identifier: Apache-2.0 */
#include "jansson_verdict.h"

#include <jansson.h>
#include <string.h>

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

bool jansson_accepts(const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, FLAGS, NULL);

	json_decref(value);
	return value != NULL;
}

char *jansson_string(const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, FLAGS, NULL);
	const char *string = json_string_value(value);
	char *copy = string == NULL ? NULL : strdup(string);

	json_decref(value);
	return copy;
}
