/* SPDX-License-Identifier: Apache-2.0 */
/*
 * le - little-endian loads and stores at any alignment. Guest structures and
 * file headers are read through these, never through a cast pointer.
 */
#ifndef KILN_BASE_LE_H
#define KILN_BASE_LE_H

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "hosts are little-endian");

static inline uint16_t le16_load(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t le32_load(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t le64_load(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void le16_store(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void le32_store(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void le64_store(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

#endif
