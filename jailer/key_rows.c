/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections of kiln.ini(5) in the order of the manual. A new key is a row
 * here (or in launch/machine.c when the VMM is to know it) and a paragraph in
 * the manual; everything else follows.
 */
#include "jailer/key_rows.h"

#include <stddef.h>

#include "base/array.h"
#include "jailer/key_checks.h"
#include "launch/handoff.h"

#define ROOM(type, member) sizeof(((struct type *)0)->member)

/* A key with room for text. */
#define TEXT_KEY(type, member)                                                 \
	.kind = FIELD_STRING, .offset = offsetof(struct type, member),         \
	.size_bytes = ROOM(type, member)

/* A key that will come: an error of its own instead of "unknown". */
#define LATER_KEY(key)                                                         \
	{                                                                      \
		.field = {.name = (key),                                       \
			  .kind = FIELD_STRING,                                \
			  .size_bytes = 1,                                     \
			  .help = "not served yet"},                           \
		.flags = KEY_LATER,                                            \
	}

static const char *const engine_names[] = {"sync", NULL};
static const char *const mode_names[] = {"auto", "root", "rootless", NULL};

static const struct key_row machine_rows[] = {
	LATER_KEY("cpu_template"),
	LATER_KEY("track_dirty_pages"),
};

static const struct key_row kernel_rows[] = {
	{.field = {.name = "image",
		   TEXT_KEY(config_kernel, image),
		   .help = "kernel: ELF vmlinux or bzImage; required"},
	 .flags = KEY_PATH},
	{.field = {.name = "initrd",
		   TEXT_KEY(config_kernel, initrd),
		   .help = "initial RAM disk"},
	 .flags = KEY_PATH},
	{.field = {.name = "cmdline_append",
		   TEXT_KEY(config_kernel, cmdline_append),
		   .help = "added to cmdline; may be repeated"},
	 .flags = KEY_REPEATS},
};

static const struct key_row drive_rows[] = {
	{.field = {.name = "path",
		   TEXT_KEY(config_drive, path),
		   .help = "regular file or block device; required"},
	 .flags = KEY_PATH},
	{.field = {.name = "engine",
		   .kind = FIELD_CHOICE,
		   .offset = offsetof(struct config_drive, engine),
		   .names = engine_names,
		   .fallback = "sync",
		   .help = "how the VMM reads and writes"}},
	LATER_KEY("rate_bandwidth"),
	LATER_KEY("rate_iops"),
};

static const struct key_row net_rows[] = {
	{.field = {.name = "tap",
		   TEXT_KEY(config_net, tap),
		   .fallback = "auto",
		   .help = "the host's tap interface; auto: kiln names it"},
	 .check = key_check_tap},
	{.field = {.name = "address",
		   TEXT_KEY(config_net, address),
		   .help = "address of the host's tap, such as 172.16.0.1/30"},
	 .check = key_check_address},
	{.field =
		 {.name = "netns",
		  TEXT_KEY(config_net, netns),
		  .help = "network namespace of the tap; not set: the caller's"},
	 .check = key_check_netns},
	LATER_KEY("bridge"),
	LATER_KEY("guest_address"),
	LATER_KEY("mmds"),
	LATER_KEY("rate_rx"),
	LATER_KEY("rate_tx"),
};

