/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_failed_call_names_object_and_reason(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_set(&err, ENOENT, "open disk '%s'", "a"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.msg,
			    "open disk 'a': No such file or directory");
	assert_int_equal(err_say(&err, EINVAL, "%d is odd", 3), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.msg, "3 is odd");
}

static void outer_names_come_first(void **state)
{
	struct err err = {0};

	(void)state;
	(void)err_say(&err, EBUSY, "in use");
	assert_int_equal(err_in(&err, "drive '%s'", "a"), -EBUSY);
	assert_int_equal(err_in(&err, "vm"), -EBUSY);
	assert_string_equal(err.msg, "vm: drive 'a': in use");
}

static void nobody_need_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ENOENT, "x"), -ENOENT);
	assert_int_equal(err_say(NULL, EINVAL, "x"), -EINVAL);
	assert_true(err_in(NULL, "x") < 0);
}

static void assert_cut(const struct err *err)
{
	assert_int_equal(strlen(err->msg), ERR_MSG_MAX - 1);
	assert_string_equal(err->msg + ERR_MSG_MAX - 4, "...");
}

/* A cut message must not pass for a whole one, wherever it was cut. */
static void long_messages_end_in_dots(void **state)
{
	char text[ERR_MSG_MAX + 1];
	struct err err = {0};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[ERR_MSG_MAX] = '\0';
	(void)err_say(&err, EINVAL, "%s", text);
	assert_cut(&err);
	(void)err_set(&err, EINVAL, "%s", text);
	assert_cut(&err);
	text[ERR_MSG_MAX - 6] = '\0';
	(void)err_set(&err, EINVAL, "%s", text);
	assert_cut(&err);
	(void)err_say(&err, EINVAL, "%s", text);
	assert_string_equal(err.msg, text);
	(void)err_in(&err, "drive");
	assert_cut(&err);
	text[ERR_MSG_MAX - 6] = 'a';
	(void)err_say(&err, EINVAL, "x");
	(void)err_in(&err, "%s", text);
	assert_cut(&err);
}

static void the_longest_whole_message_is_not_marked(void **state)
{
	char text[ERR_MSG_MAX];
	struct err err = {0};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[ERR_MSG_MAX - 1] = '\0';
	(void)err_say(&err, EINVAL, "%s", text);
	assert_string_equal(err.msg, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_call_names_object_and_reason),
		cmocka_unit_test(outer_names_come_first),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(long_messages_end_in_dots),
		cmocka_unit_test(the_longest_whole_message_is_not_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
