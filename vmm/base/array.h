/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array - counting and ranges, the two sums that a VMM gets wrong first.
 */
#ifndef KILN_BASE_ARRAY_H
#define KILN_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Elements of an array; a pointer in its place does not compile. */
#define ARRAY_LEN(a)                                                           \
	(sizeof(a) / sizeof((a)[0]) +                                          \
	 0 * sizeof(struct {                                                   \
		 _Static_assert(!__builtin_types_compatible_p(                 \
					__typeof__(a), __typeof__(&(a)[0])),   \
				"ARRAY_LEN wants an array");                   \
		 int unused;                                                   \
	 }))

/* range_ok - is [off, off + len) inside [0, size)? Never wraps. */
static inline bool range_ok(uint64_t off, uint64_t len, uint64_t size)
{
	return len <= size && off <= size - len;
}

/* True when [a, a + a_len) and [b, b + b_len) share a byte; sums must not
 * wrap. */
static inline bool range_overlaps(uint64_t a, uint64_t a_len, uint64_t b,
				  uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static inline uint64_t align_up(uint64_t value, uint64_t power_of_two)
{
	return (value + power_of_two - 1) & ~(power_of_two - 1);
}

#endif
