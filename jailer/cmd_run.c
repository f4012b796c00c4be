/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "jailer/commands.h"
#include "jailer/jail.h"
#include "jailer/options.h"
#include "jailer/plan.h"
#include "jailer/report.h"
#include "jailer/supervise.h"
#include "launch/exit_status.h"

static const char *vmm_path;
static bool timings;

static const struct option_row rows[] = {
	{"vmm", "PATH", NULL, &vmm_path, "the VMM to run, instead of kiln-vmm"},
	{"timings", NULL, &timings, NULL,
	 "say at the end how long each step took"},
	{0},
};

static int fail(const char *id, const struct err *err, int status)
{
	(void)fprintf(stderr, "kiln: %s: %s\n", id, err->msg);
	return status;
}

static int run(const struct kiln_config *config, uint64_t main_us)
{
	static struct plan plan;
	static struct jail jail;
	static struct report report;
	const char *id = config->machine.id;
	struct err err = {0};
	struct report_end end;
	struct rusage usage = {0};
	cleanup_fd int signal_fd = -1;
	int status = EXIT_STATUS_INTERNAL;

	if (plan_make(config, vmm_path, &plan, &status, &err) < 0)
		return fail(id, &err, status);
	if (supervise_block_signals(&signal_fd, &err) < 0)
		return fail(id, &err, EXIT_STATUS_HOST);
	if (jail_build(&jail, &plan, &status, &err) < 0)
		return fail(id, &err, status);
	report_init(&report, id);
	supervise(&jail, signal_fd, true, &report, &end, &usage);
	status = report_finish(&report, &end);
	if (timings)
		report_timings(&report, &jail, main_us, &usage);
	jail_destroy(&jail);
	return status;
}

int cmd_run(int argc, char *argv[])
{
	static struct kiln_config config;
	uint64_t main_us = clock_now_us();
	struct options options;
	int status = options_parse(argc, argv, rows, &options);

	if (status < 0)
		status = options_load(&options, false, &config);
	return status < 0 ? run(&config, main_us) : status;
}
