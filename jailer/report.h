/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - what kiln says about a VMM: the VMM's own messages as lines of
 * kiln's, the phases of its start, and how it ended in one sentence.
 *
 * Every byte from the VMM is hostile: it may hold a guest that broke out into
 * it. Control bytes become \xNN, lines and totals have an end.
 */
#ifndef KILN_JAILER_REPORT_H
#define KILN_JAILER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "jailer/jail.h"
#include "launch/status.h"

#define REPORT_LINE_MAX  512
#define REPORT_TOTAL_MAX 65536 /* bytes of messages; the rest is dropped */

struct report_line {
	char text[REPORT_LINE_MAX];
	size_t len;
};

struct report {
	const char *id; /* borrowed */
	struct report_line log;
	struct report_line status;
	size_t printed_bytes;
	unsigned status_lines;
	bool held_valid; /* last message of the VMM about itself */
	char held[REPORT_LINE_MAX];
	bool has_exit;
	char exit_text[STATUS_LINE_MAX];
	uint64_t phase_us[STATUS_PHASE_COUNT]; /* 0: not reached */
	uint64_t ended_us; /* exit line read, or report_finish(); 0: neither */
};

/* How the VMM ended, as waitid(2) has it, and what kiln did about it. */
struct report_end {
	bool killed; /* by signal `code`, else it exited with `code` */
	int code;
	bool stopped; /* kiln was asked to stop it */
	bool killed_by_kiln;
	uint64_t oom_kills;
};

void report_init(struct report *report, const char *id);

/* report_log, report_status - read what is there. Return: false at the end of
 * file, or when nothing more is accepted from there. */
bool report_log(struct report *report, int fd);
bool report_status(struct report *report, int fd);

/*
 * report_finish - print the last line, and why the VMM ended when that was no
 * clean end. Return: the exit status of kiln.
 * A VMM that exits with a number which is not its own to say gives
 * EXIT_STATUS_VMM.
 */
int report_finish(struct report *report, const struct report_end *end);

/* report_timings - a table to stderr: the steps of the jail, the phases of
 * the VMM, how long the guest ran, the total, what the VMM used. main_us: when kiln started. */
void report_timings(const struct report *report, const struct jail *jail,
		    uint64_t main_us, const struct rusage *usage);

#endif
