/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"

static struct kiln_config config;
static struct config_report report;
static char said[64 * 1024]; /* every problem, a line each */
static char directory[] = "/tmp/kiln-config-XXXXXX";

/* Files that a test may leave, removed after each. */
static const char *const leftovers[] = {
	"vm.ini.d/10-a.ini",
	"vm.ini.d/20-b.ini",
	"vm.ini.d/9-c.ini",
	"vm.ini.d/.x.ini",
	"vm.ini.d/x.conf",
	"web@.ini.d/1.ini",
	"web@blue.ini.d/1.ini",
	"vm.ini.d/dir.ini",
	"vm.ini.d",
	"web@.ini.d",
	"web@blue.ini.d",
	"vm.ini",
	"web@.ini",
	"web@blue.ini",
	"vmlinuz",
	"rootfs",
	"empty",
	"fifo",
	"sub/vm.ini",
	"sub",
	"rootfs-blue",
};

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL || chdir(directory) < 0 ? -1 : 0;
}

static int clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
		(void)remove(leftovers[i]);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return chdir("/") < 0 || rmdir(directory) < 0 ? -1 : 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void collect(void)
{
	struct buf out;

	buf_init(&out, said, sizeof(said));
	for (unsigned i = 0; i < report.problem_count; i++) {
		config_problem_format(&report, &report.problems[i], &out);
		buf_puts(&out, "\n");
	}
}

static int load_with(const char *path, const char *id, const char *const *sets,
		     size_t set_count)
{
	const struct config_source source = {
		.path = path, .id = id, .sets = sets, .set_count = set_count};
	int r = config_load(&source, &config, &report);

	collect();
	return r;
}

static int load(const char *text)
{
	put("vm.ini", text);
	return load_with("vm.ini", NULL, NULL, 0);
}

/* A good file, and one line more. */
static int load_line(const char *lines)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "[kernel]\nimage = vmlinuz\n%s",
		       lines);
	return load(text);
}

static int load_set(const char *set)
{
	put("vm.ini", "[kernel]\nimage = vmlinuz\n[drive a]\npath = /a\n");
	return load_with("vm.ini", NULL, &set, 1);
}

static void a_whole_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(load("[machine]\nvcpus = 2\nmemory = 256M\n"
			      "[kernel]\nimage = vmlinuz\ninitrd = /i\n"
			      "cmdline = quiet\ncmdline_append = a \\\n  b\n"
			      "cmdline_append = %n\n"
			      "[drive rootfs]\npath = rootfs\nroot = yes\n"
			      "cache = writeback\n"
			      "[drive data]\npath = /d\nread_only = yes\n"
			      "[net eth0]\ntap = tap0\nmtu = 1400\n"
			      "mac = 06:00:00:00:00:01\n"
			      "netns = /n\n"
			      "[entropy]\nenabled = no\n"
			      "[jail]\nmode = root\nuser = kiln\n"
			      "seccomp = log\nrlimit_nofile = 512\n"
			      "[cgroup]\nparent = a/b\ncpu = 150%\n"
			      "memory = 300M\npids = 32\ncpu.weight = 50\n"),
			 0);
	assert_string_equal(said, "");
	assert_string_equal(config.machine.id, "vm");
	assert_int_equal(config.machine.board.vcpus, 2);
	assert_int_equal(config.machine.board.memory_bytes, 256 << 20);
	assert_string_equal(config.machine.kernel.cmdline, "quiet a b vm");
	assert_string_equal(config.kernel.image, "vmlinuz");
	assert_string_equal(config.kernel.initrd, "/i");
	assert_int_equal(config.machine.drive_count, 2);
	assert_string_equal(config.machine.drives[1].id, "data");
	assert_string_equal(config.drives[1].path, "/d");
	assert_true(config.machine.drives[1].read_only);
	assert_int_equal(config.machine.drives[0].cache, CACHE_WRITEBACK);
	assert_int_equal(config.machine.net_count, 1);
	assert_string_equal(config.nets[0].tap, "tap0");
	assert_int_equal(config.machine.nets[0].mtu, 1400);
	assert_false(config.machine.entropy.enabled);
	assert_true(config.machine.serial.enabled);
	assert_int_equal(config.jail.mode, CONFIG_MODE_ROOT);
	assert_int_equal(config.machine.confine.seccomp, SECCOMP_LOG);
	assert_int_equal(config.cgroup.cpu_percent, 150);
	assert_int_equal(config.cgroup.raw_count, 1);
	assert_string_equal(config.cgroup.raw[0].name, "cpu.weight");
	assert_string_equal(config.cgroup.raw[0].value, "50");
}

