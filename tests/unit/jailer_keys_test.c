/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every row of the table is tried with values at its edges, one below, one
 * above, and nonsense, all derived from the row: a new row is tested by being
 * there.
 */
#include "jailer/keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "jailer/key_checks.h"
#include "jailer/nearest.h"

static struct kiln_config config;

/* Calls try() with each key that is served, its section having an element. */
static unsigned for_each_key(void (*try)(const struct key *key))
{
	const struct key_section *section;
	struct key key;
	struct err err;
	unsigned tried = 0;

	config_default(&config);
	for (unsigned i = 0; (section = key_section_at(i)) != NULL; i++) {
		if (key_section_is_named(section))
			assert_int_equal(
				key_element_find(section, &config, "x", &err),
				0);
		for (unsigned k = 0; key_at(section, k, &key); k++) {
			if ((key.flags & KEY_LATER) != 0)
				continue;
			try(&key);
			tried++;
		}
	}
	return tried;
}

static void assert_takes(const struct key *key, const char *text)
{
	struct err err = {0};
	int r = key_set(key, &config, 0, text, &err);

	if (r != 0)
		print_error("[%s] %s = %.60s: %s\n", key->section->name,
			    key->field->name, text, err.msg);
	assert_int_equal(r, 0);
}

static void assert_refuses(const struct key *key, const char *text)
{
	static struct kiln_config before;
	struct err err = {0};
	int r;

	before = config;
	r = key_set(key, &config, 0, text, &err);
	if (r == 0)
		print_error("[%s] %s = %.60s was taken\n", key->section->name,
			    key->field->name, text);
	assert_int_equal(r, -EINVAL);
	assert_true(strlen(err.msg) > 0);
	assert_memory_equal(&config, &before, sizeof(config));
}

static const char *number_text(const struct field *field, uint64_t value)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "%llu%s", (unsigned long long)value,
		       field->kind == FIELD_PERCENT ? "%" : "");
	return text;
}

static void try_number(const struct key *key)
{
	const struct field *field = key->field;
	uint64_t step = field->multiple_of == 0 ? 1 : field->multiple_of;

	assert_takes(key, number_text(field, field->min));
	assert_takes(key, number_text(field, field->max));
	if (field->min > step)
		assert_refuses(key, number_text(field, field->min - step));
	assert_refuses(key, number_text(field, field->max + step));
	if (step > 1)
		assert_refuses(key, number_text(field, field->min + 1));
	assert_refuses(key, "18446744073709551616");
	assert_refuses(key, "16777216T");
	assert_refuses(key, "-1");
}

static void try_string(const struct key *key)
{
	static char text[PATH_MAX + 8];
	size_t room = key->field->size_bytes;

	assert_true(room < sizeof(text) && room <= FIELD_TEXT_MAX);
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[room] = '\0';
	assert_refuses(key, text);
	assert_refuses(key, "/a\nb");
	assert_refuses(key, "/\377");
}

static void try_choice(const struct key *key)
{
	for (unsigned i = 0; key->field->names[i] != NULL; i++)
		assert_takes(key, key->field->names[i]);
}

static void try_edges(const struct key *key)
{
	switch (key->field->kind) {
	case FIELD_NUMBER:
	case FIELD_SIZE:
	case FIELD_PERCENT:
		try_number(key);
		break;
	case FIELD_STRING:
		try_string(key);
		return;
	case FIELD_CHOICE:
		try_choice(key);
		break;
	case FIELD_BOOL:
		assert_takes(key, "yes");
		assert_takes(key, "no");
		break;
	case FIELD_MAC:
		assert_takes(key, "06:00:00:00:00:01");
		assert_refuses(key, "07:00:00:00:00:01");
		break;
	case FIELD_KIND_COUNT:
		fail();
	}
	assert_refuses(key, "nonsense");
	assert_refuses(key, "yes no");
}

static void every_key_keeps_its_limits(void **state)
{
	(void)state;
	assert_true(for_each_key(try_edges) >= 30);
}

/* What the default is, set or formatted, is the default. */
static void try_default(const struct key *key)
{
	static struct kiln_config fresh;
	char text[FIELD_TEXT_MAX];
	struct buf out;

	fresh = config;
	if (key->field->fallback != NULL)
		assert_takes(key, key->field->fallback);
	assert_memory_equal(&config, &fresh, sizeof(config));
	buf_init(&out, text, sizeof(text));
	field_format(key->field, key_object_const(key, &config, 0), &out);
	assert_int_equal(buf_status(&out), 0);
	if (key->field->fallback != NULL)
		assert_string_equal(text, key->field->fallback);
	assert_takes(key, ""); /* back to the default */
	assert_memory_equal(&config, &fresh, sizeof(config));
}

static void every_default_is_a_legal_value(void **state)
{
	(void)state;
	(void)for_each_key(try_default);
}

