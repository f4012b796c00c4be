/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/specifier.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"

#define SUFFIX     ".ini"
#define SUFFIX_LEN 4

static int put(char *out, size_t size_bytes, struct err *err, const char *a,
	       size_t a_len, const char *b)
{
	struct buf buf;

	buf_init(&buf, out, size_bytes);
	buf_append(&buf, a, a_len);
	buf_puts(&buf, b);
	if (buf_status(&buf) < 0)
		return err_say(err, ENAMETOOLONG, "the file name is too long");
	return 0;
}

static bool ends_in_suffix(const char *text, size_t len)
{
	return len > SUFFIX_LEN &&
	       memcmp(text + len - SUFFIX_LEN, SUFFIX, SUFFIX_LEN) == 0;
}

/* base is the part behind the last '/', without .ini; at its '@'. */
static int split_instance(const char *argument, const char *base,
			  const char *at, size_t base_len,
			  struct specifier_names *names, struct err *err)
{
	size_t name_len = (size_t)(at - base);
	size_t instance_len = base_len - name_len - 1;
	size_t whole_len = (size_t)(base - argument) + base_len;
	struct buf id;
	int r;

	if (instance_len == 0)
		return err_say(err, EINVAL,
			       "is a template: name an instance of it, such as "
			       "'%.*s@blue'",
			       (int)name_len, base);
	r = put(names->instance, sizeof(names->instance), err, at + 1,
		instance_len, "");
	if (r < 0 || !parse_id_ok(names->instance))
		return err_say(err, EINVAL,
			       "'%.*s' is not the name of an instance: 1 to %d "
			       "characters of A-Z a-z 0-9 _ . -, the first a "
			       "letter or a digit",
			       (int)instance_len, at + 1, MACHINE_ID_MAX);
	r = put(names->file, sizeof(names->file), err, argument, whole_len,
		SUFFIX);
	r = r < 0 ? r
		  : put(names->fallback, sizeof(names->fallback), err, argument,
			(size_t)(at + 1 - argument), SUFFIX);
	r = r < 0 ? r
		  : put(names->name, sizeof(names->name), err, base, name_len,
			"");
	buf_init(&id, names->id, sizeof(names->id));
	buf_append(&id, base, name_len);
	buf_puts(&id, "-");
	buf_puts(&id, names->instance);
	return r < 0 ? r : buf_status(&id);
}

int specifier_names_of(const char *argument, struct specifier_names *ret,
		       struct err *err)
{
	const char *slash = strrchr(argument, '/');
	const char *base = slash == NULL ? argument : slash + 1;
	size_t base_len = strlen(base);
	const char *at;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (base_len == 0)
		return err_say(err, EINVAL, "is not the name of a file");
	if (ends_in_suffix(base, base_len))
		base_len -= SUFFIX_LEN;
	at = memchr(base, '@', base_len);
	if (at != NULL)
		return split_instance(argument, base, at, base_len, ret, err);
	r = put(ret->file, sizeof(ret->file), err, argument, strlen(argument),
		"");
	r = r < 0 ? r
		  : put(ret->name, sizeof(ret->name), err, base, base_len, "");
	return r < 0 ? r
		     : put(ret->id, sizeof(ret->id), err, ret->name, base_len,
			   "");
}

static int expand_one(char letter, const struct specifier_names *names,
		      struct buf *out, struct err *err)
{
	const struct {
		char letter;
		const char *text;
	} rows[] = {
		{'i', names->instance},
		{'n', names->name},
		{'%', "%"},
	};

	if (letter == 'i' && names->instance[0] == '\0')
		return err_say(err, EINVAL,
			       "%%i stands for an instance, and this is none "
			       "(NAME@INSTANCE)");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].letter == letter) {
			buf_puts(out, rows[i].text);
			return 0;
		}
	}
	return err_say(
		err, EINVAL,
		"'%%%.*s' is not one of %%i (instance), %%n (name), %%%% "
		"(a percent sign)",
		letter > ' ' && letter < 0x7f ? 1 : 0, &letter);
}

int specifier_expand(const char *text, const struct specifier_names *names,
		     struct buf *out, struct err *err)
{
	for (; *text != '\0'; text++) {
		if (*text != '%') {
			buf_append(out, text, 1);
			continue;
		}
		text++;
		int r = expand_one(*text, names, out, err);
		if (r < 0)
			return r;
	}
	if (buf_status(out) < 0)
		return err_say(err, ENAMETOOLONG, "the value is too long");
	return 0;
}
