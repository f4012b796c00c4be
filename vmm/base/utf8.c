/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"

int utf8_length(const char *p, size_t room)
{
	static const struct {
		uint8_t first_lo, first_hi, second_lo, second_hi;
		int len;
	} rows[] = {
		{0x20, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	uint8_t first = (uint8_t)p[0];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (first < rows[i].first_lo || first > rows[i].first_hi)
			continue;
		if (room < (size_t)rows[i].len)
			return -EINVAL;
		for (int k = 1; k < rows[i].len; k++) {
			uint8_t lo = k == 1 ? rows[i].second_lo : 0x80;
			uint8_t hi = k == 1 ? rows[i].second_hi : 0xbf;

			if ((uint8_t)p[k] < lo || (uint8_t)p[k] > hi)
				return -EINVAL;
		}
		return rows[i].len;
	}
	return -EINVAL;
}

bool utf8_text_ok(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		int r = utf8_length(text + at, len - at);

		if (r < 0 || text[at] == 0x7f)
			return false;
		at += (size_t)r;
	}
	return true;
}
