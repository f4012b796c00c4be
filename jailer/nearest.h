/* SPDX-License-Identifier: Apache-2.0 */
/* nearest - which known word was meant? Thread: any. */
#ifndef KILN_JAILER_NEAREST_H
#define KILN_JAILER_NEAREST_H

#define NEAREST_WORD_MAX 48

struct nearest {
	const char *typed;
	const char *best; /* NULL: nothing is near */
	unsigned distance;
};

/* nearest_start, then nearest_offer each known word (borrowed); best is the
 * first of the closest, at most a third of the word away. */
void nearest_start(struct nearest *nearest, const char *typed);
void nearest_offer(struct nearest *nearest, const char *word);

#endif