static void what_is_not_said_is_the_default(void **state)
{
	(void)state;
	assert_int_equal(load_line("[net a]\n"), 0);
	assert_string_equal(config.nets[0].tap, "auto");
	assert_string_equal(config.jail.netns, "none");
	assert_int_equal(config.jail.rlimit_nofile, 256);
	assert_int_equal(config.machine.board.vcpus, 1);
	assert_ptr_equal(strstr(config.machine.kernel.cmdline, "console="),
			 config.machine.kernel.cmdline);
}

/* One wrong line each, and all that is said about it. */
static const struct {
	const char *lines, *says;
} wrong_lines[] = {
	{"[machine]\nvcpus = 0\n",
	 "vm.ini:4: [machine] vcpus: '0' is not a whole number from 1 "
	 "to 32\n"},
	{"[machine]\nmemroy = 1G\n",
	 "vm.ini:4: [machine] memroy: unknown key; did you mean "
	 "'memory'?\n"},
	{"[machine]\nxyzzy = 1\n", "vm.ini:4: [machine] xyzzy: unknown key\n"},
	{"[machin]\nvcpus = 0\n",
	 "vm.ini:3: unknown section [machin]; did you mean "
	 "[machine]?\n"},
	{"[machine]\nvcpus = 1\nsmt = no\nvcpus = 1\n",
	 "vm.ini:6: [machine] vcpus: is set in line 4 already\n"},
	{"[machine]\n[machine]\n",
	 "vm.ini:4: [machine]: the section stands in line 3 too\n"},
	{"[machine]\ncpu_template = T2\n",
	 "vm.ini:4: [machine] cpu_template: is not supported by this "
	 "version\n"},
	{"[vsock]\ncid = 3\n",
	 "vm.ini:3: [vsock] is not supported by this version\n"},
	{"[drive]\npath = x\n",
	 "vm.ini:3: [drive] needs a name: [drive NAME]\n"},
	{"[machine x]\n", "vm.ini:3: [machine] takes no name, found 'x'\n"},
	{"[drive a b]\n",
	 "vm.ini:3: 'a b' is not a name: 1 to 64 characters of A-Z a-z "
	 "0-9 _ . -, the first a letter or a digit\n"},
	{"[drive a]\nread_only = yes\n",
	 "vm.ini:3: [drive a] path: is required: the file behind the "
	 "drive\n"},
	{"[drive a]\nroot = yes\npath=/a\n[drive b]\npath=/b\nroot = "
	 "yes\n",
	 "vm.ini:8: [drive b] root: drive 'a' is the root already\n"},
	{"[drive a]\npath = /a\n[drive b]\npath = /a\n",
	 "vm.ini:6: [drive b] path: drive 'a' has the same file; "
	 "sharing needs read_only = yes on both\n"},
	{"[net a]\ntap = t\n[net b]\ntap = t\n",
	 "vm.ini:6: [net b] tap: net 'a' has it already\n"},
	{"[net a]\naddress=1.2.3.4/8\n[net b]\naddress=1.2.3.4/8\n",
	 "vm.ini:6: [net b] address: net 'a' has it already\n"},
	{"[net a]\ntap = t\naddress=1.2.3.4/8\n",
	 "vm.ini:5: [net a] address: is for tap = auto; 't' is there "
	 "already and keeps its own\n"},
	{"[net a]\nmac=02:00:00:00:00:01\n[net b]\n"
	 "mac=02:00:00:00:00:01\n",
	 "vm.ini:6: [net b] mac: net 'a' has it already\n"},
	{"[machine]\nvcpus = 3\nsmt = yes\n",
	 "vm.ini:5: [machine] smt: needs 1 or an even number of vcpus, "
	 "not 3\n"},
	{"[jail]\nuser = root\n",
	 "vm.ini:4: [jail] user: a VMM as root gives up half of the "
	 "jail; say allow_root = yes as well if it must be\n"},
	{"[jail]\nuser = 00\n", "vm.ini:4: [jail] user: a VMM as root "
				"gives up half of the jail; say "
				"allow_root = yes as well if it must "
				"be\n"},
	{"[jail]\nmode = rootless\ngroup = x\n",
	 "vm.ini:5: [jail] group: cannot be chosen with mode = "
	 "rootless\n"},
	{"[cgroup]\ncpu = 150\n",
	 "vm.ini:4: [cgroup] cpu: '150' is not a percentage from 1% to "
	 "100000%, or 0%\n"},
	{"[cgroup]\ncgroup.kill = 1\n",
	 "vm.ini:4: [cgroup] cgroup.kill: 'cgroup.kill' is kiln's own "
	 "business; only files of controllers can be set\n"},
	{"[cgroup]\nweight = 1\n", "vm.ini:4: [cgroup] weight: unknown key\n"},
	{"[cgroup]\npids = 3\npids.max = 4\n",
	 "vm.ini:4: [cgroup] pids: is set by 'pids.max' as well; one "
	 "of them must go\n"},
	{"[cgroup]\ncpu.weight = 1\ncpu.weight = 1\n",
	 "vm.ini:5: [cgroup] cpu.weight: is set in line 4 already\n"},
	{"[net a]\nnetns = /%i\n",
	 "vm.ini:4: [net a] netns: %i stands for an instance, and "
	 "this is none (NAME@INSTANCE)\n"},
	{"vcpus\n", "vm.ini:3: expected 'key = value' or "
		    "'[section]'\n"},
	{"[drive a\npath = /a\n", "vm.ini:3: the section header has "
				  "no ']'\n"},
};

