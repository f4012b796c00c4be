/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/specifier.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

static void names_come_from_the_argument(void **state)
{
	static const struct {
		const char *argument, *file, *fallback, *name, *instance, *id;
	} rows[] = {
		{"vm.ini", "vm.ini", "", "vm", "", "vm"},
		{"/a.b/vm", "/a.b/vm", "", "vm", "", "vm"},
		{"d/vm.conf", "d/vm.conf", "", "vm.conf", "", "vm.conf"},
		{"d/web@blue", "d/web@blue.ini", "d/web@.ini", "web", "blue",
		 "web-blue"},
		{"d/web@blue.ini", "d/web@blue.ini", "d/web@.ini", "web",
		 "blue", "web-blue"},
		{"d@x/vm.ini", "d@x/vm.ini", "", "vm", "", "vm"},
		{".ini", ".ini", "", ".ini", "", ".ini"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct specifier_names names;
		struct err err = {0};

		assert_int_equal(
			specifier_names_of(rows[i].argument, &names, &err), 0);
		assert_string_equal(names.file, rows[i].file);
		assert_string_equal(names.fallback, rows[i].fallback);
		assert_string_equal(names.name, rows[i].name);
		assert_string_equal(names.instance, rows[i].instance);
		assert_string_equal(names.id, rows[i].id);
	}
}

static void bad_arguments_are_refused(void **state)
{
	static const struct {
		const char *argument, *says;
	} rows[] = {
		{"", "is not the name of a file"},
		{"d/", "is not the name of a file"},
		{"web@.ini", "is a template: name an instance of it, such as "
			     "'web@blue'"},
		{"web@", "is a template"},
		{"web@..", "'..' is not the name of an instance"},
		{"web@a@b", "'a@b' is not the name of an instance"},
		{"web@-x.ini", "'-x' is not the name of an instance"},
	};
	char path[5000];
	struct specifier_names names;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err = (struct err){0};
		assert_int_equal(
			specifier_names_of(rows[i].argument, &names, &err),
			-EINVAL);
		assert_ptr_equal(strstr(err.msg, rows[i].says), err.msg);
	}
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(specifier_names_of(path, &names, &err), -ENAMETOOLONG);
	path[300] = '\0'; /* over NAME_MAX */
	assert_int_equal(specifier_names_of(path, &names, &err), -ENAMETOOLONG);
	path[200] = '@'; /* a long instance */
	assert_int_equal(specifier_names_of(path, &names, &err), -EINVAL);
}

static int expand(const char *text, const char *argument, char *out,
		  size_t size_bytes, struct err *err)
{
	struct specifier_names names;
	struct buf buf;

	assert_int_equal(specifier_names_of(argument, &names, err), 0);
	buf_init(&buf, out, size_bytes);
	return specifier_expand(text, &names, &buf, err);
}

static void specifiers_are_expanded(void **state)
{
	char out[64];
	struct err err;

	(void)state;
	assert_int_equal(
		expand("a%i-%n%%i", "x/web@blue", out, sizeof(out), &err), 0);
	assert_string_equal(out, "ablue-web%i");
	assert_int_equal(expand("%n", "vm.ini", out, sizeof(out), &err), 0);
	assert_string_equal(out, "vm");
	assert_int_equal(expand("", "vm.ini", out, sizeof(out), &err), 0);
	assert_string_equal(out, "");
}

static void other_specifiers_are_refused(void **state)
{
	char out[8];
	struct err err;

	(void)state;
	assert_int_equal(expand("%h", "vm.ini", out, sizeof(out), &err),
			 -EINVAL);
	assert_ptr_equal(strstr(err.msg, "'%h' is not one of %i"), err.msg);
	assert_int_equal(expand("50%", "vm.ini", out, sizeof(out), &err),
			 -EINVAL);
	assert_int_equal(expand("%\303\244", "vm.ini", out, sizeof(out), &err),
			 -EINVAL);
	assert_ptr_equal(strstr(err.msg, "'%' is not one of"), err.msg);
	assert_int_equal(expand("%i", "vm.ini", out, sizeof(out), &err),
			 -EINVAL);
	assert_int_equal(expand("12345678", "vm.ini", out, sizeof(out), &err),
			 -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_from_the_argument),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(specifiers_are_expanded),
		cmocka_unit_test(other_specifiers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
