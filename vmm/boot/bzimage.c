/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	0                (setup_sects + 1) * 512        + syssize * 16
 *	+----------------+------------------------------+-----------+
 *	| boot sector,   | 64-bit program, entered at   | signature |
 *	| setup header   | its load address + 0x200     | (if any)  |
 *	+----------------+------------------------------+-----------+
 *
 * The program unpacks the kernel around itself: from the start of its run
 * address it needs init_size bytes before it has read the memory map.
 *
 * Linux Documentation/x86/boot.rst, protocol 2.15.
 */
#include "boot/bzimage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include "base/array.h"
#include "base/le.h"
#include "boot/setup_header.h"

#define SECTOR_BYTES     512u
#define SETUP_SECTS_OLD  4u /* what 0 stands for */
#define PARAGRAPH_BYTES  16u
#define ENTRY_64_OFFSET  0x200u
#define KERNEL_ALIGN_MAX (UINT32_C(1) << 30)

struct bzimage {
	const struct boot_image *image;
	uint8_t header[SETUP_HEADER_MAX];
	size_t header_len;
	uint64_t program_offset;
	uint64_t program_bytes;
	uint64_t pref_address;
	uint32_t alignment;
	uint32_t init_size;
	bool relocatable;
};

static const void *field(const struct bzimage *bz, size_t offset)
{
	return &bz->header[offset - SETUP_HEADER_START];
}

static uint8_t field8(const struct bzimage *bz, size_t offset)
{
	return *(const uint8_t *)field(bz, offset);
}

static int check_protocol(const struct bzimage *bz, struct err *err)
{
	uint16_t version = le16_load(field(bz, SETUP_VERSION));

	if (le16_load(field(bz, SETUP_BOOT_FLAG)) != SETUP_BOOT_FLAG_VALUE ||
	    le32_load(field(bz, SETUP_HEADER_MAGIC)) != SETUP_MAGIC_VALUE)
		return err_say(err, ENOEXEC,
			       "the bzImage has a damaged boot sector");
	if (version < SETUP_VERSION_2_12)
		return err_say(
			err, ENOEXEC,
			"the bzImage has boot protocol %u.%02u: 2.12 is needed",
			version >> 8, version & 0xff);
	if (bz->header_len < SETUP_END_2_12 - SETUP_HEADER_START ||
	    bz->header_len > SETUP_HEADER_MAX)
		return err_say(err, ENOEXEC,
			       "the bzImage has a setup header of %zu bytes",
			       bz->header_len);
	if (!(le16_load(field(bz, SETUP_XLOADFLAGS)) & SETUP_XLF_KERNEL_64))
		return err_say(err, ENOEXEC,
			       "the bzImage has no 64-bit entry point (is it a "
			       "32-bit kernel?)");
	if (!(field8(bz, SETUP_LOADFLAGS) & SETUP_LOADED_HIGH))
		return err_say(err, ENOEXEC,
			       "this is a zImage, made to be loaded low: a "
			       "bzImage is needed");
	return 0;
}

static int find_program(struct bzimage *bz, struct err *err)
{
	uint8_t sects = field8(bz, SETUP_SETUP_SECTS);

	bz->program_offset =
		((sects ? sects : SETUP_SECTS_OLD) + 1) * SECTOR_BYTES;
	bz->program_bytes =
		(uint64_t)le32_load(field(bz, SETUP_SYSSIZE)) * PARAGRAPH_BYTES;
	if (bz->program_bytes <= ENTRY_64_OFFSET)
		return err_say(err, ENOEXEC,
			       "the bzImage has only %" PRIu64
			       " bytes of program",
			       bz->program_bytes);
	if (!range_ok(bz->program_offset, bz->program_bytes,
		      bz->image->size_bytes))
		return err_say(err, ENOEXEC,
			       "the file is truncated: a bzImage of %" PRIu64
			       " bytes, %" PRIu64 " are there",
			       bz->program_offset + bz->program_bytes,
			       bz->image->size_bytes);
	return 0;
}

