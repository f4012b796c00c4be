/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/utf8.h"

struct number_row {
	const char *text;
	int result;
	uint64_t value;
};

static void check_numbers(const struct number_row *rows, size_t count,
			  int (*parse)(const char *, uint64_t *))
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 4711;

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(parse(rows[i].text, &value), rows[i].result);
		assert_int_equal(value,
				 rows[i].result < 0 ? 4711 : rows[i].value);
	}
}

static void numbers(void **state)
{
	static const struct number_row rows[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"0X1F", 0, 31},
		{"0x10000000000000000", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1\n", -EINVAL, 0},
		{"12a", -EINVAL, 0},
		{"0xfg", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
	};

	(void)state;
	check_numbers(rows, ARRAY_LEN(rows), parse_u64);
}

static void sizes(void **state)
{
	static const struct number_row rows[] = {
		{"0", 0, 0},
		{"512", 0, 512},
		{"1K", 0, 1024},
		{"3M", 0, 3 << 20},
		{"2G", 0, UINT64_C(2) << 30},
		{"1T", 0, UINT64_C(1) << 40},
		{"16777215T", 0, UINT64_C(16777215) << 40},
		{"16777216T", -ERANGE, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551615K", -ERANGE, 0},
		{"K", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"1k", -EINVAL, 0},
		{"1KB", -EINVAL, 0},
		{"1 K", -EINVAL, 0},
		{"1P", -EINVAL, 0},
		{"0x10K", -EINVAL, 0},
		{"-1K", -EINVAL, 0},
	};

	(void)state;
	check_numbers(rows, ARRAY_LEN(rows), parse_size);
}

static void booleans(void **state)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	static const char *const neither[] = {"",   "Yes", "2", "yes ",
					      "ja", "y",   "01"};
	bool value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		value = false;
		assert_int_equal(parse_bool(yes[i], &value), 0);
		assert_true(value);
		assert_int_equal(parse_bool(no[i], &value), 0);
		assert_false(value);
	}
	for (size_t i = 0; i < ARRAY_LEN(neither); i++) {
		value = true;
		assert_int_equal(parse_bool(neither[i], &value), -EINVAL);
		assert_true(value);
	}
}

static void hardware_addresses(void **state)
{
	static const uint8_t want[6] = {0x06, 0x00, 0xac, 0x10, 0xfF, 0x02};
	static const char *const bad[] = {
		"",
		"06:00:ac:10:ff",
		"06:00:ac:10:ff:",
		"06:00:ac:10:ff:0",
		"06:00:ac:10:ff:02:",
		"06:00:ac:10:ff:02:03",
		"6:0:ac:10:ff:2",
		"06-00-ac-10-ff-02",
		"0g:00:ac:10:ff:02",
		"06:00:ac:10:ff:02 ",
		"01:00:ac:10:ff:02", /* multicast */
		"ff:ff:ff:ff:ff:ff",
	};
	uint8_t mac[6] = {9, 9, 9, 9, 9, 9};
	static const uint8_t untouched[6] = {9, 9, 9, 9, 9, 9};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("# '%s'\n", bad[i]);
		assert_int_equal(parse_mac(bad[i], mac), -EINVAL);
		assert_memory_equal(mac, untouched, 6);
	}
	assert_int_equal(parse_mac("06:00:ac:10:Ff:02", mac), 0);
	assert_memory_equal(mac, want, 6);
}

static void networks(void **state)
{
	static const char *const bad[] = {
		"",
		"172.16.0.1",
		"172.16.0.1/",
		"172.16.0.1/33",
		"172.16.0.1/024",
		"172.16.0.1/-1",
		"172.16.0.1/0x8",
		"172.16.0.1/8 ",
		"172.16.0/24",
		"172.16.0.1.2/24",
		"256.16.0.1/24",
		"0172.16.0.1/24",
		"172..0.1/24",
		" 172.16.0.1/24",
	};
	uint32_t address = 1;
	uint8_t len = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("# '%s'\n", bad[i]);
		assert_int_equal(parse_cidr(bad[i], &address, &len), -EINVAL);
		assert_int_equal(address, 1);
		assert_int_equal(len, 1);
	}
	assert_int_equal(parse_cidr("172.16.0.1/30", &address, &len), 0);
	assert_int_equal(address, 0xac100001);
	assert_int_equal(len, 30);
	assert_int_equal(parse_cidr("0.0.0.0/0", &address, &len), 0);
	assert_int_equal(address, 0);
	assert_int_equal(len, 0);
	assert_int_equal(parse_cidr("255.255.255.255/32", &address, &len), 0);
	assert_int_equal(address, 0xffffffff);
	assert_int_equal(len, 32);
}

static void names(void **state)
{
	static const char *const good[] = {"a", "0", "web-1.a_b", "A..b"};
	static const char *const bad[] = {"",         ".",  "..",  "-a",
					  "_a",       ".a", "a/b", "a b",
					  "\xc3\xa4", "a\n"};
	char text[66];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(parse_id_ok(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(parse_id_ok(bad[i]));
	memset(text, 'a', sizeof(text));
	text[65] = '\0';
	assert_false(parse_id_ok(text));
	text[64] = '\0';
	assert_true(parse_id_ok(text));
}

/* Unicode 15, table 3-7, at the edges of its rows. */
static void utf8_sequences(void **state)
{
	static const struct {
		const char *bytes;
		int len;
	} rows[] = {
		{"a", 1},
		{"\x7f", 1},
		{"\xc2\x80", 2},
		{"\xdf\xbf", 2},
		{"\xe0\xa0\x80", 3},
		{"\xed\x9f\xbf", 3},
		{"\xee\x80\x80", 3},
		{"\xef\xbf\xbf", 3},
		{"\xf0\x90\x80\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\x1f", -EINVAL},
		{"\x80", -EINVAL},
		{"\xc0\x80", -EINVAL}, /* overlong */
		{"\xc1\xbf", -EINVAL},
		{"\xe0\x9f\xbf", -EINVAL},
		{"\xf0\x8f\xbf\xbf", -EINVAL},
		{"\xed\xa0\x80", -EINVAL},     /* surrogate */
		{"\xf4\x90\x80\x80", -EINVAL}, /* over U+10FFFF */
		{"\xf5\x80\x80\x80", -EINVAL},
		{"\xff", -EINVAL},
		{"\xc2", -EINVAL}, /* cut */
		{"\xe1\x80", -EINVAL},
		{"\xf1\x80\x80", -EINVAL},
		{"\xc2\x20", -EINVAL},
		{"\xe1\x80\xc0", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# row %zu\n", i);
		assert_int_equal(
			utf8_length(rows[i].bytes, strlen(rows[i].bytes)),
			rows[i].len);
	}
	assert_int_equal(utf8_length("\0", 1), -EINVAL);
}

static void utf8_texts(void **state)
{
	(void)state;
	assert_true(utf8_text_ok("", 0));
	assert_true(utf8_text_ok("a\xc3\xa4z", 4));
	assert_false(utf8_text_ok("a\xc3\xa4z", 2));
	assert_false(utf8_text_ok("a\tb", 3));
	assert_false(utf8_text_ok("a\x7f", 2));
	assert_false(utf8_text_ok("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(booleans),
		cmocka_unit_test(hardware_addresses),
		cmocka_unit_test(networks),
		cmocka_unit_test(names),
		cmocka_unit_test(utf8_sequences),
		cmocka_unit_test(utf8_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
