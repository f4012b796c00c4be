/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest - which known name was probably meant.
 *
 * Feed candidates one after the other; the best within two changed letters
 * wins, the first one on a tie.
 */
#ifndef KILN_COMPILER_NEAREST_H
#define KILN_COMPILER_NEAREST_H

#include <stddef.h>

#define NEAREST_NAME_MAX 64

struct nearest {
	const char *wanted;
	size_t wanted_len;
	unsigned distance; /* of best; larger than 2: none yet */
	char best[NEAREST_NAME_MAX];
};

/* nearest_start - wanted is borrowed until the last nearest_hint(). */
void nearest_start(struct nearest *nearest, const char *wanted,
		   size_t wanted_len);

/* nearest_offer - one candidate; copied if it is the best so far. */
void nearest_offer(struct nearest *nearest, const char *candidate);

/* nearest_hint - "; did you mean 'x'?" or "", in the caller's buffer. */
const char *nearest_hint(const struct nearest *nearest, char *buf,
			 size_t size_bytes);

#endif
