/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory - guest RAM, and the only ways into it. Each takes a length and
 * checks it; there is no unchecked variant.
 *
 * RAM is one or two ranges: [0, 3 GiB) and, what is more, from 4 GiB on.
 * A range that touches a byte that is not RAM is refused whole.
 */
#ifndef KILN_CORE_MEMORY_H
#define KILN_CORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "launch/machine.h"

typedef uint64_t gpa_t;

#define MEMORY_REGIONS_MAX 2

struct memory_region {
	gpa_t base;
	uint64_t size_bytes;
	uint8_t *host;
};

struct guest_memory {
	struct memory_region regions[MEMORY_REGIONS_MAX];
	unsigned region_count;
};

/* Where RAM may lie; one table per architecture (arch.h). */
struct memory_range {
	gpa_t base;
	uint64_t size_bytes;
};

/*
 * guest_memory_create - map size_bytes of RAM into the ranges, in order.
 * Private, zeroed, not reserved (huge pages are). Gives *ret_memory to guest_memory_destroy().
 */
int guest_memory_create(uint64_t size_bytes, enum machine_pages pages,
			const struct memory_range *ranges, size_t range_count,
			struct guest_memory *ret_memory, struct err *err);
void guest_memory_destroy(struct guest_memory *memory); /* accepts NULL */

/*
 * guest_slice - host view of [gpa, gpa + len): all of it or nothing.
 * Return: 0; -EFAULT when any byte is not RAM or len is 0. Borrowed until
 * guest_memory_destroy(). The guest may change the bytes at any time: copy
 * what must be checked. Thread: any.
 */
int guest_slice(const struct guest_memory *memory, gpa_t gpa, size_t len,
		void **ret_host);

/* guest_read, guest_write - copy; 0 or -EFAULT. len 0 is 0. Thread: any. */
int guest_read(const struct guest_memory *memory, gpa_t gpa, void *data,
	       size_t len);
int guest_write(const struct guest_memory *memory, gpa_t gpa, const void *data,
		size_t len);

/* guest_read_file - pread len bytes at offset of fd straight into RAM.
 * Return: 0; -EFAULT; -EPIPE the file is shorter; -errno of pread. */
int guest_read_file(const struct guest_memory *memory, gpa_t gpa, int fd,
		    uint64_t offset, uint64_t len);

uint64_t guest_memory_size(const struct guest_memory *memory);

#endif
