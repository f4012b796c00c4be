/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checksum - the one of ACPI and of the MP specification: all bytes of a
 * structure sum up to 0 modulo 256.
 */
#ifndef KILN_TABLES_CHECKSUM_H
#define KILN_TABLES_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The value of the checksum byte, which counts as 0 within data. */
static inline uint8_t checksum_of(const uint8_t *data, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += data[i];
	return (uint8_t)(0x100u - (sum & 0xff));
}

#endif
