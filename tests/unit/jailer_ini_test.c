/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/buf.h"

/* Everything that was found, as text: "1[a] 2k=v 3!problem ". */
struct log {
	struct buf out;
	char text[3 * INI_LINE_MAX];
	char value[INI_LINE_MAX + 1]; /* the last one */
	unsigned problems, assigns;
};

static void on_section(void *context, const char *header, unsigned line)
{
	struct log *log = context;

	buf_printf(&log->out, "%u[%s] ", line, header == NULL ? "?" : header);
}

static void on_assign(void *context, const char *key, const char *value,
		      unsigned line)
{
	struct log *log = context;

	log->assigns++;
	buf_printf(&log->out, "%u%s=%s ", line, key, value);
	(void)snprintf(log->value, sizeof(log->value), "%s", value);
}

static void on_problem(void *context, const char *text, unsigned line)
{
	struct log *log = context;

	log->problems++;
	buf_printf(&log->out, "%u!%.17s ", line, text);
}

static struct log *read_bytes(const char *text, size_t len)
{
	static struct log log;
	const struct ini_events events = {
		.context = &log,
		.section = on_section,
		.assign = on_assign,
		.problem = on_problem,
	};
	/* An exact copy: AddressSanitizer sees a byte read too many. */
	char *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(&log, 0, sizeof(log));
	buf_init(&log.out, log.text, sizeof(log.text));
	ini_read(copy, len, &events);
	free(copy);
	return &log;
}

static void assert_reads(const char *text, const char *expected)
{
	assert_string_equal(read_bytes(text, strlen(text))->text, expected);
}

static void good_lines_arrive_with_their_number(void **state)
{
	(void)state;
	assert_reads("", "");
	assert_reads("\n\n", "");
	assert_reads("[a]", "1[a] ");
	assert_reads("[a]\nk=v", "1[a] 2k=v ");
	assert_reads("# c\n; c\n\t# c\n[a b]\n\nk\t=  v w \n",
		     "4[a b] 6k=v w ");
	assert_reads("[a]\nk=\nl = = x\n", "1[a] 2k= 3l== x ");
	assert_reads("[a]\n[b]\n[a]\n", "1[a] 2[b] 3[a] ");
	assert_reads("[a]\nk=1\nk=2\n", "1[a] 2k=1 3k=2 ");
	assert_reads("[a]\nk=#x\nl=a;b#c\nm=a:b\n",
		     "1[a] 2k=#x 3l=a;b#c 4m=a:b ");
	assert_reads("[a]\ncpu.weight = 5\n", "1[a] 2cpu.weight=5 ");
	assert_reads("[a]\nk=[x]\n", "1[a] 2k=[x] ");
}

static void lines_go_on_behind_a_backslash(void **state)
{
	(void)state;
	assert_reads("[a]\nk = a \\\n  b\\\nc\nl=1\n", "1[a] 2k=a b c 5l=1 ");
	assert_reads("[a]\nk = \\\n  b\n", "1[a] 2k=b ");
	assert_reads("[a]\nk = a \\\n\nl=1\n", "1[a] 2k=a 4l=1 ");
	assert_reads("[a]\nk = a\\", "1[a] 2!the file ends in  ");
	assert_reads("[a]\nk = a\\\n[b]\nl=1\n",
		     "1[a] 3!the '\\' of the li 4l=1 ");
	assert_reads("# c\\\n[a]\n", "2[a] ");
}

static void crlf_and_a_byte_order_mark_are_taken(void **state)
{
	(void)state;
	assert_reads("\xef\xbb\xbf[a]\r\nk = v\r\nl = x\\\r\n y\r\n\r\n",
		     "1[a] 2k=v 3l=x y ");
	assert_reads("[a]\nk=a\rb\n", "1[a] 2!a control charact ");
	assert_reads("[a]\nk=a\r\r\n", "1[a] 2!a control charact ");
}

