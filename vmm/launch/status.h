/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - what the VMM tells its supervisor, one line each, through the
 * descriptor with the role "status":
 *
 *	phase NAME MICROSECONDS    CLOCK_MONOTONIC when the phase ended
 *	exit CODE TEXT             why it ends; at most one, the last line
 *
 * The supervisor treats every byte as hostile: lines of at most STATUS_LINE_MAX
 * bytes, printable ASCII, at most STATUS_LINES_MAX lines.
 */
#ifndef KILN_LAUNCH_STATUS_H
#define KILN_LAUNCH_STATUS_H

#include <stddef.h>
#include <stdint.h>

#define STATUS_LINE_MAX  256
#define STATUS_LINES_MAX 64

enum status_phase {
	STATUS_MAIN,     /* main() entered */
	STATUS_LAUNCH,   /* description accepted, descriptors matched */
	STATUS_MEMORY,   /* guest memory mapped */
	STATUS_DEVICES,  /* vCPUs, interrupts, devices */
	STATUS_KERNEL,   /* kernel, initrd and tables in guest memory */
	STATUS_VCPUS,    /* vCPUs identified, their registers set */
	STATUS_CONFINED, /* every thread behind its filter */
	STATUS_STARTED,  /* vCPUs told to run */
	STATUS_PHASE_COUNT
};

const char *status_phase_name(enum status_phase phase);

struct status_line {
	enum {
		STATUS_LINE_PHASE,
		STATUS_LINE_EXIT
	} kind;
	enum status_phase phase;
	uint64_t at_us;
	int exit_code;
	char text[STATUS_LINE_MAX];
};

/* status_write_phase (now), _at (then), status_write_exit - fd -1: nothing is written. A full
 * pipe drops the line: the VMM never waits for its supervisor. Thread: any. */
void status_write_phase(int fd, enum status_phase phase);
void status_write_phase_at(int fd, enum status_phase phase, uint64_t at_us);
void status_write_exit(int fd, int code, const char *text);

/* status_parse - one line without its newline. Return: 0; -EINVAL. */
int status_parse(const char *line, struct status_line *ret_line);

#endif
