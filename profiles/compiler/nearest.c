/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/compiler/nearest.h"

#include <stdio.h>
#include <string.h>

#define DISTANCE_MAX 2U

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time; both lengths are bounded. */
static unsigned distance(const char *a, size_t a_len, const char *b,
			 size_t b_len)
{
	unsigned row[NEAREST_NAME_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1,
				      diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

void nearest_start(struct nearest *nearest, const char *wanted,
		   size_t wanted_len)
{
	nearest->wanted = wanted;
	nearest->wanted_len = wanted_len;
	nearest->distance = DISTANCE_MAX + 1;
	nearest->best[0] = '\0';
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(candidate);
	unsigned d;

	if (len >= NEAREST_NAME_MAX || nearest->wanted_len >= NEAREST_NAME_MAX)
		return;
	d = distance(nearest->wanted, nearest->wanted_len, candidate, len);
	if (d >= nearest->distance || d >= nearest->wanted_len)
		return;
	nearest->distance = d;
	memcpy(nearest->best, candidate, len + 1);
}

const char *nearest_hint(const struct nearest *nearest, char *buf,
			 size_t size_bytes)
{
	buf[0] = '\0';
	if (nearest->best[0] != '\0')
		(void)snprintf(buf, size_bytes, "; did you mean '%s'?",
			       nearest->best);
	return buf;
}
