/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/disk_sync.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/fd.h"

static int file_of(off_t size)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static struct disk *disk_of(int fd, bool read_only)
{
	struct disk *disk = NULL;
	struct err err = {0};

	if (disk_sync_create(fd, read_only, &disk, &err) < 0)
		fail_msg("%s", err.msg);
	return disk;
}

static int submit(struct disk *disk, enum disk_op op, uint64_t offset,
		  const struct iovec *iov, unsigned count)
{
	struct disk_request request = {
		.op = op, .iov = iov, .iov_count = count, .offset = offset};

	for (unsigned i = 0; i < count; i++)
		request.len += iov[i].iov_len;
	return disk_submit(disk, &request);
}

static void size_is_cut_to_whole_sectors(void **state)
{
	static const struct {
		off_t file;
		uint64_t disk;
	} rows[] = {{0, 0},     {1, 0},      {511, 0},
		    {512, 512}, {1023, 512}, {1048577, 1048576}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct disk *disk = disk_of(file_of(rows[i].file), false);

		assert_true(disk->size_bytes == rows[i].disk);
		disk_destroy(disk);
	}
}

static void what_is_written_is_read(void **state)
{
	struct disk *disk = disk_of(file_of(4096), false);
	char out[512], in[512];
	const struct iovec parts[] = {{out, 100}, {out + 100, 412}};
	const struct iovec whole = {in, 512};

	(void)state;
	memset(out, 'x', 100);
	memset(out + 100, 'y', 412);
	assert_int_equal(submit(disk, DISK_WRITE, 1024, parts, 2), 0);
	assert_int_equal(submit(disk, DISK_READ, 1024, &whole, 1), 0);
	assert_memory_equal(in, out, 512);
	assert_int_equal(submit(disk, DISK_READ, 1536, &whole, 1), 0);
	assert_int_equal(in[0], 0);
	assert_int_equal(submit(disk, DISK_WRITE_DURABLE, 0, parts, 2), 0);
	assert_int_equal(submit(disk, DISK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(submit(disk, DISK_READ, 4096, NULL, 0), 0);
	disk_commit(disk);
	disk_drain(disk);
	disk_destroy(disk);
	disk_destroy(NULL);
}

static void a_file_that_shrank_is_an_error_and_no_loop(void **state)
{
	int fd = file_of(4096);
	struct disk *disk = disk_of(fd, false);
	char in[1024];
	const struct iovec whole = {in, sizeof(in)};

	(void)state;
	assert_int_equal(ftruncate(fd, 512), 0);
	assert_int_equal(submit(disk, DISK_READ, 0, &whole, 1), -EIO);
	assert_int_equal(submit(disk, DISK_READ, 2048, &whole, 1), -EIO);
	disk_destroy(disk);
}

/* RLIMIT_FSIZE makes a regular write stop short, then fail: the way a full
 * disk does. */
static void a_short_write_goes_on_and_then_fails(void **state)
{
	char path[] = "/tmp/kiln-disk-test-XXXXXX";
	cleanup_fd int fd = mkstemp(path);
	struct disk *disk;
	struct rlimit old;
	struct rlimit limit;
	char out[2048], in[1536];
	const struct iovec parts[] = {{out, 512}, {out + 512, 1536}};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	disk = disk_of(dup(fd), false);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){1536, old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	memset(out, 'z', sizeof(out));
	int r = submit(disk, DISK_WRITE, 0, parts, 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(pread(fd, in, sizeof(in), 0), (ssize_t)sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
	disk_destroy(disk);
}

static char *pages(size_t len)
{
	char *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

/* The kernel moves 0x7ffff000 bytes a call at the most, so this read comes in
 * two, cut inside slice 254; the marks behind the cut land right only if the
 * rest was cut right. */
static void a_short_read_goes_on_where_it_stopped(void **state)
{
	static struct iovec iov[DISK_IOV_MAX];
	const size_t piece = 0x7ffff000 / 255 + 4096;
	const size_t end = 255 * piece;
	char mark[512] = "";
	int fd = file_of((off_t)end + 512);
	struct disk *disk = disk_of(fd, false);
	char *bulk = pages(piece);
	char *cut = pages(piece);

	(void)state;
	assert_int_equal(pwrite(fd, "edge!mark", 9, (off_t)end - 5), 9);
	for (size_t i = 0; i < ARRAY_LEN(iov); i++)
		iov[i] = (struct iovec){bulk, piece};
	iov[254] = (struct iovec){cut, piece};
	iov[255] = (struct iovec){mark, sizeof(mark)};
	assert_int_equal(submit(disk, DISK_READ, 0, iov, 256), 0);
	assert_memory_equal(cut + piece - 5, "edge!", 5);
	assert_string_equal(mark, "mark");
	assert_int_equal(munmap(bulk, piece), 0);
	assert_int_equal(munmap(cut, piece), 0);
	disk_destroy(disk);
}

static void writing_to_a_read_only_disk_fails(void **state)
{
	struct disk *disk = disk_of(file_of(512), true);
	char out[512] = "x";
	const struct iovec whole = {out, 512};

	(void)state;
	assert_true(disk->read_only);
	assert_int_equal(submit(disk, DISK_WRITE, 0, &whole, 1), -EROFS);
	assert_int_equal(submit(disk, DISK_WRITE_DURABLE, 0, &whole, 1),
			 -EROFS);
	assert_int_equal(submit(disk, DISK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(submit(disk, DISK_READ, 0, &whole, 1), 0);
	assert_int_equal(out[0], 0);
	disk_destroy(disk);
}

struct refuse_row {
	const char *path;
	int flags;
	bool read_only;
	int result;
	const char *message;
};

static const struct refuse_row refuse_rows[] = {
	{"/dev/null", O_RDWR, false, -ENOTBLK,
	 "disk: neither a regular file nor a block device"},
	{"/", O_RDONLY | O_DIRECTORY, true, -ENOTBLK,
	 "disk: neither a regular file nor a block device"},
	{"/proc/self/exe", O_RDONLY, false, -EBADF,
	 "disk: opened for reading only"},
	{"/proc/self/exe", O_PATH, true, -EBADF,
	 "disk: opened for its path only"},
};

static void what_cannot_be_a_disk_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refuse_rows); i++) {
		const struct refuse_row *row = &refuse_rows[i];
		cleanup_fd int fd = open(row->path, row->flags | O_CLOEXEC);
		struct disk *disk = NULL;
		struct err err = {0};

		assert_true(fd >= 0);
		assert_int_equal(
			disk_sync_create(fd, row->read_only, &disk, &err),
			row->result);
		assert_string_equal(err.msg, row->message);
		assert_true(fcntl(fd, F_GETFD) >= 0); /* still the caller's */
	}
}

static void a_write_only_descriptor_is_refused(void **state)
{
	char path[] = "/tmp/kiln-disk-test-XXXXXX";
	cleanup_fd int made = mkstemp(path);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct disk *disk = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_true(made >= 0 && fd >= 0);
	assert_int_equal(disk_sync_create(fd, true, &disk, &err), -EBADF);
	assert_string_equal(err.msg, "disk: opened for writing only");
}

static void the_id_names_the_inode(void **state)
{
	int fd = file_of(512);
	struct disk *disk = disk_of(fd, true);
	char want[64] = "";
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	(void)snprintf(want, sizeof(want), "%llu%llu%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_rdev,
		       (unsigned long long)st.st_ino);
	assert_memory_equal(disk->id, want, DISK_ID_BYTES);
	disk_destroy(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_is_cut_to_whole_sectors),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_file_that_shrank_is_an_error_and_no_loop),
		cmocka_unit_test(a_short_write_goes_on_and_then_fails),
		cmocka_unit_test(a_short_read_goes_on_where_it_stopped),
		cmocka_unit_test(writing_to_a_read_only_disk_fails),
		cmocka_unit_test(what_cannot_be_a_disk_is_refused),
		cmocka_unit_test(a_write_only_descriptor_is_refused),
		cmocka_unit_test(the_id_names_the_inode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
