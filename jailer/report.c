/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/report.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/parse.h"
#include "launch/exit_status.h"

#define VMM_PREFIX    "kiln-vmm: "
#define DENIED_PREFIX VMM_PREFIX "denied: syscall "

/* A line that lacks its reason has this one. */
static const struct {
	int code;
	const char *text;
} meanings[] = {
	{EXIT_STATUS_VMM, "the VMM could not build or run the machine"},
	{EXIT_STATUS_BUG, "internal error of the VMM"},
	{EXIT_STATUS_TRIPLE_FAULT, "guest triple fault"},
	{EXIT_STATUS_KVM, "KVM gave up on the guest"},
	{EXIT_STATUS_LAUNCH, "the VMM refused the launch description"},
	{EXIT_STATUS_BAD_SYSCALL, "the VMM broke its seccomp policy"},
};

void report_init(struct report *report, const char *id)
{
	memset(report, 0, sizeof(*report));
	report->id = id;
}

/* \xNN for what a terminal or a log could take for a command. */
static void sanitise(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c < 0x7f)
			buf_append(out, &text[i], 1);
		else
			buf_printf(out, "\\x%02x", c);
	}
}

static void print_line(struct report *report, const char *text, size_t len)
{
	char safe[REPORT_LINE_MAX * 4];
	struct buf out;

	if (report->printed_bytes > REPORT_TOTAL_MAX)
		return;
	buf_init(&out, safe, sizeof(safe));
	sanitise(text, len, &out);
	report->printed_bytes += out.len;
	if (report->printed_bytes > REPORT_TOTAL_MAX)
		(void)fprintf(stderr,
			      "kiln: %s: vmm: too many messages, the "
			      "rest is dropped\n",
			      report->id);
	else
		(void)fprintf(stderr, "kiln: %s: vmm: %s\n", report->id, safe);
}

static void print_held(struct report *report)
{
	if (report->held_valid)
		print_line(report, report->held, strlen(report->held));
	report->held_valid = false;
}

/* What the VMM says of itself last is likely the reason of its end, which is
 * printed once: hold it back until that is known. */
static void take_log_line(struct report *report, const char *text, size_t len)
{
	print_held(report);
	if (strncmp(text, VMM_PREFIX, strlen(VMM_PREFIX)) != 0) {
		print_line(report, text, len);
		return;
	}
	memcpy(report->held, text, len + 1);
	report->held_valid = true;
}

static void take_status_line(struct report *report, const char *text,
			     size_t len)
{
	struct status_line line;

	(void)len;
	if (report->status_lines++ >= STATUS_LINES_MAX ||
	    status_parse(text, &line) < 0)
		return;
	if (line.kind == STATUS_LINE_PHASE) {
		report->phase_us[line.phase] = line.at_us;
	} else if (!report->has_exit) {
		report->has_exit = true;
		report->ended_us = clock_now_us();
		memcpy(report->exit_text, line.text, sizeof(line.text));
	}
}

typedef void (*line_fn)(struct report *report, const char *text, size_t len);

static void end_line(struct report *report, struct report_line *line,
		     line_fn take)
{
	line->text[line->len] = '\0';
	if (line->len > 0)
		take(report, line->text, line->len);
	line->len = 0;
}

static bool read_lines(struct report *report, int fd, struct report_line *line,
		       line_fn take)
{
	char chunk[1024];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] != '\n')
			line->text[line->len++] = chunk[i];
		if (chunk[i] == '\n' || line->len + 1 >= sizeof(line->text))
			end_line(report, line, take);
	}
	return n > 0;
}

bool report_log(struct report *report, int fd)
{
	return read_lines(report, fd, &report->log, take_log_line);
}

bool report_status(struct report *report, int fd)
{
	return read_lines(report, fd, &report->status, take_status_line) &&
	       report->status_lines <= STATUS_LINES_MAX;
}

static const char *meaning_of(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		if (meanings[i].code == code)
			return meanings[i].text;
	}
	return NULL;
}

/* "denied: syscall 257 in thread loop at ip 0x...": which one that is. */
static bool print_denial(struct report *report)
{
	char digits[8] = "";
	const char *at = report->held + strlen(DENIED_PREFIX);
	uint64_t number;
	char *name;

	if (!report->held_valid ||
	    strncmp(report->held, DENIED_PREFIX, strlen(DENIED_PREFIX)) != 0)
		return false;
	size_t len = strspn(at, "0123456789");
	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, at, len);
	if (parse_u64(digits, &number) < 0 || number > INT_MAX)
		return false;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
	(void)fprintf(stderr, "kiln: %s: seccomp: the VMM called %s(%d)",
		      report->id, name == NULL ? "?" : name, (int)number);
	free(name);
	char safe[REPORT_LINE_MAX * 4];
	struct buf out;
	buf_init(&out, safe, sizeof(safe));
	sanitise(at + len, strlen(at + len), &out);
	(void)fprintf(stderr, "%s, which its policy denies\n", safe);
	report->held_valid = false;
	return true;
}

