/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd - file descriptors with one owner. -1 is "none"; every descriptor is
 * O_CLOEXEC. Functions return 0 or -errno. Thread: any.
 */
#ifndef KILN_BASE_FD_H
#define KILN_BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* Closes at the end of scope: cleanup_fd int fd = open(...); */
#define cleanup_fd __attribute__((cleanup(fd_cleanup)))

/* fd_close - close and forget; accepts -1. */
void fd_close(int *fd);
void fd_cleanup(const int *fd);

/* fd_steal - take the descriptor out of its cleanup variable. */
static inline int fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Move exactly len bytes or fail; -EPIPE on an early end of file. */
int fd_read_full(int fd, void *data, size_t len);
int fd_write_full(int fd, const void *data, size_t len);
int fd_pread_full(int fd, void *data, size_t len, uint64_t offset);

/*
 * fd_ioctl - ioctl(2) with one signature on every libc (they differ in the
 * type of the request). Return: what the call gave, or -errno.
 */
int fd_ioctl(int fd, unsigned long request, void *arg);
int fd_ioctl_number(int fd, unsigned long request, unsigned long arg);

int fd_set_nonblocking(int fd);
int fd_set_cloexec(int fd);

#endif
