/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/status.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"

static const char *const phase_names[] = {
	[STATUS_MAIN] = "main",         [STATUS_LAUNCH] = "launch",
	[STATUS_MEMORY] = "memory",     [STATUS_DEVICES] = "devices",
	[STATUS_KERNEL] = "kernel",     [STATUS_VCPUS] = "vcpus",
	[STATUS_CONFINED] = "confined", [STATUS_STARTED] = "started",
};

_Static_assert(ARRAY_LEN(phase_names) == STATUS_PHASE_COUNT,
	       "one name for each phase");

const char *status_phase_name(enum status_phase phase)
{
	return phase_names[phase];
}

/* One write of one line; the pipe is non-blocking on this side. */
static void send_line(int fd, const struct buf *line)
{
	if (fd >= 0 && buf_status(line) == 0)
		(void)!write(fd, line->data, line->len);
}

void status_write_phase_at(int fd, enum status_phase phase, uint64_t at_us)
{
	char text[STATUS_LINE_MAX];
	struct buf line;

	if (fd < 0)
		return;
	buf_init(&line, text, sizeof(text));
	buf_printf(&line, "phase %s %llu\n", phase_names[phase],
		   (unsigned long long)at_us);
	send_line(fd, &line);
}

void status_write_phase(int fd, enum status_phase phase)
{
	status_write_phase_at(fd, phase, fd < 0 ? 0 : clock_now_us());
}

static bool is_printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* A reason may quote a file's or a user's words: it stays one line, and one
 * that status_parse() takes. */
void status_write_exit(int fd, int code, const char *why)
{
	char text[STATUS_LINE_MAX];
	struct buf line;

	buf_init(&line, text, sizeof(text));
	buf_printf(&line, "exit %d %.200s", code, why);
	for (size_t i = 0; i < line.len; i++) {
		if (!is_printable(text[i]))
			text[i] = '?';
	}
	buf_puts(&line, "\n");
	send_line(fd, &line);
}

static int parse_phase(const char *rest, struct status_line *ret_line)
{
	for (size_t i = 0; i < ARRAY_LEN(phase_names); i++) {
		size_t len = strlen(phase_names[i]);

		if (strncmp(rest, phase_names[i], len) != 0 || rest[len] != ' ')
			continue;
		ret_line->kind = STATUS_LINE_PHASE;
		ret_line->phase = (enum status_phase)i;
		return parse_u64(rest + len + 1, &ret_line->at_us) < 0 ? -EINVAL
								       : 0;
	}
	return -EINVAL;
}

static int parse_exit(const char *rest, struct status_line *ret_line)
{
	const char *space = strchr(rest, ' ');
	char digits[8] = {0};
	uint64_t code;

	if (space == NULL || (size_t)(space - rest) >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, rest, (size_t)(space - rest));
	if (parse_u64(digits, &code) < 0 || code > 255)
		return -EINVAL;
	ret_line->kind = STATUS_LINE_EXIT;
	ret_line->exit_code = (int)code;
	memcpy(ret_line->text, space + 1, strlen(space + 1) + 1);
	return 0;
}

int status_parse(const char *line, struct status_line *ret_line)
{
	struct status_line parsed = {0};
	int r = -EINVAL;

	if (strlen(line) >= STATUS_LINE_MAX)
		return -EINVAL;
	for (const char *c = line; *c != '\0'; c++) {
		if (!is_printable(*c))
			return -EINVAL;
	}
	if (strncmp(line, "phase ", 6) == 0)
		r = parse_phase(line + 6, &parsed);
	else if (strncmp(line, "exit ", 5) == 0)
		r = parse_exit(line + 5, &parsed);
	if (r == 0)
		*ret_line = parsed;
	return r;
}
