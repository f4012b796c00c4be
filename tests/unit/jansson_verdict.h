/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson_verdict - what another JSON library says. Apart from base/json.h,
 * whose enumerators have the same names.
 */
#ifndef KILN_TESTS_UNIT_JANSSON_VERDICT_H
#define KILN_TESTS_UNIT_JANSSON_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

/* Is text one JSON value, without duplicate keys? */
bool jansson_accepts(const char *text, size_t len);

/* The string that the value `text` is; caller frees. NULL: no string. */
char *jansson_string(const char *text, size_t len);

#endif
