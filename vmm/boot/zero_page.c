/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bzImage brings its setup header, which is copied and completed; for an ELF
 * kernel one is made up with what Linux looks at after the boot loader.
 *
 * Linux Documentation/x86/boot.rst and zero-page.rst, protocol 2.15.
 */
#include "boot/zero_page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "base/le.h"
#include "boot/e820.h"
#include "boot/setup_header.h"

#define ZERO_PAGE_BYTES 4096

#define ZERO_ACPI_RSDP_ADDR 0x070 /* u64 */
#define ZERO_E820_ENTRIES   0x1e8 /* u8 */
#define ZERO_E820_TABLE     0x2d0
#define ZERO_E820_BYTES     20 /* u64 base, u64 size, u32 type */

#define ELF_KERNEL_ALIGNMENT 0x1000000

/* struct setup_data: u64 next, u32 type, u32 length, bytes */
#define SETUP_DATA_TYPE   8
#define SETUP_DATA_LEN    12
#define SETUP_DATA_HEADER 16
#define SETUP_RNG_SEED    9
#define SEED_BYTES        32

static void put_e820(uint8_t *page, const struct e820_map *map)
{
	uint8_t *at = page + ZERO_E820_TABLE;

	page[ZERO_E820_ENTRIES] = (uint8_t)map->count;
	for (unsigned i = 0; i < map->count; i++, at += ZERO_E820_BYTES) {
		le64_store(at, map->ranges[i].base);
		le64_store(at + 8, map->ranges[i].size_bytes);
		le32_store(at + 16, map->ranges[i].type);
	}
}

static void put_elf_header(uint8_t *page, const struct boot_cmdline *cmdline)
{
	le16_store(page + SETUP_BOOT_FLAG, SETUP_BOOT_FLAG_VALUE);
	le32_store(page + SETUP_HEADER_MAGIC, SETUP_MAGIC_VALUE);
	le16_store(page + SETUP_VERSION, SETUP_VERSION_2_12);
	page[SETUP_LOADFLAGS] = SETUP_LOADED_HIGH;
	le32_store(page + SETUP_KERNEL_ALIGNMENT, ELF_KERNEL_ALIGNMENT);
	le32_store(page + SETUP_CMDLINE_SIZE, (uint32_t)cmdline->len);
}

/* A kernel cuts a line that is longer than it takes without a word. */
static int check_cmdline(const uint8_t *page,
			 const struct boot_cmdline *cmdline, struct err *err)
{
	uint32_t max = le32_load(page + SETUP_CMDLINE_SIZE);

	if (cmdline->len <= max)
		return 0;
	return err_say(err, E2BIG,
		       "kernel command line: %zu bytes: this kernel takes "
		       "%" PRIu32 " at the most",
		       cmdline->len, max);
}

static int put_setup_header(uint8_t *page, const struct boot_kernel *kernel,
			    const struct boot_cmdline *cmdline, struct err *err)
{
	if (kernel->setup_header_len == 0)
		put_elf_header(page, cmdline);
	else
		memcpy(page + SETUP_HEADER_START, kernel->setup_header,
		       kernel->setup_header_len);
	return check_cmdline(page, cmdline, err);
}

static void put_pointers(uint8_t *page, const struct boot_places *places,
			 const struct boot_initrd *initrd)
{
	page[SETUP_TYPE_OF_LOADER] = SETUP_LOADER_UNREGISTERED;
	le32_store(page + SETUP_CMD_LINE_PTR, (uint32_t)places->cmdline);
	le32_store(page + SETUP_RAMDISK_IMAGE, (uint32_t)initrd->start);
	le32_store(page + SETUP_RAMDISK_SIZE, (uint32_t)initrd->size_bytes);
	le64_store(page + SETUP_SETUP_DATA, places->setup_data);
	le64_store(page + ZERO_ACPI_RSDP_ADDR, places->rsdp);
}

/* Without a seed, a guest whose CPU has no RDRAND waits for entropy. */
static int write_seed(const struct guest_memory *memory, gpa_t gpa,
		      struct err *err)
{
	uint8_t node[SETUP_DATA_HEADER + SEED_BYTES] = {0};
	int r;

	le32_store(node + SETUP_DATA_TYPE, SETUP_RNG_SEED);
	le32_store(node + SETUP_DATA_LEN, SEED_BYTES);
	/* up to 256 bytes come whole or not at all: random(4) */
	if (getrandom(node + SETUP_DATA_HEADER, SEED_BYTES, 0) != SEED_BYTES)
		return err_set(err, errno, "random seed: getrandom");
	r = guest_write(memory, gpa, node, sizeof(node));
	explicit_bzero(node, sizeof(node));
	if (r < 0)
		return err_say(err, ENOMEM, "random seed: no RAM at %#" PRIx64,
			       gpa);
	return 0;
}

int boot_zero_page_write(const struct guest_memory *memory,
			 const struct boot_places *places,
			 const struct boot_kernel *kernel,
			 const struct boot_initrd *initrd,
			 const struct boot_cmdline *cmdline, struct err *err)
{
	uint8_t page[ZERO_PAGE_BYTES] = {0};
	struct e820_map map;
	int r = boot_e820_build(memory, places, &map, err);

	if (r == 0)
		r = put_setup_header(page, kernel, cmdline, err);
	if (r == 0)
		r = write_seed(memory, places->setup_data, err);
	if (r < 0)
		return r;
	put_pointers(page, places, initrd);
	put_e820(page, &map);
	if (guest_write(memory, places->zero_page, page, sizeof(page)) < 0)
		return err_say(err, ENOMEM, "zero page: no RAM at %#" PRIx64,
			       places->zero_page);
	return 0;
}
