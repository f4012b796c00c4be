/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup - control group v2 directories (Linux Documentation/admin-guide/
 * cgroup-v2.rst): where they are, controllers switched on from the root down,
 * a leaf for one microVM, its removal. Thread: one at a time.
 */
#ifndef KILN_JAILER_CGROUP_H
#define KILN_JAILER_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "jailer/plan.h"

/* cgroup_find_root - "" when cgroup v2 is not mounted at a usual place. */
void cgroup_find_root(char *out, size_t size_bytes);

/* cgroup_own_path - of this process, from /proc/self/cgroup. */
int cgroup_own_path(char *out, size_t size_bytes, struct err *err);

/* cgroup_word_in - is word one of the blank-separated words of text? */
bool cgroup_word_in(const char *text, const char *word);

/*
 * cgroup_create - the parent's missing levels, the controllers, the leaf with
 * its limits written while it is empty. Gives *ret_fd, the leaf's directory.
 * On failure the leaf is gone again; shared parents stay.
 */
int cgroup_create(const struct plan_cgroup *cgroup, int *ret_fd,
		  struct err *err);

/* cgroup_remove - end what still runs in the leaf and remove it; within a
 * second, or it stays. A path that is not there is fine. */
void cgroup_remove(const char *leaf);

/* cgroup_oom_kills - how often the leaf ran out of its memory. */
uint64_t cgroup_oom_kills(int leaf_fd);

#endif
