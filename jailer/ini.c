/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libinih asks for one line at a time through a reader of fgets() form and
 * calls back with what it split. The reader here joins continued lines, checks
 * them, and hands on what libinih cannot get wrong:
 *
 *	cmdline=<GUARD>first piece<GUARD>
 *	 <GUARD>second piece<GUARD>        libinih: more of cmdline's value
 *
 * The guard is a control character, which no accepted line contains: behind it
 * libinih neither strips blanks nor finds comments, so that the pieces add up
 * to the value exactly, whatever the length of its buffer.
 */
#include "jailer/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/fd.h"
#include "base/utf8.h"

#define GUARD '\001'

/* The least room for a line that libinih must offer: key, guards, a piece. */
#define ROOM_MIN 100

struct lexer {
	const char *at, *end; /* what has not been read yet */
	const struct ini_events *events;
	unsigned line;       /* number of the last physical line */
	unsigned start_line; /* of the logical line */
	bool headed;         /* a header has been seen */

	char logical[INI_LINE_MAX + 1];
	size_t logical_len;
	const char *key; /* into logical, while pieces remain */
	const char *value;
	bool first_piece, last_piece;

	char assembled[INI_LINE_MAX + 1];
	size_t assembled_len;
};

enum line_kind {
	LINE_END,
	LINE_NOTHING,
	LINE_HEADER,
	LINE_ASSIGN
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void tell(const struct lexer *lexer, const char *text, unsigned line)
{
	lexer->events->problem(lexer->events->context, text, line);
}

/* ---- physical lines ------------------------------------------------------ */

static bool take_line(struct lexer *lexer, const char **ret_line,
		      size_t *ret_len)
{
	size_t room = (size_t)(lexer->end - lexer->at);
	const char *newline;
	size_t len;

	if (room == 0)
		return false;
	newline = memchr(lexer->at, '\n', room);
	len = newline == NULL ? room : (size_t)(newline - lexer->at);
	*ret_line = lexer->at;
	lexer->at += newline == NULL ? len : len + 1;
	lexer->line++;
	if (len > 0 && (*ret_line)[len - 1] == '\r')
		len--;
	*ret_len = len;
	return true;
}

/* What no line may contain, comments included. NULL: nothing. */
static const char *find_bad_byte(const char *line, size_t len)
{
	for (size_t at = 0; at < len;) {
		unsigned char c = (unsigned char)line[at];
		int r = c == '\t' ? 1 : utf8_length(line + at, len - at);

		if (c == '\0')
			return "a NUL byte in the line";
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "a control character in the line";
		if (r < 0)
			return "the line is not UTF-8";
		at += (size_t)r;
	}
	return NULL;
}

static bool is_nothing(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && is_blank(line[at]))
		at++;
	return at == len || line[at] == '#' || line[at] == ';';
}

/* ---- logical lines ------------------------------------------------------- */

static const char *append(struct lexer *lexer, const char *text, size_t len)
{
	if (len > INI_LINE_MAX - lexer->logical_len)
		return "the line is over 64 KiB, continuations included";
	memcpy(lexer->logical + lexer->logical_len, text, len);
	lexer->logical_len += len;
	return NULL;
}

/* Adds a line without its blanks at the end. NULL: fine. */
static const char *join(struct lexer *lexer, const char *line, size_t len,
			bool first)
{
	const char *bad = find_bad_byte(line, len);

	if (bad != NULL)
		return bad;
	if (first && len > 0 && is_blank(line[0]))
		return "the line is indented; keys and sections start in the "
		       "first column, long values go on behind a '\\'";
	while (!first && len > 0 && is_blank(line[0])) {
		line++;
		len--;
	}
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	if (!first && len > 0 && strchr("[#;", line[0]) != NULL)
		return "the '\\' of the line before continues it into a "
		       "comment or a section header";
	if (!first && len > 0)
		bad = append(lexer, " ", 1);
	return bad != NULL ? bad : append(lexer, line, len);
}

/*
 * Reads lines while they end in a backslash. After a bad one the rest of them
 * is passed over: it would make no sense on its own.
 */
static const char *read_logical(struct lexer *lexer, const char *line,
				size_t len, unsigned *ret_bad_line)
{
	const char *bad = NULL;
	bool first = true;

	for (;;) {
		bool more = len > 0 && line[len - 1] == '\\' &&
			    !(first && line[0] == '[');

		if (bad == NULL) {
			*ret_bad_line = lexer->line;
			bad = join(lexer, line, more ? len - 1 : len, first);
		}
		if (!more)
			break;
		first = false;
		if (!take_line(lexer, &line, &len)) {
			bad = "the file ends in a continued line";
			break;
		}
	}
	lexer->logical[lexer->logical_len] = '\0';
	return bad;
}