static void wrong_lines_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong_lines); i++) {
		assert_int_equal(load_line(wrong_lines[i].lines), -EINVAL);
		assert_string_equal(said, wrong_lines[i].says);
		assert_int_equal(report.error_count, 1);
	}
}

static void a_kernel_is_required(void **state)
{
	(void)state;
	assert_int_equal(load(""), -EINVAL);
	assert_string_equal(said, "vm.ini: [kernel] image: is required: the "
				  "kernel to boot\n");
}

static void every_problem_is_told_at_once_but_bounded(void **state)
{
	char text[8192] = "[machine]\n";
	size_t at = strlen(text);

	(void)state;
	for (int i = 0; i < 150; i++)
		at += (size_t)sprintf(text + at, "k%d = 1\n", i);
	assert_int_equal(load(text), -EINVAL);
	assert_int_equal(report.problem_count, CONFIG_PROBLEMS_MAX);
	assert_int_equal(report.error_count, 151); /* and no kernel */
	FILE *out = tmpfile();
	assert_non_null(out);
	config_report_print(&report, out);
	rewind(out);
	unsigned lines = 0;
	while (fgets(text, sizeof(text), out) != NULL)
		lines++;
	assert_int_equal(fclose(out), 0);
	assert_int_equal(lines, 101);
	assert_string_equal(text, "vm.ini: 51 more problems are not shown\n");
}

static void small_cgroups_are_only_warned_of(void **state)
{
	(void)state;
	assert_int_equal(load_line("[cgroup]\nmemory = 16M\n"), 0);
	assert_int_equal(report.warning_count, 1);
	assert_string_equal(said,
			    "vm.ini:4: warning: [cgroup] memory: 16 MiB for a "
			    "guest of 128 MiB: it will be killed if it uses "
			    "what it was given\n");
}

static void empty_values_reset(void **state)
{
	static const char *const sets[] = {
		"machine.vcpus=",  "kernel.cmdline_append=",
		"kernel.cmdline=", "cgroup.cpu.weight=",
		"jail.user=",
	};

	(void)state;
	put("vm.ini", "[machine]\nvcpus=4\n[kernel]\nimage=k\ncmdline=a\n"
		      "cmdline_append=b\n[jail]\nuser=kiln\n[cgroup]\n"
		      "cpu.weight=5\nio.weight=6\n");
	assert_int_equal(load_with("vm.ini", NULL, sets, ARRAY_LEN(sets)), 0);
	assert_int_equal(config.machine.board.vcpus, 1);
	assert_string_equal(config.machine.kernel.cmdline,
			    "console=ttyS0 reboot=k panic=1 i8042.noaux "
			    "i8042.nomux i8042.dumbkbd");
	assert_string_equal(config.jail.user, "");
	assert_int_equal(config.cgroup.raw_count, 1);
	assert_string_equal(config.cgroup.raw[0].name, "io.weight");
	assert_string_equal(config.cgroup.raw[1].name, "");
}

