/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_vmm - stands where kiln-vmm stands and says what it finds there. The
 * "kernel" it is given is its script, one word a line:
 *
 *	report     what the jail looks like from inside, as one line of JSON on
 *		   the console
 *	ready      the status line that says that it started
 *	wait       for a byte on the console, or for a signal
 *	term       catch SIGTERM, end with status 0
 *	echo       the console's input back to its output, up to a newline
 *	open       a system call that no policy allows
 *	noise      hostile bytes as messages and as status lines
 *	flood      a mebibyte of messages
 *	output     a mebibyte to the console, never waiting
 *	reason N   a status line: exit N "told to"
 *	crash      a wild store
 *	eat N      touch N MiB of memory
 *	exit N     end with that status
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/parse.h"
#include "launch/handoff.h"
#include "launch/status.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

static int kernel_fd, status_fd, console_in, console_out;
static char report_text[65536];
static struct buf out;

static void put(const char *key, long long value)
{
	buf_printf(&out, "\"%s\":%lld,", key, value);
}

static void put_text(const char *key, const char *value)
{
	buf_printf(&out, "\"%s\":\"%s\",", key, value);
}

static void report_ids(void)
{
	uid_t r, e, s;
	gid_t groups[64];
	int n;

	(void)getresuid(&r, &e, &s);
	buf_printf(&out, "\"uids\":[%u,%u,%u],", r, e, s);
	(void)getresgid(&r, &e, &s);
	buf_printf(&out, "\"gids\":[%u,%u,%u],", r, e, s);
	n = getgroups(64, groups);
	buf_puts(&out, "\"groups\":[");
	for (int i = 0; i < n; i++)
		buf_printf(&out, "%s%u", i == 0 ? "" : ",", groups[i]);
	buf_puts(&out, "],");
	put("pid", getpid());
	put("ppid", getppid());
	put("sid", getsid(0));
	put("pgid", getpgid(0));
}

static void report_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	unsigned long long bounding = 0, ambient = 0;

	(void)syscall(SYS_capget, &header, data);
	put("cap_effective", data[0].effective | data[1].effective);
	put("cap_permitted", data[0].permitted | data[1].permitted);
	put("cap_inheritable", data[0].inheritable | data[1].inheritable);
	for (unsigned long cap = 0; cap < 64; cap++) {
		bounding += prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
		ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0,
				 0) == 1;
	}
	put("cap_bounding", (long long)bounding);
	put("cap_ambient", (long long)ambient);
	put("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	put("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	put("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	put("mdwe", prctl(PR_GET_MDWE, 0, 0, 0, 0));
	int death = 0;
	(void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	put("parent_death_signal", death);
	/* What a VMM without any capability must not be able to do. */
	put("mount_errno", mount("x", "/", "tmpfs", 0, NULL) == 0 ? 0 : errno);
	put("setuid_errno", setresuid(0, 0, 0) == 0 ? 0 : errno);
}

static void report_root(void)
{
	struct statfs fs = {0};
	char cwd[256] = "";
	unsigned entries = 0;
	DIR *dir = opendir("/");

	while (dir != NULL && readdir(dir) != NULL)
		entries++;
	if (dir != NULL)
		(void)closedir(dir);
	put("root_entries", entries);
	(void)statfs("/", &fs);
	put("root_magic", (long long)fs.f_type);

	put("root_flags", (long long)fs.f_flags);
	put("mkdir_errno", mkdir("/x", 0700) == 0 ? 0 : errno);
	put("proc_errno", access("/proc", F_OK) == 0 ? 0 : errno);
	put("dev_errno", access("/dev", F_OK) == 0 ? 0 : errno);
	put("dotdot_errno", access("../../../../etc", F_OK) == 0 ? 0 : errno);
	put_text("cwd", getcwd(cwd, sizeof(cwd)) == NULL ? "?" : cwd);
}

static const char *kind_of(mode_t mode)
{
	return S_ISREG(mode)    ? "file"
	       : S_ISDIR(mode)  ? "directory"
	       : S_ISCHR(mode)  ? "character"
	       : S_ISBLK(mode)  ? "block"
	       : S_ISFIFO(mode) ? "pipe"
	       : S_ISSOCK(mode) ? "socket"
				: "other";
}

/* Every descriptor that any limit could allow here. */
static void report_fds(void)
{
	const char *comma = "";

	buf_puts(&out, "\"fds\":{");
	for (int fd = 0; fd < 4096; fd++) {
		int flags = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0 || fstat(fd, &st) < 0)
			continue;
		buf_printf(&out,
			   "%s\"%d\":{\"kind\":\"%s\",\"access\":%d,"
			   "\"nonblock\":%d,\"rdev\":%llu}",
			   comma, fd, kind_of(st.st_mode), flags & O_ACCMODE,
			   (flags & O_NONBLOCK) != 0,
			   (unsigned long long)st.st_rdev);
		comma = ",";
	}
	buf_puts(&out, "},");
}

static void report_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} rows[] = {{"nofile", RLIMIT_NOFILE},
		    {"core", RLIMIT_CORE},
		    {"fsize", RLIMIT_FSIZE}};
	struct rlimit limit;

	buf_puts(&out, "\"rlimits\":{");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)getrlimit(rows[i].resource, &limit);
		buf_printf(&out, "%s\"%s\":[%lld,%lld]", i == 0 ? "" : ",",
			   rows[i].name, (long long)limit.rlim_cur,
			   (long long)limit.rlim_max);
	}
	buf_puts(&out, "},");
}

