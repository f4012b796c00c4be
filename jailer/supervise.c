/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fd.h"
#include "jailer/cgroup.h"
#include "jailer/console_relay.h"
#include "jailer/terminal.h"

/* TTIN and TTOU are only kept from stopping kiln in the background. */
static const int signals[] = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT, SIGTSTP,
			      SIGCONT, SIGPIPE, SIGTTIN, SIGTTOU};

enum {
	POLL_VMM,
	POLL_SIGNALS,
	POLL_LOG,
	POLL_STATUS,
	POLL_CONSOLE,
	POLL_COUNT = POLL_CONSOLE + CONSOLE_POLLS,
};

struct supervisor {
	struct jail *jail;
	struct report *report;
	struct report_end *end;
	struct console_relay console;
	int signal_fd;
	uint64_t kill_at_us; /* 0: nobody asked for the end */
};

int supervise_block_signals(int *ret_signal_fd, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, errno, "block signals");
	/* Ignored by whoever started kiln, it would reap the VMM unseen. */
	(void)signal(SIGCHLD, SIG_DFL);
	*ret_signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_signal_fd < 0 ? err_set(err, errno, "signalfd") : 0;
}

static void send_signal(const struct supervisor *self, int signo)
{
	(void)syscall(SYS_pidfd_send_signal, self->jail->pidfd, signo, NULL, 0);
}

static void kill_vmm(struct supervisor *self)
{
	self->end->killed_by_kiln = true;
	send_signal(self, SIGKILL);
}

/*
 * The VMM is the first process of its pid namespace, and such a one is immune
 * to signals that it does not catch, SIGKILL aside (pid_namespaces(7)).
 */
static bool catches_sigterm(pid_t pid)
{
	char path[32];
	char text[4096];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "\nSigCgt:");
	return line == NULL || (strtoull(line + strlen("\nSigCgt:"), NULL, 16) &
				(1ULL << (SIGTERM - 1))) != 0;
}

static void stop_vmm(struct supervisor *self)
{
	bool again = self->kill_at_us != 0;

	self->end->stopped = true;
	if (again || !catches_sigterm(self->jail->pid)) {
		kill_vmm(self);
		return;
	}
	self->kill_at_us = clock_now_us() + SUPERVISE_STOP_MS * 1000ULL;
	send_signal(self, SIGTERM);
}

static void handle_signals(struct supervisor *self)
{
	struct signalfd_siginfo info;

	while (read(self->signal_fd, &info, sizeof(info)) ==
	       (ssize_t)sizeof(info)) {
		switch ((int)info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
		case SIGHUP:
		case SIGQUIT:
			stop_vmm(self);
			break;
		case SIGTSTP:
			terminal_stop();
			break;
		case SIGCONT:
			/* After a SIGSTOP the shell has had the terminal. */
			terminal_restore();
			terminal_raw();
			break;
		default:
			break;
		}
	}
}

static void fill_polls(const struct supervisor *self,
		       struct pollfd polls[POLL_COUNT])
{
	const struct jail *jail = self->jail;

	polls[POLL_VMM] = (struct pollfd){.fd = jail->pidfd, .events = POLLIN};
	polls[POLL_SIGNALS] =
		(struct pollfd){.fd = self->signal_fd, .events = POLLIN};
	polls[POLL_LOG] =
		(struct pollfd){.fd = jail->channels.log, .events = POLLIN};
	polls[POLL_STATUS] =
		(struct pollfd){.fd = jail->channels.status, .events = POLLIN};
	console_relay_polls(&self->console, &polls[POLL_CONSOLE]);
}

/* -1: for ever. */
static int timeout_ms(const struct supervisor *self)
{
	uint64_t now_us = clock_now_us();

	if (self->kill_at_us == 0 || self->end->killed_by_kiln)
		return -1;
	if (now_us >= self->kill_at_us)
		return 0;
	return (int)((self->kill_at_us - now_us) / 1000) + 1;
}

/* Return: false when the VMM has ended. */
static bool turn(struct supervisor *self)
{
	struct jail_channels *channels = &self->jail->channels;
	struct pollfd polls[POLL_COUNT];

	fill_polls(self, polls);
	if (poll(polls, POLL_COUNT, timeout_ms(self)) < 0)
		return true;
	if (polls[POLL_SIGNALS].revents != 0)
		handle_signals(self);
	if (self->kill_at_us != 0 && clock_now_us() >= self->kill_at_us &&
	    !self->end->killed_by_kiln)
		kill_vmm(self);
	if (polls[POLL_LOG].revents != 0 &&
	    !report_log(self->report, channels->log))
		fd_close(&channels->log);
	if (polls[POLL_STATUS].revents != 0 &&
	    !report_status(self->report, channels->status))
		fd_close(&channels->status);
	console_relay_move(&self->console, &polls[POLL_CONSOLE]);
	if (self->console.leave) {
		self->console.leave = false;
		stop_vmm(self);
	}
	return polls[POLL_VMM].revents == 0;
}

/* The VMM's ends are closed: what is in the pipes is all there will be, and a
 * pipe holds 64 KiB. */
static void drain(struct supervisor *self)
{
	struct jail_channels *channels = &self->jail->channels;

	for (int i = 0; i < 256 && channels->status >= 0; i++) {
		if (!report_status(self->report, channels->status))
			fd_close(&channels->status);
	}
	console_relay_drain(&self->console);
	for (int i = 0; i < 256 && channels->log >= 0; i++) {
		if (!report_log(self->report, channels->log))
			fd_close(&channels->log);
	}
}

static void reap(struct supervisor *self, struct rusage *ret_usage)
{
	int status = 0;

	while (wait4(self->jail->pid, &status, 0, ret_usage) < 0 &&
	       errno == EINTR)
		;
	self->jail->pid = 0;
	self->end->killed = WIFSIGNALED(status);
	self->end->code =
		self->end->killed ? WTERMSIG(status) : WEXITSTATUS(status);
	self->end->oom_kills = cgroup_oom_kills(self->jail->cgroup_fd);
}

static int forget_segment(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
		uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		uintptr_t end = at + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type != PT_LOAD ||
		    (info->dlpi_phdr[i].p_flags & PF_W) != 0)
			continue;
		at &= ~(page - 1);
		/* An address from a number: the program header has no other. */
		(void)madvise((void *)at, end - at, MADV_DONTNEED);
	}
	return 1; /* the program itself comes first, and is all there is */
}

/*
 * What built the jail is not needed again until the end. A kiln stays for each
 * VM: its code goes back to the page cache, from which the little that runs
 * from here on returns.
 */
static void shrink(void)
{
	(void)dl_iterate_phdr(forget_segment, NULL);
}

void supervise(struct jail *jail, int signal_fd, bool console,
	       struct report *report, struct report_end *ret_end,
	       struct rusage *ret_usage)
{
	static struct supervisor self;

	*ret_end = (struct report_end){0};
	self = (struct supervisor){.jail = jail,
				   .report = report,
				   .end = ret_end,
				   .signal_fd = signal_fd};
	console_relay_init(
		&self.console, console ? jail->channels.console_in : -1,
		jail->channels.console_out, isatty(STDIN_FILENO) == 1);
	if (console)
		terminal_raw();
	shrink();
	while (turn(&self))
		;
	drain(&self);
	terminal_restore();
	reap(&self, ret_usage);
}