static const struct key_row jail_rows[] = {
	{.field = {.name = "mode",
		   .kind = FIELD_CHOICE,
		   .offset = offsetof(struct config_jail, mode),
		   .names = mode_names,
		   .fallback = "auto",
		   .help = "whose rights build the jail; auto: root's if kiln "
			   "has them"}},
	{.field = {.name = "user",
		   TEXT_KEY(config_jail, user),
		   .help = "user of the VMM, name or number"},
	 .check = key_check_user},
	{.field = {.name = "group",
		   TEXT_KEY(config_jail, group),
		   .help = "group of the VMM; not set: the user's own"},
	 .check = key_check_user},
	{.field = {.name = "allow_root",
		   .kind = FIELD_BOOL,
		   .offset = offsetof(struct config_jail, allow_root),
		   .fallback = "no",
		   .help = "user may be root"}},
	{.field = {.name = "netns",
		   TEXT_KEY(config_jail, netns),
		   .fallback = "none",
		   .help = "network namespace of the VMM; none: a new, empty "
			   "one"},
	 .check = key_check_jail_netns},
	{.field = {.name = "rlimit_nofile",
		   .kind = FIELD_NUMBER,
		   .offset = offsetof(struct config_jail, rlimit_nofile),
		   .min = HANDOFF_FD_LIMIT,
		   .max = 1048576,
		   .fallback = "256",
		   .help = "descriptors that the VMM may hold"}},
	{.field = {.name = "rlimit_fsize",
		   .kind = FIELD_SIZE,
		   .offset = offsetof(struct config_jail, rlimit_fsize_bytes),
		   .min = 1,
		   .max = INT64_MAX,
		   .fallback = "0",
		   .help = "largest file the VMM may write; 0: no limit"}},
	{.field = {.name = "rlimit_core",
		   .kind = FIELD_SIZE,
		   .offset = offsetof(struct config_jail, rlimit_core_bytes),
		   .min = 1,
		   .max = INT64_MAX,
		   .fallback = "0",
		   .help = "largest core dump, which holds guest memory"}},
	LATER_KEY("namespaces"),
};

static const struct key_row cgroup_rows[] = {
	{.field = {.name = "parent",
		   TEXT_KEY(config_cgroup, parent),
		   .help = "cgroup that holds the microVM's; not set: kiln's "
			   "choice"},
	 .check = key_check_cgroup},
	{.field = {.name = "cpu",
		   .kind = FIELD_PERCENT,
		   .offset = offsetof(struct config_cgroup, cpu_percent),
		   .min = 1,
		   .max = 100000,
		   .fallback = "0%",
		   .help = "CPU time, 100% is one CPU; 0%: no limit"}},
	{.field = {.name = "memory",
		   .kind = FIELD_SIZE,
		   .offset = offsetof(struct config_cgroup, memory_bytes),
		   .min = 1 << 20,
		   .max = INT64_MAX,
		   .fallback = "0",
		   .help = "memory of guest and VMM; 0: no limit"}},
	{.field = {.name = "pids",
		   .kind = FIELD_NUMBER,
		   .offset = offsetof(struct config_cgroup, pids),
		   .min = 1,
		   .max = 4194304,
		   .fallback = "0",
		   .help = "threads of the VMM; 0: no limit"}},
};

/* A member's name takes no parentheses. NOLINTNEXTLINE(*-parentheses) */
#define HOST(member, array)                                                    \
	.rows = (array), .row_count = ARRAY_LEN(array),                        \
	.offset = offsetof(struct kiln_config, member)

const struct key_section key_sections[] = {
	{.name = "machine",
	 .machine = "machine",
	 .rows = machine_rows,
	 .row_count = ARRAY_LEN(machine_rows),
	 .help = "processors and memory"},
	{.name = "kernel",
	 .machine = "kernel",
	 HOST(kernel, kernel_rows),
	 .help = "what is booted"},
	{.name = "drive",
	 .machine = "drive",
	 HOST(drives, drive_rows),
	 .stride_bytes = sizeof(struct config_drive),
	 .help = "a disk; the guest sees them in this order"},
	{.name = "net",
	 .machine = "net",
	 HOST(nets, net_rows),
	 .stride_bytes = sizeof(struct config_net),
	 .help = "a network interface; the guest sees them in this order"},
	{.name = "entropy",
	 .machine = "entropy",
	 .help = "random numbers for the guest"},
	{.name = "serial", .machine = "serial", .help = "the guest's console"},
	{.name = "jail",
	 .machine = "confine",
	 HOST(jail, jail_rows),
	 .help = "what the VMM is locked into"},
	{.name = "cgroup",
	 .raw = true,
	 HOST(cgroup, cgroup_rows),
	 .help = "limits; also any controller file: cpu.weight = 50"},
	{.name = "vsock", .later = true},
	{.name = "balloon", .later = true},
	{.name = "pmem", .later = true},
	{.name = "mmds", .later = true},
	{.name = "log", .later = true},
	{.name = "metrics", .later = true},
};

const unsigned key_section_count = ARRAY_LEN(key_sections);