static void report_signals(void)
{
	struct sigaction action;
	unsigned ignored = 0, caught = 0, blocked = 0;
	sigset_t mask;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &action) < 0)
			continue;
		ignored += action.sa_handler == SIG_IGN;
		caught += action.sa_handler != SIG_IGN &&
			  action.sa_handler != SIG_DFL;
		blocked += sigismember(&mask, i) == 1;
	}
	put("signals_ignored", ignored);
	put("signals_caught", caught);
	put("signals_blocked", blocked);
}

static void report_surroundings(void)
{
	extern char **environ;
	struct if_nameindex *names = if_nameindex();
	char host[64] = "";
	char domain[64] = "";
	unsigned variables = 0;

	while (environ[variables] != NULL)
		variables++;
	put("environ", variables);
	(void)gethostname(host, sizeof(host));
	if (getdomainname(domain, sizeof(domain)) < 0)
		(void)strcpy(domain, "?");
	put_text("hostname", host);
	put_text("domainname", domain);
	put("umask", umask(0));
	buf_puts(&out, "\"interfaces\":[");
	for (unsigned i = 0; names != NULL && names[i].if_index != 0; i++)
		buf_printf(&out, "%s\"%s\"", i == 0 ? "" : ",",
			   names[i].if_name);
	buf_puts(&out, "],");
	if_freenameindex(names);
	put("keyring", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
			       KEY_SPEC_SESSION_KEYRING, 0));
	put("tty_errno", open("/dev/tty", O_RDWR) >= 0 ? 0 : errno);
}

static void report(void)
{
	buf_init(&out, report_text, sizeof(report_text));
	buf_puts(&out, "{");
	report_fds();
	report_ids();
	report_capabilities();
	report_root();
	report_limits();
	report_signals();
	report_surroundings();
	buf_puts(&out, "\"end\":0}\n");
	if (write(console_out, out.data, out.len) != (ssize_t)out.len)
		_exit(99);
}

static void on_term(int signo)
{
	(void)signo;
	_exit(0);
}

static void wait_for_byte(void)
{
	struct pollfd wait = {.fd = console_in, .events = POLLIN};

	(void)poll(&wait, 1, -1);
}