/* What follows an unreadable header must not go to the section above it. */
static void tell_bad(struct lexer *lexer, const char *bad, unsigned bad_line,
		     const char *line, size_t len)
{
	const struct ini_events *events = lexer->events;

	tell(lexer, bad, bad_line);
	while (len > 0 && is_blank(*line)) {
		line++;
		len--;
	}
	if (len == 0 || *line != '[')
		return;
	lexer->headed = true;
	events->section(events->context, NULL, bad_line);
}

static enum line_kind next_line(struct lexer *lexer)
{
	unsigned bad_line = 0;
	const char *bad;
	const char *line;
	size_t len;

	if (!take_line(lexer, &line, &len))
		return LINE_END;
	lexer->start_line = lexer->line;
	lexer->logical_len = 0;
	if (is_nothing(line, len)) {
		bad = find_bad_byte(line, len);
		bad_line = lexer->line;
	} else {
		bad = read_logical(lexer, line, len, &bad_line);
	}
	if (bad != NULL)
		tell_bad(lexer, bad, bad_line, line, len);
	if (bad != NULL || lexer->logical_len == 0)
		return LINE_NOTHING;
	return lexer->logical[0] == '[' ? LINE_HEADER : LINE_ASSIGN;
}

/* ---- headers and assignments --------------------------------------------- */

static const char *check_header(const struct lexer *lexer)
{
	const char *text = lexer->logical;
	const char *close = strchr(text, ']');

	if (close == NULL)
		return "the section header has no ']'";
	if (close[1] != '\0')
		return "text behind the ']' of a section header";
	if (strchr(text + 1, '[') != NULL)
		return "a '[' inside a section header";
	if (close - text - 1 > INI_HEADER_MAX)
		return "the section header is over 80 bytes";
	return NULL;
}

/* Tells the header itself: libinih would cut it at 49 bytes. */
static void take_header(struct lexer *lexer)
{
	const struct ini_events *events = lexer->events;
	const char *bad = check_header(lexer);

	lexer->headed = true;
	if (bad != NULL) {
		tell(lexer, bad, lexer->start_line);
		events->section(events->context, NULL, lexer->start_line);
		return;
	}
	lexer->logical[lexer->logical_len - 1] = '\0';
	events->section(events->context, lexer->logical + 1, lexer->start_line);
}

/* A comment sign behind a blank, or quotes around all of it. */
static const char *check_value(const char *value)
{
	size_t len = strlen(value);

	for (const char *p = value; *p != '\0'; p++) {
		if ((*p == ';' || *p == '#') && is_blank(p[-1]))
			return "a comment behind a value; comments stand on "
			       "lines of their own";
	}
	if (len >= 2 && (value[0] == '"' || value[0] == '\'') &&
	    value[len - 1] == value[0])
		return "quotes around the value; values are written without";
	return NULL;
}

static const char *check_assign(struct lexer *lexer)
{
	static const char key_chars[] = "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789_.-";
	char *text = lexer->logical;
	size_t key_len = strspn(text, key_chars);
	char *equals = text + key_len + strspn(text + key_len, " \t");

	if (key_len == 0 || *equals != '=')
		return "expected 'key = value' or '[section]'";
	if (key_len > INI_KEY_MAX)
		return "the key is over 48 bytes";
	if (!lexer->headed)
		return "a key before the first [section]";
	lexer->key = text;
	lexer->value = equals + 1 + strspn(equals + 1, " \t");
	const char *bad = check_value(lexer->value);
	text[key_len] = '\0'; /* may be the '=' itself */
	return bad;
}

static bool take_assign(struct lexer *lexer)
{
	const char *bad = check_assign(lexer);

	lexer->first_piece = true;
	lexer->last_piece = false;
	lexer->assembled_len = 0;
	if (bad == NULL)
		return true;
	lexer->key = NULL;
	tell(lexer, bad, lexer->start_line);
	return false;
}

/* ---- to libinih and back ------------------------------------------------- */