static void try_words(const struct key *key)
{
	static const char name_chars[] =
		"abcdefghijklmnopqrstuvwxyz_0123456789";
	struct key again;
	const char *meant;

	assert_true(strlen(key->field->help) > 0);
	assert_true(strlen(key->field->name) < NEAREST_WORD_MAX);
	assert_int_equal(key->field->name[strspn(key->field->name, name_chars)],
			 '\0');
	assert_true(key_find(key->section, key->field->name, &again, &meant));
	assert_ptr_equal(again.field, key->field); /* no name twice */
}

static void every_key_has_a_name_and_help(void **state)
{
	(void)state;
	(void)for_each_key(try_words);
}

static void near_misses_are_named(void **state)
{
	static const struct {
		const char *section, *typed, *meant;
	} rows[] = {
		{"machine", "vcpsu", "vcpus"},
		{"machine", "mem", NULL},
		{"machine", "memroy", "memory"},
		{"machine", "Memory", "memory"},
		{"drive", "readonly", "read_only"},
		{"drive", "id", NULL},
		{"kernel", "kernel_image_path_of_the_guest_that_is_too_long_x",
		 NULL},
	};
	const char *meant = NULL;
	struct key key;

	(void)state;
	assert_null(key_section_find("machin", &meant));
	assert_string_equal(meant, "machine");
	assert_null(key_section_find("xyzzy", &meant));
	assert_null(meant);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct key_section *section =
			key_section_find(rows[i].section, &meant);

		assert_non_null(section);
		assert_false(key_find(section, rows[i].typed, &key, &meant));
		if (rows[i].meant == NULL)
			assert_null(meant);
		else
			assert_string_equal(meant, rows[i].meant);
	}
}

static void elements_are_bounded_and_named(void **state)
{
	const char *meant;
	const struct key_section *drive = key_section_find("drive", &meant);
	struct err err;
	char id[80];

	(void)state;
	config_default(&config);
	assert_int_equal(key_element_find(drive, &config, "../x", &err),
			 -EINVAL);
	memset(id, 'a', sizeof(id));
	id[65] = '\0';
	assert_int_equal(key_element_find(drive, &config, id, &err), -EINVAL);
	id[64] = '\0';
	assert_int_equal(key_element_find(drive, &config, id, &err), 0);
	assert_int_equal(key_element_find(drive, &config, id, &err), 0);
	for (int i = 1; i < MACHINE_DRIVES_MAX; i++) {
		(void)snprintf(id, sizeof(id), "d%d", i);
		assert_int_equal(key_element_find(drive, &config, id, &err), i);
	}
	assert_int_equal(key_element_find(drive, &config, "more", &err),
			 -E2BIG);
	assert_string_equal(err.msg, "more than 16 [drive NAME] sections");
}

static void host_values_are_checked(void **state)
{
	static const struct {
		int (*check)(const char *text, struct err *err);
		const char *good, *bad;
	} rows[] = {
		{key_check_tap, "auto", "a/b"},
		{key_check_tap, "123456789012345", "1234567890123456"},
		{key_check_tap, "a.b", "."},
		{key_check_tap, "...", ".."},
		{key_check_tap, "tap0", "tap%d"},
		{key_check_tap, "tap-0", "tap 0"},
		{key_check_address, "172.16.0.1/30", "172.16.0.1"},
		{key_check_address, "10.0.0.1/8", "0.0.0.0/8"},
		{key_check_address, "10.0.0.1/32", "10.0.0.1/33"},
		{key_check_address, "223.0.0.1/1", "224.0.0.1/24"},
		{key_check_address, "1.2.3.4/1", "1.2.3.4/0"},
		{key_check_netns, "/run/netns/a", "a"},
		{key_check_jail_netns, "none", "a"},
		{key_check_user, "kiln", "a b"},
		{key_check_user, "1000", "1000:1000"},
		{key_check_user, "_x", "-x"},
		{key_check_cgroup, "/a/b.slice", "/a/../b"},
		{key_check_cgroup, "a/b", "a//b"},
		{key_check_cgroup, "a", "."},
		{key_check_cgroup, "a/", ".."},
		{key_check_raw_name, "cpu.weight", "cgroup.procs"},
		{key_check_raw_name, "memory.swap.max", "weight"},
		{key_check_raw_name, "hugetlb.2MB.max", "../x.y"},
		{key_check_raw_name, "io.max", "io..max"},
		{key_check_raw_name, "a.b", ".b"},
		{key_check_raw_name, "a.b", "b."},
		{key_check_raw_value, "8:0 rbps=1", "1\n2"},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(rows[i].check(rows[i].good, &err), 0);
		assert_int_equal(rows[i].check(rows[i].bad, &err), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_keeps_its_limits),
		cmocka_unit_test(every_default_is_a_legal_value),
		cmocka_unit_test(every_key_has_a_name_and_help),
		cmocka_unit_test(near_misses_are_named),
		cmocka_unit_test(elements_are_bounded_and_named),
		cmocka_unit_test(host_values_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
