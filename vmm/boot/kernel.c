/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wrong file is the commonest mistake of all, and "exec format error" helps
 * nobody: what else people have in /boot is told by its name.
 */
#include "boot/kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "boot/bzimage.h"
#include "boot/elf.h"
#include "boot/image.h"

#define HEAD_BYTES 1088 /* as far as the magic of ext4 */
#define TEXT_BYTES 64

struct signature {
	size_t offset;
	size_t len;
	const char *bytes;
};

#define SIGNATURE(offset_, bytes_)                                             \
	{                                                                      \
		offset_, sizeof(bytes_) - 1, bytes_                            \
	}

typedef int (*kernel_loader)(const struct guest_memory *,
			     const struct boot_image *,
			     const struct boot_places *, struct boot_kernel *,
			     struct err *);

static const struct {
	struct signature signature;
	kernel_loader load;
} loaders[] = {
	{SIGNATURE(0, "\177ELF"), boot_elf_load},
	{SIGNATURE(BZIMAGE_MAGIC_OFFSET, "HdrS"), boot_bzimage_load},
};

/* The first row that fits is told, so a container comes before what is common
 * inside it. */
static const struct {
	struct signature signature;
	const char *what;
} others[] = {
	{SIGNATURE(0x38, "ARM\x64"),
	 "an arm64 Image: an x86_64 kernel is needed"},
	{SIGNATURE(0x38, "RSC\x05"),
	 "a riscv Image: an x86_64 kernel is needed"},
	{SIGNATURE(0, "\x1f\x8b"), "a gzip file: unpack it first"},
	{SIGNATURE(0, "\xfd"
		      "7zXZ"),
	 "an xz file: unpack it first"},
	{SIGNATURE(0, "\x28\xb5\x2f\xfd"), "a zstd file: unpack it first"},
	{SIGNATURE(0, "BZh"), "a bzip2 file: unpack it first"},
	{SIGNATURE(0, "\x04\x22\x4d\x18"), "an lz4 file: unpack it first"},
	{SIGNATURE(0, "\x02\x21\x4c\x18"), "an lz4 file: unpack it first"},
	{SIGNATURE(0, "\x5d\0\0"), "an lzma file: unpack it first"},
	{SIGNATURE(0, "\x89LZO"), "an lzo file: unpack it first"},
	{SIGNATURE(0, "MZ"), "an EFI program without a Linux boot header"},
	{SIGNATURE(0, "070701"), "a cpio archive (an initrd?)"},
	{SIGNATURE(257, "ustar"), "a tar archive"},
	{SIGNATURE(0, "!<arch>"), "an ar archive or Debian package"},
	{SIGNATURE(0, "QFI\xfb"), "a qcow2 disk image"},
	{SIGNATURE(0, "hsqs"), "a squashfs file system"},
	{SIGNATURE(0x438, "\x53\xef"), "an ext4 file system"},
	{SIGNATURE(0, "#!"), "a script"},
};

struct head {
	uint8_t bytes[HEAD_BYTES];
	size_t len;
};

static bool head_has(const struct head *head, const struct signature *signature)
{
	return range_ok(signature->offset, signature->len, head->len) &&
	       memcmp(head->bytes + signature->offset, signature->bytes,
		      signature->len) == 0;
}

static bool head_is_text(const struct head *head)
{
	size_t len = head->len < TEXT_BYTES ? head->len : TEXT_BYTES;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = head->bytes[i];

		if ((c < ' ' || c > '~') && c != '\n' && c != '\t' && c != '\r')
			return false;
	}
	return true;
}

static int refuse(const struct head *head, struct err *err)
{
	const char *what = "none of the kernels known here: an x86_64 vmlinux "
			   "(ELF) or bzImage is needed";

	if (head_is_text(head))
		what = "a text file";
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (head_has(head, &others[i].signature)) {
			what = others[i].what;
			break;
		}
	return err_say(err, ENOEXEC, "this is %s", what);
}

static int load_by_content(const struct guest_memory *memory,
			   const struct boot_image *image,
			   const struct boot_places *places,
			   struct boot_kernel *ret_kernel, struct err *err)
{
	struct head head = {.len = image->size_bytes < HEAD_BYTES
					   ? (size_t)image->size_bytes
					   : HEAD_BYTES};
	int r = boot_image_read(image, 0, head.bytes, head.len, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(loaders); i++)
		if (head_has(&head, &loaders[i].signature))
			return loaders[i].load(memory, image, places,
					       ret_kernel, err);
	return refuse(&head, err);
}

int boot_load_kernel(const struct guest_memory *memory, int fd,
		     const struct boot_places *places,
		     struct boot_kernel *ret_kernel, struct err *err)
{
	struct boot_image image;
	int r = boot_image_open(fd, &image, err);

	if (r == 0)
		r = load_by_content(memory, &image, places, ret_kernel, err);
	if (r < 0)
		(void)err_in(err, "kernel");
	return r;
}