static void a_command_line_that_is_too_long_is_refused(void **state)
{
	static char text[5000];
	size_t at = (size_t)sprintf(text, "[kernel]\nimage=k\ncmdline=");

	(void)state;
	memset(text + at, 'x', 1500);
	at += 1500;
	at += (size_t)sprintf(text + at, "\ncmdline_append=");
	memset(text + at, 'y', 546);
	assert_int_equal(load(text), 0);
	assert_int_equal(strlen(config.machine.kernel.cmdline), 2047);
	text[at + 546] = 'y';
	assert_int_equal(load(text), -EINVAL);
	assert_string_equal(said, "vm.ini:4: [kernel] cmdline_append: the "
				  "command line has 2048 bytes, 2047 fit\n");
}

static void drop_ins_follow_in_the_order_of_their_names(void **state)
{
	(void)state;
	assert_int_equal(mkdir("vm.ini.d", 0700), 0);
	put("vm.ini.d/10-a.ini", "[machine]\nvcpus=2\nmemory=64M\n[kernel]\n"
				 "cmdline_append=a\n");
	put("vm.ini.d/20-b.ini", "[machine]\nvcpus=3\n[drive d]\npath=x\n");
	put("vm.ini.d/9-c.ini", "[machine]\nvcpus=4\n[kernel]\n"
				"cmdline_append=c\ninitrd=i\n");
	put("vm.ini.d/.x.ini", "nonsense\n");
	put("vm.ini.d/x.conf", "nonsense\n");
	assert_int_equal(load("[machine]\nvcpus=1\n[kernel]\nimage=k\n"
			      "cmdline=0\ncmdline_append=b\n"),
			 0);
	assert_int_equal(config.machine.board.vcpus, 4); /* "9" > "20" */
	assert_int_equal(config.machine.board.memory_bytes, 64 << 20);
	assert_string_equal(config.machine.kernel.cmdline, "0 b a c");
	assert_string_equal(config.drives[0].path, "vm.ini.d/x");
	assert_string_equal(config.kernel.initrd, "vm.ini.d/i");
	assert_string_equal(config.kernel.image, "k");
}

static void problems_of_drop_ins_name_them(void **state)
{
	(void)state;
	assert_int_equal(mkdir("vm.ini.d", 0700), 0);
	assert_int_equal(mkdir("vm.ini.d/dir.ini", 0700), 0);
	put("vm.ini.d/10-a.ini", "[machine]\nvcpus=x\n");
	assert_int_equal(load("[kernel]\nimage=k\n"), -EINVAL);
	assert_string_equal(
		said, "vm.ini.d/10-a.ini:2: [machine] vcpus: 'x' is not a "
		      "whole number from 1 to 32\n"
		      "vm.ini.d/dir.ini: is a directory, not a regular file\n");
}

static void paths_are_relative_to_their_file(void **state)
{
	static const char *const sets[] = {"drive.b.path=r", "drive.c.path=/r"};

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	put("sub/vm.ini", "[kernel]\nimage=k\ninitrd=/i\n[drive a]\npath=r\n");
	assert_int_equal(load_with("sub/vm.ini", NULL, sets, 2), 0);
	assert_string_equal(config.kernel.image, "sub/k");
	assert_string_equal(config.kernel.initrd, "/i");
	assert_string_equal(config.drives[0].path, "sub/r");
	assert_string_equal(config.drives[1].path, "r");
	assert_string_equal(config.drives[2].path, "/r");
}

static void set_arguments_win(void **state)
{
	static const char *const sets[] = {
		"machine.vcpus=3", "machine.vcpus=5", "drive.a.b.c.path=/x=y",
		"cgroup.cpu.weight=7", "kernel.cmdline_append=z"};

	(void)state;
	put("vm.ini", "[machine]\nvcpus=1\n[kernel]\nimage=k\ncmdline=0\n"
		      "cmdline_append=a\n");
	assert_int_equal(load_with("vm.ini", NULL, sets, ARRAY_LEN(sets)), 0);
	assert_int_equal(config.machine.board.vcpus, 5);
	assert_string_equal(config.machine.drives[0].id, "a.b.c");
	assert_string_equal(config.drives[0].path, "/x=y");
	assert_string_equal(config.cgroup.raw[0].name, "cpu.weight");
	assert_string_equal(config.machine.kernel.cmdline, "0 a z");
}

