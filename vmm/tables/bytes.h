/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes - what ACPI tables and the MP table have in common: text fields without
 * a NUL, and the checksum that makes all bytes of a structure sum up to 0.
 */
#ifndef KILN_TABLES_BYTES_H
#define KILN_TABLES_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* bytes_put_text - the first len characters of text, which has as many. */
static inline void bytes_put_text(uint8_t *at, const char *text, size_t len)
{
	memcpy(at, text, len);
}

/* bytes_checksum - the checksum byte, which counts as 0 within data. */
static inline uint8_t bytes_checksum(const uint8_t *data, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += data[i];
	return (uint8_t)(0x100u - (sum & 0xff));
}

#endif
