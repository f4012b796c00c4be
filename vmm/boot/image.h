/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image - a file that goes into guest memory: a kernel or an initrd. It is read
 * with pread alone, never mapped: somebody may cut it short while it is read,
 * and that must be an error, not a signal.
 */
#ifndef KILN_BOOT_IMAGE_H
#define KILN_BOOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/memory.h"

struct boot_image {
	int fd; /* borrowed */
	uint64_t size_bytes;
};

/* boot_image_open - take fd as an image: a regular file that is not empty.
 * Anything else is refused by what it is ("a directory"). */
int boot_image_open(int fd, struct boot_image *ret_image, struct err *err);

/* boot_image_read - len bytes at offset, or an error that says which bytes a
 * cut file lacks. */
int boot_image_read(const struct boot_image *image, uint64_t offset, void *data,
		    size_t len, struct err *err);

/* boot_image_load - as boot_image_read, straight into guest RAM. */
int boot_image_load(const struct boot_image *image, uint64_t offset,
		    uint64_t len, const struct guest_memory *memory, gpa_t gpa,
		    struct err *err);

#endif
