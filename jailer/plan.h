/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - what `kiln run` would do for one configuration, decided without doing
 * any of it: numbers for names, paths, interface names, descriptor numbers.
 * `kiln explain` prints it and `kiln run` executes it; both walk the one table
 * of steps in jail.h, whose rows fill, print and carry out their own part.
 *
 *	struct kiln_config -> plan_make() -> struct plan -> jail_build()
 *
 * Plain data that borrows the configuration; about 32 KiB, so static storage.
 * Thread: one at a time.
 */
#ifndef KILN_JAILER_PLAN_H
#define KILN_JAILER_PLAN_H

#include <limits.h>
#include <linux/filter.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "jailer/config.h"
#include "launch/handoff.h"

#define PLAN_CGROUP_WRITES_MAX (CONFIG_RAW_MAX + 4)
#define PLAN_RLIMITS_MAX       4

/* Who the VMM is, on the host: one uid and one gid, mapped to themselves. */
struct plan_identity {
	uid_t uid;
	gid_t gid;
	char user[CONFIG_USER_MAX];
	char group[CONFIG_USER_MAX];
	bool foreign; /* not the caller's: groups are dropped, ids changed */
};

struct plan_cgroup_write {
	char file[CONFIG_RAW_NAME_MAX];
	char value[CONFIG_RAW_VALUE_MAX];
};

/*
 * The leaf is ROOT + PARENT + "/" + id. Not required means that no limit and
 * no parent was asked for: what the host refuses is then gone without.
 */
struct plan_cgroup {
	bool required;
	char root[64];         /* where cgroup v2 is mounted; "": nowhere */
	char parent[PATH_MAX]; /* "/kiln"; "" is the root itself */
	char leaf[PATH_MAX];   /* whole path on the host; "": no cgroup */
	char without[64];      /* why there is none, in words */
	char controllers[8][16];
	unsigned controller_count;
	struct plan_cgroup_write writes[PLAN_CGROUP_WRITES_MAX];
	unsigned write_count;
};

struct plan_tap {
	char name[IFNAMSIZ];
	bool create;      /* made here, removed at the end */
	uint32_t address; /* host byte order; prefix_bits 0: none */
	uint8_t prefix_bits;
};

struct plan_rlimit {
	int resource;
	const char *name;
	rlim_t limit; /* soft and hard */
};

struct plan {
	const struct kiln_config *config; /* borrowed */
	const char *vmm_option;           /* --vmm; NULL: search */
	bool rootless;
	struct plan_identity identity;
	char run_parent[PATH_MAX]; /* "/run": exists */
	char run_base[64];         /* "kiln": made when missing */
	struct plan_cgroup cgroup;
	struct plan_tap taps[MACHINE_NETS_MAX];
	struct plan_rlimit rlimits[PLAN_RLIMITS_MAX];
	unsigned rlimit_count;
	char vmm_path[PATH_MAX];
	struct handoff handoff;   /* the machine; role -> number in the VMM */
	int launch_fd;            /* number of the description in the VMM */
	struct sock_fprog filter; /* len 0: none */
};

/*
 * plan_make - decide everything. Return: 0; -errno with the object in err and
 * the exit status to end with in *ret_status.
 */
int plan_make(const struct kiln_config *config, const char *vmm_option,
	      struct plan *ret_plan, int *ret_status, struct err *err);

#endif
