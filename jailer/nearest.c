/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Optimal string alignment: insert, delete, replace, swap two neighbours, one
 * step each. Row i of the table needs the two rows before it.
 */
#include "jailer/nearest.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

typedef unsigned row_t[NEAREST_WORD_MAX + 1];

static void fill_row(row_t rows[3], const char *a, size_t i, const char *b)
{
	unsigned *now = rows[i % 3];
	const unsigned *before = rows[(i + 2) % 3];
	const unsigned *twice = rows[(i + 1) % 3];

	now[0] = (unsigned)i;
	for (size_t k = 1; b[k - 1] != '\0'; k++) {
		unsigned differs = a[i - 1] == b[k - 1] ? 0 : 1;

		now[k] = least(least(before[k], now[k - 1]) + 1,
			       before[k - 1] + differs);
		if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
		    a[i - 2] == b[k - 1])
			now[k] = least(now[k], twice[k - 2] + 1);
	}
}

static unsigned distance(const char *a, const char *b)
{
	row_t rows[3] = {{0}};
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (a_len > NEAREST_WORD_MAX || b_len > NEAREST_WORD_MAX)
		return NEAREST_WORD_MAX;
	for (unsigned k = 0; k <= b_len; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= a_len; i++)
		fill_row(rows, a, i, b);
	return rows[a_len % 3][b_len];
}

void nearest_start(struct nearest *nearest, const char *typed)
{
	size_t len = strlen(typed);

	*nearest = (struct nearest){
		.typed = typed,
		.distance = (unsigned)(len < NEAREST_WORD_MAX ? len / 3 : 0),
	};
	if (len >= 2 && nearest->distance == 0)
		nearest->distance = 1;
	nearest->distance++; /* what is offered must be below it */
}

void nearest_offer(struct nearest *nearest, const char *word)
{
	unsigned steps = distance(nearest->typed, word);

	if (steps >= nearest->distance)
		return;
	nearest->distance = steps;
	nearest->best = word;
}
