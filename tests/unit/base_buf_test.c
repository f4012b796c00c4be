/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_grows_to_the_last_byte(void **state)
{
	char room[8];
	struct buf buf;

	(void)state;
	memset(room, 'x', sizeof(room));
	buf_init(&buf, room, sizeof(room));
	assert_string_equal(room, "");
	buf_puts(&buf, "abc");
	buf_printf(&buf, "%d", 42);
	buf_append(&buf, "de-not-this", 2);
	assert_string_equal(room, "abc42de");
	assert_int_equal(buf.len, 7);
	assert_int_equal(buf_status(&buf), 0);
	buf_append(&buf, "", 0);
	buf_printf(&buf, "%s", "");
	assert_int_equal(buf_status(&buf), 0);
}

/* What does not fit leaves no half of itself, whoever writes it. */
static void an_overflow_is_whole_and_stays(void **state)
{
	char room[8];
	struct buf buf;

	(void)state;
	buf_init(&buf, room, sizeof(room));
	buf_puts(&buf, "abcd");
	buf_puts(&buf, "efgh");
	assert_string_equal(room, "abcd");
	assert_int_equal(buf_status(&buf), -ENAMETOOLONG);
	buf_puts(&buf, "e");
	buf_printf(&buf, "%s", "f");
	assert_string_equal(room, "abcd");

	buf_init(&buf, room, sizeof(room));
	buf_puts(&buf, "ab");
	buf_printf(&buf, "%s", "cdefgh");
	assert_string_equal(room, "ab");
	assert_int_equal(buf.len, 2);
	assert_int_equal(buf_status(&buf), -ENAMETOOLONG);
}

static void room_for_the_nul_alone(void **state)
{
	char room[2] = {'x', 'y'};
	struct buf buf;

	(void)state;
	buf_init(&buf, room, 1);
	assert_int_equal(room[0], '\0');
	buf_append(&buf, "a", 1);
	assert_int_equal(buf_status(&buf), -ENAMETOOLONG);
	assert_int_equal(room[0], '\0');
	assert_int_equal(room[1], 'y');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows_to_the_last_byte),
		cmocka_unit_test(an_overflow_is_whole_and_stays),
		cmocka_unit_test(room_for_the_nul_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
