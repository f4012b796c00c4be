/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/array.h"

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Reads digits of a base; *ret_end is the first character that is none. */
static int read_digits(const char *text, unsigned base, uint64_t *ret_value,
		       const char **ret_end)
{
	uint64_t value = 0;
	const char *at = text;

	for (; (unsigned)digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (unsigned)digit_value(*at),
					   &value))
			return -ERANGE;
	}
	if (at == text)
		return -EINVAL;
	*ret_value = value;
	*ret_end = at;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *end;
	uint64_t value;
	int r = read_digits(hex ? text + 2 : text, hex ? 16 : 10, &value, &end);

	if (r < 0)
		return r;
	if (*end != '\0')
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int suffix_shift(const char *suffix)
{
	static const char *const letters = "KMGT";
	const char *at;

	if (suffix[0] == '\0')
		return 0;
	at = strchr(letters, suffix[0]);
	if (at == NULL || suffix[1] != '\0')
		return -EINVAL;
	return 10 * (int)(at - letters + 1);
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	const char *end;
	uint64_t value;
	int r = read_digits(text, 10, &value, &end);
	int shift;

	if (r < 0)
		return r;
	shift = suffix_shift(end);
	if (shift < 0)
		return shift;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = value << shift;
	return 0;
}

int parse_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = {"no",  "yes", "false", "true",
					    "off", "on",  "0",     "1"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = i % 2 == 1;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_mac(const char *text, uint8_t ret_mac[6])
{
	uint8_t mac[6];

	for (int i = 0; i < 6; i++, text += 3) {
		int high = digit_value(text[0]);
		int low = high < 16 ? digit_value(text[1]) : 16;

		if (low >= 16 || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)(high * 16 + low);
	}
	if ((mac[0] & 1) != 0)
		return -EINVAL;
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

static int read_octet(const char **at, char after, uint32_t *address)
{
	uint64_t octet;
	const char *end;
	int r = read_digits(*at, 10, &octet, &end);

	if (r < 0 || octet > 255 || *end != after || end - *at > 3)
		return -EINVAL;
	*address = *address << 8 | (uint32_t)octet;
	*at = end + 1;
	return 0;
}

int parse_cidr(const char *text, uint32_t *ret_address, uint8_t *ret_prefix_len)
{
	static const char after[4] = {'.', '.', '.', '/'};
	uint32_t address = 0;
	uint64_t prefix_len;

	for (int i = 0; i < 4; i++) {
		if (read_octet(&text, after[i], &address) < 0)
			return -EINVAL;
	}
	if (strlen(text) > 2 || (text[0] == '0' && text[1] != '\0') ||
	    parse_u64(text, &prefix_len) < 0 || prefix_len > 32)
		return -EINVAL;
	*ret_address = address;
	*ret_prefix_len = (uint8_t)prefix_len;
	return 0;
}

static bool id_char_ok(char c, bool first)
{
	bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		     (c >= 'A' && c <= 'Z');

	return alnum || (!first && (c == '_' || c == '-' || c == '.'));
}

bool parse_id_ok(const char *text)
{
	size_t len = 0;

	for (; len <= 64 && text[len] != '\0'; len++) {
		if (!id_char_ok(text[len], len == 0))
			return false;
	}
	return len >= 1 && len <= 64;
}