static void bad_lines_are_told_and_passed_over(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"k=v\n[a]\nl=1", "1!a key before the  2[a] 3l=1 "},
		{"[a]\n k=v\nl=1", "1[a] 2!the line is inden 3l=1 "},
		{"[a\nk=v", "1!the section heade 1[?] 2k=v "},
		{" [a]\nk=v", "1!the line is inden 1[?] 2k=v "},
		{"[a] x\nk=v", "1!text behind the ' 1[?] 2k=v "},
		{"[a] # x\nk=v", "1!text behind the ' 1[?] 2k=v "},
		{"[[a]]\n", "1!text behind the ' 1[?] "},
		{"[a[b]\n", "1!a '[' inside a se 1[?] "},
		{"[a]\nk=v ; x\nl=1", "1[a] 2!a comment behind  3l=1 "},
		{"[a]\nk=v # x\nl=1", "1[a] 2!a comment behind  3l=1 "},
		{"[a]\nk= ;x", "1[a] 2!a comment behind  "},
		{"[a]\nk=\"v\"", "1[a] 2!quotes around the "},
		{"[a]\nk='v'", "1[a] 2!quotes around the "},
		{"[a]\nk:v", "1[a] 2!expected 'key = v "},
		{"[a]\nk", "1[a] 2!expected 'key = v "},
		{"[a]\n=v", "1[a] 2!expected 'key = v "},
		{"[a]\nk x=v", "1[a] 2!expected 'key = v "},
		{"[a]\nk\303\244=v", "1[a] 2!expected 'key = v "},
		{"[a]\nk=\001v", "1[a] 2!a control charact "},
		{"[a]\nk=\177v", "1[a] 2!a control charact "},
		{"[a]\nk=\377v\nl=1", "1[a] 2!the line is not U 3l=1 "},
		{"[a]\n# \377\nl=1", "1[a] 2!the line is not U 3l=1 "},
		{"[a]\nk=a\\\nb\001\\\nc\nl=1",
		 "1[a] 3!a control charact 5l=1 "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_reads(rows[i].text, rows[i].expected);
}

static void nul_bytes_are_refused(void **state)
{
	static const char text[] = "[a]\nk=v\0w\n\0\n# \0\nl=1\n";

	(void)state;
	assert_string_equal(read_bytes(text, sizeof(text) - 1)->text,
			    "1[a] 2!a NUL byte in the 3!a NUL byte in the "
			    "4!a NUL byte in the 5l=1 ");
}

/* Every length around libinih's 200-byte buffer, with all that it would eat. */
static void values_of_any_length_arrive_whole(void **state)
{
	static const char pattern[] = "ab  c;d #e[f]=g:h\303\244 ";
	static char value[1000];

	(void)state;
	for (size_t len = 1; len < sizeof(value); len++) {
		static char text[1100];
		const struct log *log;
		size_t n;

		for (size_t i = 0; i < len; i++)
			value[i] = pattern[i % (sizeof(pattern) - 1)];
		/* No blank at the end, no broken character, no comment. */
		for (size_t i = 1; i < len; i++) {
			if (strchr(";#", value[i]) != NULL &&
			    value[i - 1] == ' ')
				value[i] = 'x';
		}
		value[len - 1] = 'z';
		if (len >= 2 && value[len - 2] == '\303')
			value[len - 2] = 'y';
		value[len] = '\0';
		n = (size_t)snprintf(text, sizeof(text), "[a]\nkey = %s\n",
				     value);
		log = read_bytes(text, n);
		assert_int_equal(log->problems, 0);
		assert_int_equal(log->assigns, 1);
		assert_string_equal(log->value, value);
	}
}

/* A line of exactly `len` bytes in the middle of a file. */
static const struct log *read_line_of(size_t len)
{
	char *text = malloc(len + 100);
	const struct log *log;
	size_t at;

	assert_non_null(text);
	at = (size_t)sprintf(text, "[a]\nk=");
	memset(text + at, 'x', len - 2);
	at += len - 2;
	at += (size_t)sprintf(text + at, "\nl=1\n");
	log = read_bytes(text, at);
	free(text);
	return log;
}

static void long_lines_are_refused_at_64_kib(void **state)
{
	const struct log *log;

	(void)state;
	log = read_line_of(INI_LINE_MAX);
	assert_int_equal(log->problems, 0);
	assert_int_equal(log->assigns, 2);
	log = read_line_of(INI_LINE_MAX + 1);
	assert_string_equal(log->text, "1[a] 2!the line is over  3l=1 ");
	log = read_line_of(1 << 20);
	assert_string_equal(log->text, "1[a] 2!the line is over  3l=1 ");
}

