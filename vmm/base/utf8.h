/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 - well-formed UTF-8 and nothing else (Unicode 15, table 3-7: no
 * overlong forms, no surrogates, nothing over U+10FFFF). Thread: any. */
#ifndef KILN_BASE_UTF8_H
#define KILN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * utf8_length - bytes of the sequence at p, of which `room` (at least 1) may
 * be read; -EINVAL when it is not well formed or a control character below
 * U+0020.
 */
int utf8_length(const char *p, size_t room);

/* utf8_text_ok - is text[0..len) well formed, with no control character? */
bool utf8_text_ok(const char *text, size_t len);

#endif
