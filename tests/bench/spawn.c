/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn [-n RUNS] [-r | -1] [-k WORD] [-f FD]... -- PROGRAM ARGUMENT...
 *
 * Starts a program many times and says when each line that it writes arrives,
 * and how much CPU time the program had had by then. A small C program, for an
 * interpreter would cost more than what is measured.
 *
 *	-f FD    listen to this descriptor (the read end of a pipe whose write
 *	         end the program inherits); closed in the program
 *	-r       listener and program go before everything else of the machine
 *	         (SCHED_FIFO), so that other load counts little
 *	-1       program and listener share one CPU and the listener goes
 *	         first: it runs as soon as a line is written, so that the CPU
 *	         time it reads is that of the line, and other load does not
 *	         count. Wall time is then that of one CPU.
 *	-k WORD  end the program (SIGKILL) at the first line with this word
 *
 * Out, one line an event, times in ns of CLOCK_MONOTONIC:
 *	start T | line FD T CPU TEXT | end T CPU STATUS FAULTS MAXRSS_KIB
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_MAX     4
#define LINE_MAX_BYTES 512
#define EVENTS_MAX     256
#define SILENCE_MS     30000 /* against hangs, not a measure */

struct listener {
	int fd;
	char line[LINE_MAX_BYTES];
	size_t len;
};

/* Printed after the run: writing between would be part of what is measured. */
struct event {
	int fd;
	uint64_t at_ns, cpu_ns;
	char text[96];
};

static struct listener listeners[LISTEN_MAX];
static unsigned listener_count;
static struct event events[EVENTS_MAX];
static unsigned event_count;
static const char *kill_word;
static bool one_cpu, first;
static unsigned runs = 1;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of all threads of a process; 0 when it is gone. */
static uint64_t cpu_ns(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? clock_ns(clock) : 0;
}

static void end_line(struct listener *l, pid_t pid, uint64_t at, uint64_t cpu)
{
	l->line[l->len] = '\0';
	l->len = 0;
	if (event_count < EVENTS_MAX) {
		struct event *e = &events[event_count++];

		e->fd = l->fd;
		e->at_ns = at;
		e->cpu_ns = cpu;
		(void)snprintf(e->text, sizeof(e->text), "%.95s", l->line);
	}
	if (kill_word != NULL && strstr(l->line, kill_word) != NULL)
		(void)kill(pid, SIGKILL);
}

static void hear(struct listener *l, pid_t pid)
{
	uint64_t cpu = cpu_ns(pid);
	uint64_t at = clock_ns(CLOCK_MONOTONIC);
	char chunk[4096];
	ssize_t n = read(l->fd, chunk, sizeof(chunk));

	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] == '\n' || l->len == sizeof(l->line) - 1)
			end_line(l, pid, at, cpu);
		else
			l->line[l->len++] = chunk[i];
	}
}

static void go_first(int flags)
{
	struct sched_param p = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO | flags, &p) < 0)
		die("SCHED_FIFO");
}

/* The listener before the program: see -1. */
static void share_one_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET((size_t)(cpu < 0 ? 0 : cpu), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
	go_first(SCHED_RESET_ON_FORK);
}

static pid_t start(char **argv)
{
	/* posix_spawn() would put its own work into what is measured. */
	// NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork)
	pid_t pid = vfork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0)
		die("vfork");
	return pid;
}

static void listen_until_end(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd polls[LISTEN_MAX + 1];
	bool ended = false;

	if (pidfd < 0)
		die("pidfd_open");
	for (unsigned i = 0; i < listener_count; i++)
		polls[i] = (struct pollfd){listeners[i].fd, POLLIN, 0};
	while (!ended) {
		polls[listener_count] = (struct pollfd){pidfd, POLLIN, 0};
		int n = poll(polls, listener_count + 1, SILENCE_MS);

		if (n < 0 && errno != EINTR)
			die("poll");
		if (n == 0) {
			(void)kill(pid, SIGKILL);
			errno = ETIMEDOUT;
			die("no line and no end");
		}
		ended = polls[listener_count].revents != 0;
		for (unsigned i = 0; i < listener_count; i++) {
			if (ended || polls[i].revents != 0)
				hear(&listeners[i], pid);
		}
	}
	(void)close(pidfd);
}

static uint64_t ns_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

static void run(char **argv)
{
	struct rusage usage;
	int status;
	uint64_t from = clock_ns(CLOCK_MONOTONIC);
	pid_t pid = start(argv);

	event_count = 0;
	listen_until_end(pid);
	if (wait4(pid, &status, 0, &usage) < 0)
		die("wait4");
	uint64_t to = clock_ns(CLOCK_MONOTONIC);
	printf("start %llu\n", (unsigned long long)from);
	for (unsigned i = 0; i < event_count; i++)
		printf("line %d %llu %llu %s\n", events[i].fd,
		       (unsigned long long)events[i].at_ns,
		       (unsigned long long)events[i].cpu_ns, events[i].text);
	printf("end %llu %llu %d %ld %ld\n", (unsigned long long)to,
	       (unsigned long long)ns_of(&usage.ru_utime) +
		       (unsigned long long)ns_of(&usage.ru_stime),
	       status, usage.ru_minflt + usage.ru_majflt, usage.ru_maxrss);
}

static void add_listener(const char *text)
{
	int fd = (int)strtol(text, NULL, 10);

	if (listener_count == LISTEN_MAX)
		exit(2);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("listen");
	listeners[listener_count++].fd = fd;
}

int main(int argc, char *argv[])
{
	static char buffer[1 << 16];
	int option;

	while ((option = getopt(argc, argv, "+n:f:k:1r")) != -1) {
		if (option == 'n')
			runs = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			add_listener(optarg);
		else if (option == 'k')
			kill_word = optarg;
		else if (option == '1')
			one_cpu = true;
		else if (option == 'r')
			first = true;
		else
			return 2;
	}
	if (optind >= argc)
		return 2;
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (one_cpu)
		share_one_cpu();
	else if (first)
		go_first(0);
	for (unsigned i = 0; i < runs; i++)
		run(argv + optind);
	return fflush(stdout) == 0 ? 0 : 2;
}