static void wrong_set_arguments_are_named(void **state)
{
	static const struct {
		const char *set, *says;
	} rows[] = {
		{"x", "expected SECTION.KEY=VALUE or SECTION.NAME.KEY=VALUE"},
		{"=", "expected SECTION.KEY=VALUE or SECTION.NAME.KEY=VALUE"},
		{"machine=1",
		 "expected SECTION.KEY=VALUE or SECTION.NAME.KEY=VALUE"},
		{"machine.=1",
		 "expected SECTION.KEY=VALUE or SECTION.NAME.KEY=VALUE"},
		{".vcpus=1",
		 "expected SECTION.KEY=VALUE or SECTION.NAME.KEY=VALUE"},
		{"drive.path=1", "expected drive.NAME.KEY=VALUE"},
		{"drive..path=1", "'' is not a name: 1 to 64 characters of A-Z "
				  "a-z 0-9 _ . -, the first a letter or a "
				  "digit"},
		{"machin.vcpus=1",
		 "unknown section [machin]; did you mean [machine]?"},
		{"machine.vcpu=1",
		 "[machine] vcpu: unknown key; did you mean 'vcpus'?"},
		{"machine.vcpus=0", "[machine] vcpus: '0' is not a whole "
				    "number from 1 to 32"},
		{"drive.a.root=x", "[drive a] root: 'x' is not yes or no"},
		{"vsock.cid=3", "[vsock] is not supported by this version"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char expected[512];

		(void)snprintf(expected, sizeof(expected), "--set %s: %s\n",
			       rows[i].set, rows[i].says);
		assert_int_equal(load_set(rows[i].set), -EINVAL);
		assert_string_equal(said, expected);
	}
	assert_int_equal(load_set("kernel.cmdline=\033[31m"), -EINVAL);
	assert_string_equal(said, "--set kernel.cmdline=?[31m: too long, or "
				  "not UTF-8 text without control "
				  "characters\n");
	assert_int_equal(load_set("kernel.cmdline=\377"), -EINVAL);
}

static void ids_come_from_the_name_or_the_option(void **state)
{
	char id[80];

	(void)state;
	put("vm.ini", "[kernel]\nimage=k\n");
	assert_int_equal(load_with("vm.ini", "web.2", NULL, 0), 0);
	assert_string_equal(config.machine.id, "web.2");
	assert_int_equal(load_with("vm.ini", "../x", NULL, 0), -EINVAL);
	assert_string_equal(said, "--id: id: '../x' is not 1 to 64 characters "
				  "of A-Z a-z 0-9 _ . -, the first a letter "
				  "or a digit\n");
	memset(id, 'a', sizeof(id));
	id[64] = '\0';
	assert_int_equal(load_with("vm.ini", id, NULL, 0), 0);
	id[64] = 'a';
	id[65] = '\0';
	assert_int_equal(load_with("vm.ini", id, NULL, 0), -EINVAL);
	assert_non_null(strstr(said, "is over 64 characters"));
}

static void templates_serve_their_instances(void **state)
{
	(void)state;
	assert_int_equal(mkdir("web@.ini.d", 0700), 0);
	assert_int_equal(mkdir("web@blue.ini.d", 0700), 0);
	put("web@.ini", "[kernel]\nimage=k\n[drive r]\npath=%n-%i.img\n");
	put("web@.ini.d/1.ini", "[machine]\nvcpus=2\nmemory=64M\n");
	put("web@blue.ini.d/1.ini", "[machine]\nvcpus=4\n");
	assert_int_equal(load_with("web@blue", NULL, NULL, 0), 0);
	assert_string_equal(config.machine.id, "web-blue");
	assert_string_equal(config.drives[0].path, "web-blue.img");
	assert_int_equal(config.machine.board.vcpus, 4);
	assert_int_equal(config.machine.board.memory_bytes, 64 << 20);
	assert_int_equal(load_with("web@red.ini", NULL, NULL, 0), 0);
	assert_int_equal(config.machine.board.vcpus, 2);
	put("web@blue.ini", "[kernel]\nimage=own\n");
	assert_int_equal(load_with("web@blue", NULL, NULL, 0), 0);
	assert_string_equal(config.kernel.image, "own");
	assert_int_equal(load_with("web@.ini", NULL, NULL, 0), -EINVAL);
	assert_true(report.missing);
}

static void a_missing_file_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(load_with("vm.ini", NULL, NULL, 0), -EINVAL);
	assert_string_equal(said, "vm.ini: open: No such file or directory\n");
	assert_true(report.missing);
	assert_int_equal(load("x\n"), -EINVAL);
	assert_false(report.missing);
}