/* The next piece of the value as a line of at most room bytes. */
static void put_piece(struct lexer *lexer, char *out, size_t room)
{
	const char *key = lexer->first_piece ? lexer->key : " ";
	const char *equals = lexer->first_piece ? "=" : "";
	size_t piece = room - strlen(key) - sizeof("=..\n");
	size_t left = strlen(lexer->value);

	lexer->last_piece = left <= piece;
	piece = lexer->last_piece ? left : piece;
	(void)snprintf(out, room, "%s%s%c%.*s%c\n", key, equals, GUARD,
		       (int)piece, lexer->value, GUARD);
	lexer->value += piece;
	lexer->first_piece = false;
}

static char *read_for_inih(char *out, int room, void *context)
{
	struct lexer *lexer = context;
	enum line_kind kind = LINE_NOTHING;
	bool taken = lexer->key != NULL;

	/* A value that went out whole and did not come back: give up. */
	if (room < ROOM_MIN || (taken && lexer->last_piece))
		return NULL;
	while (!taken) {
		kind = next_line(lexer);
		if (kind == LINE_END)
			return NULL;
		if (kind == LINE_HEADER)
			take_header(lexer);
		taken = kind == LINE_ASSIGN && take_assign(lexer);
	}
	put_piece(lexer, out, (size_t)room);
	return out;
}

/* libinih's section is not used: it may be a cut one. */
static int take_from_inih(void *context, const char *section, const char *key,
			  const char *value)
{
	struct lexer *lexer = context;
	size_t len = strlen(value);

	(void)section;
	if (lexer->key == NULL || len < 2 || value[0] != GUARD ||
	    value[len - 1] != GUARD ||
	    len - 2 > INI_LINE_MAX - lexer->assembled_len)
		return 0;
	memcpy(lexer->assembled + lexer->assembled_len, value + 1, len - 2);
	lexer->assembled_len += len - 2;
	if (!lexer->last_piece)
		return 1;
	lexer->assembled[lexer->assembled_len] = '\0';
	(void)key; /* the same as lexer->key, or cut */
	lexer->events->assign(lexer->events->context, lexer->key,
			      lexer->assembled, lexer->start_line);
	lexer->key = NULL;
	return 1;
}

void ini_read(const char *text, size_t len, const struct ini_events *events)
{
	static const char mark[] = "\xef\xbb\xbf"; /* byte order mark */
	struct lexer *lexer = calloc(1, sizeof(*lexer));
	size_t skip = 0;

	if (lexer == NULL) {
		events->problem(events->context, "out of memory", 0);
		return;
	}
	if (len >= 3 && memcmp(text, mark, 3) == 0)
		skip = 3;
	lexer->at = text + skip;
	lexer->end = text + len;
	lexer->events = events;
	/* Nothing that was handed on can fail; if it does, say so. */
	if (ini_parse_stream(read_for_inih, lexer, take_from_inih, lexer) !=
		    0 ||
	    lexer->at != lexer->end || lexer->key != NULL)
		tell(lexer, "the line cannot be read", lexer->start_line);
	free(lexer);
}

/* ---- files --------------------------------------------------------------- */

static const char *kind_name(mode_t mode)
{
	static const struct {
		mode_t kind;
		const char *name;
	} names[] = {
		{S_IFDIR, "a directory"},    {S_IFIFO, "a FIFO"},
		{S_IFSOCK, "a socket"},      {S_IFCHR, "a character device"},
		{S_IFBLK, "a block device"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if ((mode & S_IFMT) == names[i].kind)
			return names[i].name;
	}
	return "something else";
}

/* Reads to the end of file, or one byte more than allowed. */
static int read_all(int fd, char *text, size_t *ret_len)
{
	size_t len = 0;

	while (len <= INI_FILE_MAX) {
		ssize_t n = read(fd, text + len, INI_FILE_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return len > INI_FILE_MAX ? -EFBIG : 0;
}

int ini_load(const char *path, char **ret_text, size_t *ret_len,
	     struct err *err)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	char *text;
	int r;

	if (fd < 0)
		return err_set(err, errno, "open");
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at it");
	if (!S_ISREG(st.st_mode))
		return err_say(err, EINVAL, "is %s, not a regular file",
			       kind_name(st.st_mode));
	text = malloc(INI_FILE_MAX + 1);
	if (text == NULL)
		return err_set(err, ENOMEM, "read");
	r = read_all(fd, text, &len);
	if (r < 0) {
		free(text);
		return r == -EFBIG ? err_say(err, EFBIG, "is over %u MiB",
					     INI_FILE_MAX >> 20)
				   : err_set(err, -r, "read");
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}
