/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The high end is the place that everybody keeps clear: a kernel that unpacks
 * or moves itself works upwards from its load address.
 */
#include "boot/initrd.h"

#include <errno.h>
#include <inttypes.h>

#include "base/array.h"
#include "boot/image.h"

#define PAGE_BYTES UINT64_C(4096)

static gpa_t highest_end(const struct guest_memory *memory,
			 const struct boot_kernel *kernel)
{
	gpa_t end = 0;

	if (memory->region_count > 0)
		end = memory->regions[0].base + memory->regions[0].size_bytes;
	return kernel->initrd_end_max < end ? kernel->initrd_end_max : end;
}

/* The first byte an initrd may use when it lies below end. */
static gpa_t lowest_start(const struct boot_places *places,
			  const struct boot_kernel *kernel, gpa_t end)
{
	return kernel->start < end && kernel->end > places->kernel_min
		       ? kernel->end
		       : places->kernel_min;
}

static int choose_start(const struct guest_memory *memory,
			const struct boot_places *places,
			const struct boot_kernel *kernel, uint64_t size_bytes,
			gpa_t *ret_start, struct err *err)
{
	gpa_t end = highest_end(memory, kernel);
	gpa_t low = lowest_start(places, kernel, end);
	uint64_t room = end > low ? end - low : 0;
	gpa_t start;

	if (size_bytes > room)
		goto no_room;
	start = (end - size_bytes) & ~(PAGE_BYTES - 1);
	if (start < low)
		goto no_room;
	*ret_start = start;
	return 0;
no_room:
	return err_say(err, ENOMEM,
		       "%" PRIu64 " bytes do not fit: the guest has %" PRIu64
		       " MiB of memory, %" PRIu64
		       " bytes of it free beside the kernel",
		       size_bytes, guest_memory_size(memory) >> 20, room);
}

int boot_load_initrd(const struct guest_memory *memory, int fd,
		     const struct boot_places *places,
		     const struct boot_kernel *kernel,
		     struct boot_initrd *ret_initrd, struct err *err)
{
	struct boot_image image;
	gpa_t start = 0;
	int r = boot_image_open(fd, &image, err);

	if (r == 0)
		r = choose_start(memory, places, kernel, image.size_bytes,
				 &start, err);
	if (r == 0)
		r = boot_image_load(&image, 0, image.size_bytes, memory, start,
				    err);
	if (r < 0) {
		(void)err_in(err, "initrd");
		return r;
	}
	*ret_initrd = (struct boot_initrd){.start = start,
					   .size_bytes = image.size_bytes};
	return 0;
}
