/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether user namespaces work is known only by a try: some systems let them
 * be made and then refuse every use, and then a jail dies of a mount that
 * says "Operation not permitted". Which switch it is, is in files.
 */
#include "jailer/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

struct outcome {
	int stage; /* enum doctor_stage */
	int errnum;
};

/* The jail's own calls (step_namespaces, step_root), in a child. */
static struct outcome try_namespaces(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return (struct outcome){DOCTOR_STAGE_USER, errno};
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("kiln", "/proc", "tmpfs", MS_RDONLY, "size=4k") < 0)
		return (struct outcome){DOCTOR_STAGE_MOUNT, errno};
	return (struct outcome){DOCTOR_STAGE_DONE, 0};
}

static int ask_child(struct outcome *ret)
{
	int ends[2], r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	cleanup_fd int in = ends[0];
	cleanup_fd int out = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		struct outcome outcome = try_namespaces();

		_exit(fd_write_full(out, &outcome, sizeof(outcome)) < 0);
	}
	fd_close(&out);
	r = fd_read_full(in, ret, sizeof(*ret));
	(void)waitpid(pid, NULL, 0);
	return r;
}

/* A switch of the host: its file, the value that forbids, what to say. */
static const struct {
	const char *file;
	uint64_t forbids;
	const char *says;
	const char *fix; /* NULL: the AppArmor profile below */
} switches[] = {
	{"/proc/sys/user/max_user_namespaces", 0,
	 "user.max_user_namespaces is 0",
	 "sysctl -w user.max_user_namespaces=15000"},
	{"/proc/sys/kernel/unprivileged_userns_clone", 0,
	 "kernel.unprivileged_userns_clone is 0",
	 "sysctl -w kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	 "AppArmor lets only programs with a profile use them", NULL},
};

static void fix_apparmor(struct doctor_finding *ret)
{
	char self[DOCTOR_FIX_MAX / 3];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = '\0';
	doctor_fix(ret,
		   "printf 'abi <abi/4.0>,\\nprofile kiln %s "
		   "flags=(unconfined) { userns, }\\n' > /etc/apparmor.d/kiln "
		   "&& apparmor_parser -r /etc/apparmor.d/kiln",
		   len > 0 ? self : "/usr/local/bin/kiln");
}

void doctor_explain_namespaces(const struct doctor *doctor,
			       enum doctor_stage stage, int errnum,
			       struct doctor_finding *ret)
{
	const char *what = stage == DOCTOR_STAGE_USER
				   ? "make a user namespace"
				   : "mount in a user namespace";
	uint64_t value;

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (doctor_read_number(doctor, switches[i].file, &value) < 0 ||
		    value != switches[i].forbids)
			continue;
		doctor_say(ret, DOCTOR_FAIL, "%s: %s: %s", what,
			   strerror(errnum), switches[i].says);
		if (switches[i].fix == NULL)
			fix_apparmor(ret);
		else
			doctor_fix(ret, "%s", switches[i].fix);
		return;
	}
	doctor_say(ret, DOCTOR_FAIL, "%s: %s", what, strerror(errnum));
	if (errnum == ENOSPC)
		doctor_fix(ret, "sysctl -w user.max_user_namespaces=15000   "
				"(or namespaces are nested too deeply)");
	else
		doctor_fix(ret, "run kiln outside this container or chroot, or "
				"let it: podman run --security-opt "
				"seccomp=unconfined; what a security module "
				"refused: dmesg | grep -i denied");
}

void doctor_check_namespaces(const struct doctor *doctor,
			     struct doctor_finding *ret)
{
	struct outcome outcome = {0};
	int r = ask_child(&outcome);

	if (r < 0)
		doctor_say(ret, DOCTOR_FAIL, "could not try: %s", strerror(-r));
	else if (outcome.stage == DOCTOR_STAGE_DONE)
		doctor_say(ret, DOCTOR_OK, "made one and mounted in it");
	else
		doctor_explain_namespaces(doctor,
					  (enum doctor_stage)outcome.stage,
					  outcome.errnum, ret);
}