static void the_host_is_looked_at_apart(void **state)
{
	(void)state;
	put("vmlinuz", "k");
	put("rootfs", "r");
	put("empty", "");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(load("[kernel]\nimage=vmlinuz\n[drive a]\n"
			      "path=rootfs\n"),
			 0);
	assert_int_equal(config_check_host(&config, &report), 0);
	assert_int_equal(load("[kernel]\nimage=none\ninitrd=empty\n"
			      "[drive a]\npath=fifo\n[drive b]\npath=/\n"
			      "[drive c]\npath=/dev/null\n[net n]\n"
			      "netns=/none\n[jail]\nnetns=/\n"),
			 0);
	assert_int_equal(config_check_host(&config, &report), -EINVAL);
	collect();
	assert_string_equal(
		said,
		"vm.ini:2: [kernel] image: 'none': No such file or directory\n"
		"vm.ini:3: [kernel] initrd: 'empty' is empty\n"
		"vm.ini:13: [jail] netns: '/' is a directory, not a regular "
		"file\n"
		"vm.ini:5: [drive a] path: 'fifo' is a FIFO, not a regular "
		"file or a block device\n"
		"vm.ini:7: [drive b] path: '/' is a directory, not a regular "
		"file or a block device\n"
		"vm.ini:9: [drive c] path: '/dev/null' is a character device, "
		"not a regular file or a block device\n"
		"vm.ini:11: [net n] netns: '/none': No such file or "
		"directory\n");
}

static void too_many_of_a_kind_are_refused(void **state)
{
	char text[8192] = "";
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 9; i++)
		at += (size_t)sprintf(text + at, "[net n%d]\n", i);
	assert_int_equal(load_line(text), -EINVAL);
	assert_string_equal(said,
			    "vm.ini:11: more than 8 [net NAME] sections\n");
	at = (size_t)sprintf(text, "[cgroup]\n");
	for (int i = 0; i < 33; i++)
		at += (size_t)sprintf(text + at, "cpu.w%d=1\n", i);
	assert_int_equal(load_line(text), -EINVAL);
	assert_string_equal(said, "vm.ini:36: [cgroup] cpu.w32: more than 32 "
				  "controller files\n");
	at = 0;
	for (int i = 0; i < 16; i++)
		at += (size_t)sprintf(text + at, "[drive d%d]\npath=/%d\n", i,
				      i);
	(void)sprintf(text + at, "[net n]\n[machine]\n");
	assert_int_equal(load_line(text), -EINVAL);
	assert_string_equal(said, "vm.ini:36: [machine]: 18 drives, nets and "
				  "other devices; 17 fit (entropy counts: "
				  "[entropy] enabled = no)\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, clean, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_file_is_read),
		TEST(what_is_not_said_is_the_default),
		TEST(wrong_lines_are_named),
		TEST(a_kernel_is_required),
		TEST(every_problem_is_told_at_once_but_bounded),
		TEST(small_cgroups_are_only_warned_of),
		TEST(empty_values_reset),
		TEST(a_command_line_that_is_too_long_is_refused),
		TEST(drop_ins_follow_in_the_order_of_their_names),
		TEST(problems_of_drop_ins_name_them),
		TEST(paths_are_relative_to_their_file),
		TEST(set_arguments_win),
		TEST(wrong_set_arguments_are_named),
		TEST(ids_come_from_the_name_or_the_option),
		TEST(templates_serve_their_instances),
		TEST(a_missing_file_is_told_apart),
		TEST(the_host_is_looked_at_apart),
		TEST(too_many_of_a_kind_are_refused),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