static void finish_exit(struct report *report, int code)
{
	const char *text =
		report->has_exit ? report->exit_text : meaning_of(code);
	bool repeated = report->held_valid && report->has_exit &&
			strcmp(report->held + strlen(VMM_PREFIX),
			       report->exit_text) == 0;

	if (code == EXIT_STATUS_BAD_SYSCALL && print_denial(report))
		return;
	if (repeated)
		report->held_valid = false;
	print_held(report);
	if (code != 0 && text != NULL)
		(void)fprintf(stderr, "kiln: %s: %s\n", report->id, text);
	else if (code != 0)
		(void)fprintf(stderr,
			      "kiln: %s: the VMM ended with status %d\n",
			      report->id, code);
}

static void finish_killed(struct report *report, const struct report_end *end)
{
	print_held(report);
	if (end->oom_kills > 0)
		(void)fprintf(stderr,
			      "kiln: %s: killed: out of the memory its "
			      "cgroup allows ([cgroup] memory)\n",
			      report->id);
	else if (end->killed_by_kiln)
		(void)fprintf(stderr, "kiln: %s: stopped (SIGKILL)\n",
			      report->id);
	else if (end->code == SIGSYS)
		(void)fprintf(stderr,
			      "kiln: %s: seccomp: the VMM made a "
			      "system call that its policy denies; "
			      "the audit log has its number\n",
			      report->id);
	else
		(void)fprintf(stderr,
			      "kiln: %s: the VMM was killed by signal "
			      "%d (SIG%s)\n",
			      report->id, end->code,
			      sigabbrev_np(end->code) == NULL
				      ? "?"
				      : sigabbrev_np(end->code));
}

/* The others mean that kiln failed, or a signal: not for a VMM that was taken
 * over to forge. */
static bool is_of_the_vmm(int code)
{
	return code < EXIT_STATUS_USAGE || code == EXIT_STATUS_BAD_SYSCALL;
}

int report_finish(struct report *report, const struct report_end *end)
{
	end_line(report, &report->log, take_log_line);
	if (report->ended_us == 0)
		report->ended_us = clock_now_us();
	if (end->killed) {
		finish_killed(report, end);
		return EXIT_STATUS_SIGNAL + end->code;
	}
	finish_exit(report, end->code);
	return is_of_the_vmm(end->code) ? end->code : EXIT_STATUS_VMM;
}

static void print_row(const char *group, const char *name, uint64_t from_us,
		      uint64_t to_us)
{
	(void)fprintf(stderr, "  %-5s %-14s %10lld us\n", group, name,
		      (long long)(to_us - from_us));
}

/* kiln's wait for the exec and the VMM's first phase run side by side: both
 * count from the step before. */
static uint64_t print_steps(const struct jail *jail, uint64_t main_us)
{
	uint64_t last_us = jail->started_us;
	uint64_t released_us = last_us;

	print_row("kiln", "configuration", main_us, last_us);
	for (unsigned i = 0; jail_step_at(i) != NULL; i++) {
		if (jail_step_at(i)->apply == NULL)
			continue;
		print_row("jail", jail_step_at(i)->name, last_us,
			  jail->ended_us[i]);
		released_us = last_us;
		last_us = jail->ended_us[i];
	}
	return released_us;
}

void report_timings(const struct report *report, const struct jail *jail,
		    uint64_t main_us, const struct rusage *usage)
{
	uint64_t last_us = print_steps(jail, main_us);

	for (unsigned i = 0; i < STATUS_PHASE_COUNT; i++) {
		uint64_t at_us = report->phase_us[i];

		if (at_us == 0)
			continue;
		print_row("vmm", status_phase_name((enum status_phase)i),
			  last_us, at_us);
		last_us = at_us;
	}
	if (report->phase_us[STATUS_STARTED] != 0) {
		print_row("guest", "ran", last_us, report->ended_us);
		last_us = report->ended_us;
	}
	print_row("", "total", main_us, last_us);
	(void)fprintf(stderr,
		      "  VMM: %lld us user, %lld us system, %ld KiB at most\n",
		      (long long)usage->ru_utime.tv_sec * 1000000LL +
			      usage->ru_utime.tv_usec,
		      (long long)usage->ru_stime.tv_sec * 1000000LL +
			      usage->ru_stime.tv_usec,
		      usage->ru_maxrss);
}
