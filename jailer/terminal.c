/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/terminal.h"

#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#include "base/array.h"

static struct termios found;
static volatile sig_atomic_t is_raw;

/* Signals that mean a bug of kiln: the terminal first, then die of it. */
static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

bool terminal_is_ours(void)
{
	return isatty(STDIN_FILENO) == 1 &&
	       tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void on_crash(int signo)
{
	terminal_restore();
	(void)raise(signo);
}

static void catch_crashes(void)
{
	struct sigaction action = {.sa_flags = (int)SA_RESETHAND};

	action.sa_handler = on_crash;
	for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
		(void)sigaction(crashes[i], &action, NULL);
}

void terminal_raw(void)
{
	struct termios raw;

	if (is_raw != 0 || !terminal_is_ours() ||
	    tcgetattr(STDIN_FILENO, &found) < 0)
		return;
	raw = found;
	cfmakeraw(&raw);
	/* Output is shared with kiln's own lines, which end in \n alone. */
	raw.c_oflag |= OPOST | ONLCR;
	catch_crashes();
	is_raw = 1;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

void terminal_restore(void)
{
	if (is_raw == 0)
		return;
	is_raw = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &found);
}

void terminal_stop(void)
{
	terminal_restore();
	(void)raise(SIGSTOP);
	terminal_raw();
}
