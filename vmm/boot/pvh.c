/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts: Xen public/arch-x86/hvm/start_info.h, version 1. */
#include "boot/pvh.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include "base/le.h"
#include "boot/e820.h"

#define START_INFO_BYTES          56
#define START_INFO_MAGIC          0  /* u32 */
#define START_INFO_VERSION        4  /* u32 */
#define START_INFO_NR_MODULES     12 /* u32 */
#define START_INFO_MODLIST        16 /* u64 */
#define START_INFO_CMDLINE        24 /* u64 */
#define START_INFO_RSDP           32 /* u64 */
#define START_INFO_MEMMAP         40 /* u64 */
#define START_INFO_MEMMAP_ENTRIES 48 /* u32 */

#define START_INFO_MAGIC_VALUE 0x336ec578u

#define MODULE_BYTES 32
#define MODULE_PADDR 0 /* u64 */
#define MODULE_SIZE  8 /* u64 */

#define MEMMAP_BYTES 24
#define MEMMAP_ADDR  0  /* u64 */
#define MEMMAP_SIZE  8  /* u64 */
#define MEMMAP_TYPE  16 /* u32 */

static int put(const struct guest_memory *memory, gpa_t gpa,
	       const uint8_t *data, size_t len, struct err *err)
{
	if (guest_write(memory, gpa, data, len) < 0)
		return err_say(err, ENOMEM,
			       "PVH start information: no RAM at %#" PRIx64,
			       gpa);
	return 0;
}

static int write_memmap(const struct guest_memory *memory, gpa_t gpa,
			const struct e820_map *map, struct err *err)
{
	uint8_t entries[E820_MAX * MEMMAP_BYTES] = {0};

	for (unsigned i = 0; i < map->count; i++) {
		uint8_t *at = entries + i * (size_t)MEMMAP_BYTES;

		le64_store(at + MEMMAP_ADDR, map->ranges[i].base);
		le64_store(at + MEMMAP_SIZE, map->ranges[i].size_bytes);
		le32_store(at + MEMMAP_TYPE, map->ranges[i].type);
	}
	return put(memory, gpa, entries, map->count * (size_t)MEMMAP_BYTES,
		   err);
}

static int write_modlist(const struct guest_memory *memory, gpa_t gpa,
			 const struct boot_initrd *initrd, struct err *err)
{
	uint8_t module[MODULE_BYTES] = {0};

	le64_store(module + MODULE_PADDR, initrd->start);
	le64_store(module + MODULE_SIZE, initrd->size_bytes);
	return put(memory, gpa, module, sizeof(module), err);
}

static int write_start_info(const struct guest_memory *memory,
			    const struct boot_places *places, bool has_module,
			    unsigned memmap_entries, struct err *err)
{
	uint8_t info[START_INFO_BYTES] = {0};

	le32_store(info + START_INFO_MAGIC, START_INFO_MAGIC_VALUE);
	le32_store(info + START_INFO_VERSION, 1);
	if (has_module) {
		le32_store(info + START_INFO_NR_MODULES, 1);
		le64_store(info + START_INFO_MODLIST, places->pvh_modlist);
	}
	le64_store(info + START_INFO_CMDLINE, places->cmdline);
	le64_store(info + START_INFO_RSDP, places->rsdp);
	le64_store(info + START_INFO_MEMMAP, places->pvh_memmap);
	le32_store(info + START_INFO_MEMMAP_ENTRIES, memmap_entries);
	return put(memory, places->pvh_start_info, info, sizeof(info), err);
}

int boot_pvh_write(const struct guest_memory *memory,
		   const struct boot_places *places,
		   const struct boot_initrd *initrd, struct err *err)
{
	bool has_module = initrd->size_bytes > 0;
	struct e820_map map;
	int r = boot_e820_build(memory, places, &map, err);

	if (r == 0)
		r = write_memmap(memory, places->pvh_memmap, &map, err);
	if (r == 0 && has_module)
		r = write_modlist(memory, places->pvh_modlist, initrd, err);
	if (r == 0)
		r = write_start_info(memory, places, has_module, map.count,
				     err);
	return r;
}
