/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kiln-vmm --launch-fd N: receive a machine, build it, confine, run. One
 * machine, one process; when the machine ends the process exits, which frees
 * everything at once.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/parse.h"
#include "build.h"
#include "core/vm.h"
#include "launch/exit_status.h"
#include "launch/handoff.h"
#include "launch/status.h"

static struct vm vm;
static struct handoff handoff;
static struct build_fds fds;

static int usage(void)
{
	static const char text[] =
		"usage: kiln-vmm --launch-fd N   (started by kiln)\n"
		"       kiln-vmm --version\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	return EXIT_STATUS_USAGE;
}

/* The only place that prints an error. */
static int fail(const struct err *err, enum exit_status code)
{
	status_write_exit(fds.status, (int)code, err->msg);
	(void)dprintf(STDERR_FILENO, "kiln-vmm: %s\n", err->msg);
	return (int)code;
}

static int receive(int launch_fd, uint64_t main_us, struct err *err)
{
	int r = handoff_receive(launch_fd, &handoff, err);

	r = r < 0 ? r : build_match(&handoff, &fds, err);
	if (r < 0)
		return r;
	status_write_phase_at(fds.status, STATUS_MAIN, main_us);
	status_write_phase(fds.status, STATUS_LAUNCH);
	return 0;
}

static int run(int launch_fd)
{
	uint64_t main_us = clock_now_us();
	struct err err = {0};
	enum exit_status code;

	fds.status = -1;
	(void)signal(SIGPIPE, SIG_IGN); /* a console may lose its reader */
	if (receive(launch_fd, main_us, &err) < 0)
		return fail(&err, EXIT_STATUS_LAUNCH);
	if (build_vm(&vm, &handoff.machine, &fds, &err) < 0 ||
	    vm_confine(&vm, &err) < 0)
		return fail(&err, EXIT_STATUS_VMM);
	status_write_phase(fds.status, STATUS_CONFINED);
	code = vm_run(&vm);
	build_flush();
	status_write_exit(fds.status, (int)code, vm.exit_text);
	if (code != EXIT_STATUS_OK)
		(void)dprintf(STDERR_FILENO, "kiln-vmm: %s\n", vm.exit_text);
	return (int)code;
}

int main(int argc, char *argv[])
{
	uint64_t launch_fd;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return dprintf(STDOUT_FILENO, "kiln-vmm %s\n", KILN_VERSION) <
		       0;
	if (argc != 3 || strcmp(argv[1], "--launch-fd") != 0 ||
	    parse_u64(argv[2], &launch_fd) < 0 || launch_fd < 3 ||
	    launch_fd >= HANDOFF_FD_LIMIT)
		return usage();
	/* execveat() made it dumpable again: no ptrace, no /proc/PID for
	 * others with this uid */
	(void)prctl(PR_SET_DUMPABLE, 0);
	_exit(run((int)launch_fd));
}
