/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMM's program: found at plan time, held by an O_PATH descriptor that the
 * child executes. There is nothing in the jail to load a library or an
 * interpreter from, so a program that wants one is refused here, where the
 * error can say so.
 */
#include "jailer/steps.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/fd.h"
#include "launch/exit_status.h"

#define VMM_NAME         "kiln-vmm"
#define VMM_ENVIRONMENT  "KILN_VMM"
#define ELF_SEGMENTS_MAX 64

/* Where it may lie, seen from the directory of kiln itself. */
static const char *const vmm_places[] = {
	"",
	"../libexec/kiln/",
	"../lib/kiln/",
};

/* Directory of this program with its slash; -errno. */
static int own_directory(char *out, size_t size_bytes)
{
	ssize_t n = readlink("/proc/self/exe", out, size_bytes - 1);

	if (n < 0)
		return -errno;
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (slash == NULL || (size_t)n + 1 >= size_bytes)
		return -ENOENT;
	slash[1] = '\0';
	return 0;
}

static int search_vmm(struct plan *plan, struct err *err)
{
	char directory[PATH_MAX / 2];
	int r = own_directory(directory, sizeof(directory));

	if (r < 0)
		return err_set(err, -r, "find the directory of kiln");
	for (size_t i = 0; i < ARRAY_LEN(vmm_places); i++) {
		(void)snprintf(plan->vmm_path, sizeof(plan->vmm_path),
			       "%s%s" VMM_NAME, directory, vmm_places[i]);
		if (access(plan->vmm_path, F_OK) == 0)
			return 0;
	}
	return err_say(err, ENOENT,
		       "no " VMM_NAME " beside kiln (%s), nor in "
		       "../libexec/kiln or ../lib/kiln; use --vmm PATH",
		       directory);
}

static int vmm_plan(struct plan *plan, struct err *err)
{
	const char *path = plan->vmm_option;

	if (path == NULL)
		path = getenv(VMM_ENVIRONMENT);
	if (path == NULL)
		return search_vmm(plan, err);
	if (strlen(path) >= sizeof(plan->vmm_path))
		return err_say(err, ENAMETOOLONG, "path of the VMM too long");
	(void)snprintf(plan->vmm_path, sizeof(plan->vmm_path), "%s", path);
	return 0;
}

/* ELF-64, System V gABI: no PT_INTERP means no loader is asked for. */
static int check_elf(int fd, const char *path, struct err *err)
{
	Elf64_Phdr segments[ELF_SEGMENTS_MAX];
	Elf64_Ehdr header;

	if (fd_pread_full(fd, &header, sizeof(header), 0) < 0 ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_phentsize != sizeof(Elf64_Phdr) ||
	    header.e_phnum > ELF_SEGMENTS_MAX)
		return err_say(err, ENOEXEC, "'%s' is not a 64-bit ELF program",
			       path);
	if (fd_pread_full(fd, segments, header.e_phnum * sizeof(Elf64_Phdr),
			  header.e_phoff) < 0)
		return err_say(err, ENOEXEC, "'%s' is cut short", path);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		if (segments[i].p_type == PT_INTERP)
			return err_say(err, ENOEXEC,
				       "'%s' is not static: the jail has no "
				       "loader for it",
				       path);
	}
	return 0;
}

/* A file that others can write could be another program by now. */
static int check_owner(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_say(err, ENOEXEC, "'%s' is not a regular file",
			       path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & S_IWOTH) != 0)
		return err_say(err, ENOEXEC,
			       "'%s' can be changed by others: it must belong "
			       "to root or the caller, and not be "
			       "world-writable",
			       path);
	return 0;
}

static int vmm_apply(struct jail *jail, struct err *err)
{
	const char *path = jail->plan->vmm_path;
	char self[32];
	int r;

	jail->vmm_fd = open(path, O_PATH | O_CLOEXEC);
	if (jail->vmm_fd < 0)
		return err_set(err, errno, "open the VMM '%s'", path);
	r = check_owner(jail->vmm_fd, path, err);
	if (r < 0)
		return r;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", jail->vmm_fd);
	cleanup_fd int fd = open(self, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return 0; /* execute-only; execveat() has the last word */
	if (fd < 0)
		return err_set(err, errno, "read the VMM '%s'", path);
	return check_elf(fd, path, err);
}

static void vmm_describe(const struct plan *plan, struct buf *out)
{
	buf_printf(out,
		   "hold the VMM '%s' by descriptor, check that it is static\n",
		   plan->vmm_path);
}

const struct jail_step step_vmm = {
	.name = "vmm",
	.status = EXIT_STATUS_EXEC,
	.plan = vmm_plan,
	.apply = vmm_apply,
	.describe = vmm_describe,
};
