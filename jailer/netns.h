/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netns - do something in another network namespace and come back. kiln has
 * one thread, so there is nobody to see it go.
 */
#ifndef KILN_JAILER_NETNS_H
#define KILN_JAILER_NETNS_H

#include "base/err.h"

/*
 * netns_enter - path "" stays where it is. Gives *ret_home for netns_leave(),
 * -1 when there is nothing to leave. -EPERM: needs CAP_SYS_ADMIN there.
 */
int netns_enter(const char *path, int *ret_home, struct err *err);

/* netns_leave - takes home. Ends the process when there is no way back: what
 * follows would run in the wrong place. */
void netns_leave(int home);

#endif