static int read_alignment(struct bzimage *bz, struct err *err)
{
	uint32_t align = le32_load(field(bz, SETUP_KERNEL_ALIGNMENT));

	bz->relocatable = field8(bz, SETUP_RELOCATABLE_KERNEL) != 0;
	bz->pref_address = le64_load(field(bz, SETUP_PREF_ADDRESS));
	bz->init_size = le32_load(field(bz, SETUP_INIT_SIZE));
	bz->alignment = bz->relocatable ? align : 1;
	if (bz->alignment == 0 || bz->alignment > KERNEL_ALIGN_MAX ||
	    (bz->alignment & (bz->alignment - 1)) != 0)
		return err_say(err, ENOEXEC,
			       "the bzImage wants an alignment of %#" PRIx32,
			       align);
	return 0;
}

static int read_header(struct bzimage *bz, struct err *err)
{
	int r = boot_image_read(bz->image, SETUP_HEADER_START, bz->header,
				sizeof(bz->header), err);

	if (r < 0)
		return r;
	bz->header_len = SETUP_HEADER_MAGIC + field8(bz, SETUP_JUMP_LENGTH) -
			 SETUP_HEADER_START;
	r = check_protocol(bz, err);
	if (r == 0)
		r = find_program(bz, err);
	return r == 0 ? read_alignment(bz, err) : r;
}

/* First address past all that a kernel at load uses; load < 2^63. */
static gpa_t end_at(const struct bzimage *bz, gpa_t load)
{
	gpa_t program_end = load + bz->program_bytes;
	gpa_t run_end = align_up(load, bz->alignment) + bz->init_size;

	return run_end > program_end ? run_end : program_end;
}

static bool fits_at(const struct bzimage *bz, gpa_t load,
		    const struct guest_memory *memory,
		    const struct boot_places *places)
{
	void *host;

	return load >= places->kernel_min && load < places->mapped_end &&
	       end_at(bz, load) <= places->mapped_end &&
	       guest_slice(memory, load, end_at(bz, load) - load, &host) == 0;
}

static int choose_load_address(const struct bzimage *bz,
			       const struct guest_memory *memory,
			       const struct boot_places *places,
			       gpa_t *ret_load, struct err *err)
{
	gpa_t lowest = align_up(places->kernel_min, bz->alignment);

	if (fits_at(bz, bz->pref_address, memory, places))
		*ret_load = bz->pref_address;
	else if (bz->relocatable && fits_at(bz, lowest, memory, places))
		*ret_load = lowest;
	else
		return err_say(err, ENOMEM,
			       "the kernel needs %" PRIu64 " KiB at %#" PRIx64
			       "%s: the guest has %" PRIu64 " KiB",
			       (end_at(bz, lowest) - lowest) >> 10,
			       bz->pref_address,
			       bz->relocatable ? " or lower" : "",
			       guest_memory_size(memory) >> 10);
	return 0;
}

static void describe(const struct bzimage *bz, gpa_t load,
		     struct boot_kernel *ret_kernel)
{
	*ret_kernel = (struct boot_kernel){
		.protocol = BOOT_LINUX64,
		.entry = load + ENTRY_64_OFFSET,
		.start = load,
		.end = end_at(bz, load),
		.initrd_end_max = UINT64_C(1) +
				  le32_load(field(bz, SETUP_INITRD_ADDR_MAX)),
		.setup_header_len = bz->header_len,
	};
	memcpy(ret_kernel->setup_header, bz->header, bz->header_len);
}

int boot_bzimage_load(const struct guest_memory *memory,
		      const struct boot_image *image,
		      const struct boot_places *places,
		      struct boot_kernel *ret_kernel, struct err *err)
{
	struct bzimage bz = {.image = image};
	gpa_t load = 0;
	int r = read_header(&bz, err);

	if (r == 0)
		r = choose_load_address(&bz, memory, places, &load, err);
	if (r == 0)
		r = boot_image_load(image, bz.program_offset, bz.program_bytes,
				    memory, load, err);
	if (r == 0)
		describe(&bz, load, ret_kernel);
	return r;
}
