/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse - text to typed values, strictly: the whole text or nothing, no signs,
 * no leading or trailing blanks, every overflow seen. Return 0, -EINVAL (not
 * of that shape) or -ERANGE (does not fit); ret_* is written on success only.
 * Thread: any.
 */
#ifndef KILN_BASE_PARSE_H
#define KILN_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal behind 0x. */
int parse_u64(const char *text, uint64_t *ret_value);

/* Bytes: a decimal number and an optional K, M, G or T (powers of 1024). */
int parse_size(const char *text, uint64_t *ret_bytes);

/* yes/no, true/false, on/off, 1/0 */
int parse_bool(const char *text, bool *ret_value);

/* Six pairs of hex digits with colons; refuses multicast addresses. */
int parse_mac(const char *text, uint8_t ret_mac[6]);

/* "a.b.c.d/len" in host byte order; prefix_len 0..32. */
int parse_cidr(const char *text, uint32_t *ret_address,
	       uint8_t *ret_prefix_len);

/*
 * parse_id - is this a name for a microVM or a device: 1..64 characters of
 * [A-Za-z0-9_.-], the first a letter or a digit? "." and ".." therefore never.
 */
bool parse_id_ok(const char *text);

#endif
