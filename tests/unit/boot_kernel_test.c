/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/array.h"
#include "boot/kernel.h"

static void refused(int fd, int code, const char *message)
{
	struct guest_memory memory = ram_create(16 * MIB);
	struct boot_kernel kernel;
	struct err err = {0};

	assert_int_equal(
		boot_load_kernel(&memory, fd, &test_places, &kernel, &err),
		code);
	assert_string_equal(err.msg, message);
	guest_memory_destroy(&memory);
}

#define BYTES(offset_, bytes_, what_)                                          \
	{                                                                      \
		offset_, bytes_, sizeof(bytes_) - 1, "kernel: this is " what_  \
	}

/* Files as people name them by mistake: magic bytes in 2 KiB of 0xee. */
static const struct {
	size_t offset;
	const char *bytes;
	size_t len;
	const char *message;
} files[] = {
	BYTES(0, "\x1f\x8b\x08", "a gzip file: unpack it first"),
	BYTES(0,
	      "\xfd"
	      "7zXZ\0",
	      "an xz file: unpack it first"),
	BYTES(0, "\x28\xb5\x2f\xfd", "a zstd file: unpack it first"),
	BYTES(0, "BZh9", "a bzip2 file: unpack it first"),
	BYTES(0, "\x04\x22\x4d\x18", "an lz4 file: unpack it first"),
	BYTES(0, "\x02\x21\x4c\x18", "an lz4 file: unpack it first"),
	BYTES(0, "\x5d\0\0\x80", "an lzma file: unpack it first"),
	BYTES(0, "\x89LZO", "an lzo file: unpack it first"),
	BYTES(0x38, "ARM\x64", "an arm64 Image: an x86_64 kernel is needed"),
	BYTES(0x38, "RSC\x05", "a riscv Image: an x86_64 kernel is needed"),
	BYTES(0, "MZ", "an EFI program without a Linux boot header"),
	BYTES(0, "070701", "a cpio archive (an initrd?)"),
	BYTES(257, "ustar", "a tar archive"),
	BYTES(0, "!<arch>\n", "an ar archive or Debian package"),
	BYTES(0, "QFI\xfb", "a qcow2 disk image"),
	BYTES(0, "hsqs", "a squashfs file system"),
	BYTES(0x438, "\x53\xef", "an ext4 file system"),
	BYTES(0, "#!/bin/sh", "a script"),
	BYTES(0, "\xee",
	      "none of the kernels known here: an x86_64 vmlinux (ELF) or "
	      "bzImage is needed"),
};

static void other_files_are_told_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		uint8_t bytes[2048];
		int fd;

		memset(bytes, 0xee, sizeof(bytes));
		memcpy(bytes + files[i].offset, files[i].bytes, files[i].len);
		fd = file_of(bytes, sizeof(bytes));
		refused(fd, -ENOEXEC, files[i].message);
		close(fd);
	}
}

static void text_is_told(void **state)
{
	int fd = file_of("[machine]\r\n\tvcpus = 2\n", 22);

	(void)state;
	refused(fd, -ENOEXEC, "kernel: this is a text file");
	close(fd);
	fd = file_of("x", 1);
	refused(fd, -ENOEXEC, "kernel: this is a text file");
	close(fd);
}

static void an_empty_file_is_told(void **state)
{
	int fd = file_of("", 0);

	(void)state;
	refused(fd, -ENOEXEC, "kernel: the file is empty");
	close(fd);
}

static void only_regular_files_are_read(void **state)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fifo[2];
	int sockets[2];

	(void)state;
	assert_int_equal(pipe2(fifo, O_CLOEXEC), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	refused(directory, -EINVAL,
		"kernel: this is a directory: a regular file is needed");
	refused(fifo[0], -EINVAL,
		"kernel: this is a FIFO: a regular file is needed");
	refused(sockets[0], -EINVAL,
		"kernel: this is a socket: a regular file is needed");
	refused(null, -EINVAL,
		"kernel: this is a character device: a regular file is needed");
	refused(-1, -EBADF, "kernel: fstat: Bad file descriptor");
	close(directory);
	close(null);
	close(fifo[0]);
	close(fifo[1]);
	close(sockets[0]);
	close(sockets[1]);
}

static void an_unreadable_file_is_told(void **state)
{
	int fd = file_of("\177ELF", 4);
	char path[64];
	int write_only;

	(void)state;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	write_only = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(write_only >= 0);
	refused(write_only, -EBADF, "kernel: read: Bad file descriptor");
	close(write_only);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_files_are_told_by_name),
		cmocka_unit_test(text_is_told),
		cmocka_unit_test(an_empty_file_is_told),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(an_unreadable_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