static void continued_lines_count_together(void **state)
{
	size_t lines = 2000;
	char *text = malloc(lines * 50 + 100);
	const struct log *log;
	size_t at;

	(void)state;
	assert_non_null(text);
	at = (size_t)sprintf(text, "[a]\nk=");
	for (size_t i = 0; i < lines; i++)
		at += (size_t)sprintf(
			text + at,
			"0123456789012345678901234567890123456789\\\n");
	at += (size_t)sprintf(text + at, "end\nl=1\n");
	log = read_bytes(text, at);
	assert_int_equal(log->problems, 1);
	assert_int_equal(log->assigns, 1);
	free(text);
}

static void long_headers_and_keys_are_refused(void **state)
{
	char text[300];

	(void)state;
	(void)snprintf(text, sizeof(text), "[%080d]\nk=1", 0);
	assert_int_equal(read_bytes(text, strlen(text))->problems, 0);
	(void)snprintf(text, sizeof(text), "[%081d]\nk=1", 0);
	assert_reads(text, "1!the section heade 1[?] 2k=1 ");
	(void)snprintf(text, sizeof(text), "[a]\n%048d=1", 0);
	assert_int_equal(read_bytes(text, strlen(text))->problems, 0);
	(void)snprintf(text, sizeof(text), "[a]\n%049d=1", 0);
	assert_reads(text, "1[a] 2!the key is over 4 ");
}

/* Two names that libinih would cut to the same 49 bytes. */
static void long_section_names_stay_apart(void **state)
{
	char text[300];
	char expected[300];

	(void)state;
	(void)snprintf(text, sizeof(text), "[drive %060d1]\n[drive %060d2]\n",
		       0, 0);
	(void)snprintf(expected, sizeof(expected),
		       "1[drive %060d1] 2[drive %060d2] ", 0, 0);
	assert_reads(text, expected);
}

static char directory[] = "/tmp/kiln-ini-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL || chdir(directory) < 0 ? -1 : 0;
}

static int remove_directory(void **state)
{
	(void)state;
	(void)unlink("file");
	(void)unlink("fifo");
	(void)unlink("link");
	return chdir("/") < 0 || rmdir(directory) < 0 ? -1 : 0;
}

static void write_file(const char *text, size_t len, size_t times)
{
	FILE *file = fopen("file", "w");

	assert_non_null(file);
	for (size_t i = 0; i < times; i++)
		assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void files_are_loaded_whole(void **state)
{
	static char block[65536];
	struct err err;
	char *text;
	size_t len;

	(void)state;
	write_file("a\0b", 3, 1);
	assert_int_equal(ini_load("file", &text, &len, &err), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 3);
	free(text);
	write_file("", 0, 0);
	assert_int_equal(ini_load("file", &text, &len, &err), 0);
	assert_int_equal(len, 0);
	free(text);
	write_file(block, sizeof(block), INI_FILE_MAX / sizeof(block));
	assert_int_equal(ini_load("file", &text, &len, &err), 0);
	assert_int_equal(len, INI_FILE_MAX);
	free(text);
	write_file(block, sizeof(block), INI_FILE_MAX / sizeof(block) + 1);
	assert_int_equal(ini_load("file", &text, &len, &err), -EFBIG);
	assert_string_equal(err.msg, "is over 4 MiB");
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *says;
	} rows[] = {
		{"fifo", -EINVAL, "is a FIFO, not a regular file"},
		{".", -EINVAL, "is a directory, not a regular file"},
		{"/dev/null", -EINVAL,
		 "is a character device, not a regular file"},
		{"none", -ENOENT, "open: No such file or directory"},
		{"link", -ELOOP, NULL},
		{"", -ENOENT, NULL},
	};

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("link", "link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		char *text;
		size_t len;

		assert_int_equal(ini_load(rows[i].path, &text, &len, &err),
				 rows[i].code);
		if (rows[i].says != NULL)
			assert_string_equal(err.msg, rows[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines_arrive_with_their_number),
		cmocka_unit_test(lines_go_on_behind_a_backslash),
		cmocka_unit_test(crlf_and_a_byte_order_mark_are_taken),
		cmocka_unit_test(bad_lines_are_told_and_passed_over),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(values_of_any_length_arrive_whole),
		cmocka_unit_test(long_lines_are_refused_at_64_kib),
		cmocka_unit_test(continued_lines_count_together),
		cmocka_unit_test(long_headers_and_keys_are_refused),
		cmocka_unit_test(long_section_names_stay_apart),
		cmocka_unit_test(files_are_loaded_whole),
		cmocka_unit_test(what_is_no_file_is_refused_without_waiting),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
