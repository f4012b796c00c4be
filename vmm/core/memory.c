/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"

#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

/*
 * KVM can back guest memory with 2 MiB pages only where host and guest address
 * agree modulo 2 MiB, so the mapping is placed on such a boundary: reserve more,
 * give back the ends.
 */
static int map_aligned(uint64_t size_bytes, int flags, uint8_t **ret_host)
{
	size_t reserve = size_bytes + HUGE_PAGE_BYTES;
	uint8_t *from =
		mmap(NULL, reserve, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *host;
	size_t head;

	if (from == MAP_FAILED)
		return -errno;
	head = align_up((uintptr_t)from, HUGE_PAGE_BYTES) - (uintptr_t)from;
	host = mmap(from + head, size_bytes, PROT_READ | PROT_WRITE,
		    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (host == MAP_FAILED) {
		int r = -errno;

		(void)munmap(from, reserve);
		return r;
	}
	if (head > 0)
		(void)munmap(from, head);
	(void)munmap(host + size_bytes, reserve - head - size_bytes);
	*ret_host = host;
	return 0;
}

static int map_region(struct memory_region *region, enum machine_pages pages,
		      struct err *err)
{
	/* Huge pages are reserved: too few is an error here, a SIGBUS later. */
	int flags = pages == PAGES_HUGE ? MAP_HUGETLB | (21 << MAP_HUGE_SHIFT)
					: MAP_NORESERVE;
	int r = map_aligned(region->size_bytes, flags, &region->host);

	if (r < 0)
		return err_set(err, -r, "map %llu MiB of guest memory",
			       (unsigned long long)region->size_bytes >> 20);
	if (pages == PAGES_TRANSPARENT)
		(void)madvise(region->host, region->size_bytes, MADV_HUGEPAGE);
	(void)madvise(region->host, region->size_bytes, MADV_DONTDUMP);
	return 0;
}

int guest_memory_create(uint64_t size_bytes, enum machine_pages pages,
			const struct memory_range *ranges, size_t range_count,
			struct guest_memory *ret_memory, struct err *err)
{
	struct guest_memory memory = {.region_count = 0};

	for (size_t i = 0; i < range_count && size_bytes > 0; i++) {
		struct memory_region *region = &memory.regions[i];
		uint64_t here = size_bytes < ranges[i].size_bytes
					? size_bytes
					: ranges[i].size_bytes;

		*region = (struct memory_region){.base = ranges[i].base,
						 .size_bytes = here};
		int r = map_region(region, pages, err);
		if (r < 0) {
			guest_memory_destroy(&memory);
			return r;
		}
		memory.region_count++;
		size_bytes -= here;
	}
	if (size_bytes > 0) {
		guest_memory_destroy(&memory);
		return err_say(
			err, E2BIG,
			"guest memory: %llu MiB more than the board has room for",
			(unsigned long long)size_bytes >> 20);
	}
	*ret_memory = memory;
	return 0;
}

void guest_memory_destroy(struct guest_memory *memory)
{
	if (memory == NULL)
		return;
	for (unsigned i = 0; i < memory->region_count; i++)
		(void)munmap(memory->regions[i].host,
			     memory->regions[i].size_bytes);
	memory->region_count = 0;
}

int guest_slice(const struct guest_memory *memory, gpa_t gpa, size_t len,
		void **ret_host)
{
	for (unsigned i = 0; i < memory->region_count; i++) {
		const struct memory_region *region = &memory->regions[i];

		if (len > 0 && gpa >= region->base &&
		    range_ok(gpa - region->base, len, region->size_bytes)) {
			*ret_host = region->host + (gpa - region->base);
			return 0;
		}
	}
	return -EFAULT;
}

int guest_read(const struct guest_memory *memory, gpa_t gpa, void *data,
	       size_t len)
{
	void *host;

	if (len == 0)
		return 0;
	if (guest_slice(memory, gpa, len, &host) < 0)
		return -EFAULT;
	memcpy(data, host, len);
	return 0;
}

int guest_write(const struct guest_memory *memory, gpa_t gpa, const void *data,
		size_t len)
{
	void *host;

	if (len == 0)
		return 0;
	if (guest_slice(memory, gpa, len, &host) < 0)
		return -EFAULT;
	memcpy(host, data, len);
	return 0;
}

int guest_read_file(const struct guest_memory *memory, gpa_t gpa, int fd,
		    uint64_t offset, uint64_t len)
{
	void *host;
	char *at;

	if (len == 0)
		return 0;
	if (guest_slice(memory, gpa, len, &host) < 0)
		return -EFAULT;
	for (at = host; len > 0;) {
		ssize_t n = pread(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EPIPE;
		at += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

uint64_t guest_memory_size(const struct guest_memory *memory)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < memory->region_count; i++)
		total += memory->regions[i].size_bytes;
	return total;
}
