/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - one microVM as its operator described it: the machine, which the
 * VMM will see, and the host side, which it never does. Built from a file,
 * its drop-ins and --set, in that order; every problem of all of them is
 * reported at once, and nothing on the host has been touched by then.
 *
 *	struct kiln_config  plain data without pointers, about 140 KiB
 *	struct config_report  about 180 KiB
 * Both belong in static storage or on the heap, not on the stack.
 * Thread: one at a time.
 */
#ifndef KILN_JAILER_CONFIG_H
#define KILN_JAILER_CONFIG_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "launch/machine.h"

#define CONFIG_USER_MAX      64 /* bytes, NUL included */
#define CONFIG_ADDRESS_MAX   20 /* "255.255.255.255/32" */
#define CONFIG_RAW_MAX       32 /* controller files in [cgroup] */
#define CONFIG_RAW_NAME_MAX  64
#define CONFIG_RAW_VALUE_MAX 256
#define CONFIG_FILES_MAX     256 /* the file, its drop-ins, each --set */
#define CONFIG_FILE_NAME_MAX 512
#define CONFIG_DROP_INS_MAX  64 /* of one file */
#define CONFIG_PROBLEMS_MAX  100
#define CONFIG_ORIGINS_MAX   512

enum config_mode {
	CONFIG_MODE_AUTO, /* root when the caller is root, else rootless */
	CONFIG_MODE_ROOT,
	CONFIG_MODE_ROOTLESS,
};

enum config_engine {
	CONFIG_ENGINE_SYNC,
};

struct config_kernel {
	char image[PATH_MAX];
	char initrd[PATH_MAX];                    /* "": none */
	char cmdline_append[MACHINE_CMDLINE_MAX]; /* already in the machine's */
};

/* The host side of machine.drives[i] is drives[i]. */
struct config_drive {
	char path[PATH_MAX];
	uint32_t engine; /* enum config_engine */
};

/* The host side of machine.nets[i] is nets[i]. */
struct config_net {
	char tap[IFNAMSIZ];               /* "auto": kiln names it */
	char address[CONFIG_ADDRESS_MAX]; /* of the host's tap; "": none;
					   * parse_cidr() accepts it */
	char netns[PATH_MAX]; /* where the tap lives; "": caller's */
};

struct config_jail {
	uint32_t mode;               /* enum config_mode */
	char user[CONFIG_USER_MAX];  /* name or number; "": not set */
	char group[CONFIG_USER_MAX]; /* name or number; "": the user's */
	char netns[PATH_MAX];        /* "none": new and empty; else a path */
	bool allow_root;             /* user may be uid 0 */
	uint64_t rlimit_nofile;
	uint64_t rlimit_fsize_bytes; /* 0: no limit */
	uint64_t rlimit_core_bytes;
};

struct config_raw {
	char name[CONFIG_RAW_NAME_MAX]; /* "cpu.weight": controller.file */
	char value[CONFIG_RAW_VALUE_MAX];
};

struct config_cgroup {
	char parent[PATH_MAX]; /* below the cgroup root; "": kiln's choice */
	uint64_t cpu_percent;  /* 100 is one CPU; 0: no limit */
	uint64_t memory_bytes; /* 0: no limit */
	uint64_t pids;         /* 0: no limit */
	struct config_raw raw[CONFIG_RAW_MAX]; /* written in this order */
	unsigned raw_count;
};

struct kiln_config {
	struct machine machine; /* machine.id names the microVM everywhere */
	struct config_kernel kernel;
	struct config_drive drives[MACHINE_DRIVES_MAX];
	struct config_net nets[MACHINE_NETS_MAX];
	struct config_jail jail;
	struct config_cgroup cgroup;
};

/* Where a configuration comes from; borrows its strings. */
struct config_source {
	const char *path;        /* FILE, or DIR/NAME@INSTANCE; specifier.h */
	const char *id;          /* --id; NULL: derived from path */
	const char *const *sets; /* --set arguments, "section.key=value" */
	size_t set_count;
};

enum config_severity {
	CONFIG_ERROR,
	CONFIG_WARNING,
};

struct config_problem {
	enum config_severity severity;
	unsigned file; /* index into report.files */
	unsigned line; /* 0: the whole file; in --set: which, from 1 */
	char section[MACHINE_ID_MAX + 24]; /* "drive rootfs"; may be "" */
	char key[CONFIG_RAW_NAME_MAX];     /* may be "" */
	char text[ERR_MSG_MAX];            /* what is wrong, what is right */
};

/* Which line set a key; kept so that later checks can name it. */
struct config_origin {
	unsigned section, element, key; /* indexes of keys.h */
	unsigned file, line;
};

struct config_report {
	struct config_problem problems[CONFIG_PROBLEMS_MAX];
	unsigned problem_count;
	unsigned error_count, warning_count; /* those not kept included */
	char files[CONFIG_FILES_MAX][CONFIG_FILE_NAME_MAX]; /* as shown */
	unsigned file_count;
	struct config_origin origins[CONFIG_ORIGINS_MAX];
	unsigned origin_count;
	bool missing; /* the configuration file itself could not be read */
};

/* config_default - every key at its default, no drives, no nets. */
void config_default(struct kiln_config *config);

/*
 * config_load - read, merge and check everything that can be checked without
 * looking at the host (the configuration files aside).
 * Return: 0 with no error in the report (warnings are possible); -EINVAL with
 * at least one. The report is reset first; *ret is undefined on failure.
 */
int config_load(const struct config_source *source, struct kiln_config *ret,
		struct config_report *report);

/*
 * config_check_host - look, without changing anything: do the kernel, initrd,
 * drives and network namespaces exist, and are they of the right kind?
 * Adds to the report of config_load(). Return: as config_load().
 */
int config_check_host(const struct kiln_config *config,
		      struct config_report *report);

/* config_problem_format - "vm.ini:12: [machine] vcpus: '0' is not ...". */
void config_problem_format(const struct config_report *report,
			   const struct config_problem *problem,
			   struct buf *out);

/* config_report_print - every problem, a line each, and how many more. */
void config_report_print(const struct config_report *report, FILE *out);

#endif
