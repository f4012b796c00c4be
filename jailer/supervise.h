/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise - kiln's life beside a running VMM: wait for its end, pass signals
 * on, relay the console, read what it says.
 *
 *	SIGTERM, SIGINT, SIGHUP, SIGQUIT   SIGTERM to the VMM; SIGKILL after
 *					   SUPERVISE_STOP_MS, or at a second one
 *	SIGTSTP, SIGCONT                   the terminal is given back and taken
 *	SIGKILL of kiln                    kills the VMM (parent-death signal)
 */
#ifndef KILN_JAILER_SUPERVISE_H
#define KILN_JAILER_SUPERVISE_H

#include <sys/resource.h>

#include "jailer/jail.h"
#include "jailer/report.h"

#define SUPERVISE_STOP_MS 5000

/* supervise_block_signals - before jail_build(), so that none is lost. Gives a
 * signalfd. */
int supervise_block_signals(int *ret_signal_fd, struct err *err);

/*
 * supervise - until the VMM has ended and is reaped (jail->pid is 0 then).
 * console: relay standard input and output.
 */
void supervise(struct jail *jail, int signal_fd, bool console,
	       struct report *report, struct report_end *ret_end,
	       struct rusage *ret_usage);

#endif
