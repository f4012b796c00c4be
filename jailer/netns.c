/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/fd.h"

int netns_enter(const char *path, int *ret_home, struct err *err)
{
	*ret_home = -1;
	if (path[0] == '\0')
		return 0;
	/* A named pipe in its place must not hold kiln up. */
	cleanup_fd int there =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (there < 0)
		return err_set(err, errno, "open network namespace '%s'", path);
	cleanup_fd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return err_set(err, errno, "open /proc/self/ns/net");
	if (ioctl(there, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_say(err, EINVAL,
			       "'%s' is not a network namespace, such as ip "
			       "netns add NAME makes",
			       path);
	if (setns(there, CLONE_NEWNET) < 0)
		return err_set(err, errno, "enter network namespace '%s'",
			       path);
	*ret_home = fd_steal(&home);
	return 0;
}

void netns_leave(int home)
{
	if (home < 0)
		return;
	if (setns(home, CLONE_NEWNET) < 0) {
		(void)fputs("kiln: cannot return to its network namespace\n",
			    stderr);
		abort();
	}
	(void)close(home);
}