static void echo(void)
{
	struct pollfd wait = {.fd = console_in, .events = POLLIN};
	char byte = 0;

	while (byte != '\n' && poll(&wait, 1, -1) == 1) {
		if (read(console_in, &byte, 1) == 1)
			(void)!write(console_out, &byte, 1);
	}
}

static void noise(void)
{
	static const char bytes[] =
		"\033[31mred\033[0m\a\r\xff\xfe back\bspace\n"
		"phase main 1\n";
	static const char status[] = "phase nonsense 1\nphase main -1\n"
				     "exit 9999 too large\n"
				     "phase main 99999999999999999999999\n"
				     "\033]0;title\a\nexit\nexit x y\n";

	(void)!write(STDERR_FILENO, bytes, sizeof(bytes) - 1);
	(void)!write(status_fd, status, sizeof(status) - 1);
	for (int i = 0; i < 100; i++)
		(void)!write(status_fd, "exit 1 forged\033[2J\n", 19);
}

static void pour(int fd, bool wait)
{
	static char block[4096];

	memset(block, 'o', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\n';
	for (int i = 0; i < 256; i++) {
		struct pollfd ready = {.fd = fd, .events = POLLOUT};

		if (wait)
			(void)poll(&ready, 1, 1000);
		(void)!write(fd, block, sizeof(block));
	}
}

static void eat(size_t mebibytes)
{
	char *at = mmap(NULL, mebibytes << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; at != MAP_FAILED && i < mebibytes << 20; i += 4096)
		at[i] = 1;
}

static void run_word(const char *word, const char *argument)
{
	uint64_t number = 0;

	(void)parse_u64(argument, &number);
	if (strcmp(word, "report") == 0)
		report();
	else if (strcmp(word, "ready") == 0)
		status_write_phase(status_fd, STATUS_STARTED);
	else if (strcmp(word, "wait") == 0)
		wait_for_byte();
	else if (strcmp(word, "term") == 0)
		(void)signal(SIGTERM, on_term);
	else if (strcmp(word, "echo") == 0)
		echo();
	else if (strcmp(word, "open") == 0)
		(void)open("/", O_RDONLY);
	else if (strcmp(word, "noise") == 0)
		noise();
	else if (strcmp(word, "flood") == 0)
		pour(STDERR_FILENO, true);
	else if (strcmp(word, "output") == 0)
		pour(console_out, false);
	else if (strcmp(word, "reason") == 0)
		status_write_exit(status_fd, (int)number, "told to");
	else if (strcmp(word, "crash") == 0)
		*(volatile int *)(uintptr_t)number = 1;
	else if (strcmp(word, "eat") == 0)
		eat((size_t)number);
	else if (strcmp(word, "exit") == 0)
		_exit((int)number);
	else
		_exit(98);
}

static void run_script(void)
{
	char script[1024];
	char *save = NULL;
	ssize_t n = pread(kernel_fd, script, sizeof(script) - 1, 0);

	script[n < 0 ? 0 : n] = '\0';
	for (char *line = strtok_r(script, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		if (space != NULL)
			*space++ = '\0';
		run_word(line, space == NULL ? "" : space);
	}
}

int main(int argc, char *argv[])
{
	static struct handoff handoff;
	struct err err = {0};
	uint64_t launch_fd = 0;

	if (argc != 3 || strcmp(argv[0], "kiln-vmm") != 0 ||
	    strcmp(argv[1], "--launch-fd") != 0 ||
	    parse_u64(argv[2], &launch_fd) < 0)
		return 97;
	/* The VMM's own check of what is open; the report has its own. */
	if (handoff_receive((int)launch_fd, &handoff, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return 5;
	}
	kernel_fd = handoff_take(&handoff, "kernel");
	status_fd = handoff_take(&handoff, "status");
	console_in = handoff_take(&handoff, "console-in");
	console_out = handoff_take(&handoff, "console-out");
	status_write_phase(status_fd, STATUS_MAIN);
	run_script();
	return 0;
}
