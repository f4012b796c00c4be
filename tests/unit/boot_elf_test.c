/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <elf.h>
#include <errno.h>

#include "base/array.h"
#include "base/le.h"
#include "boot/kernel.h"

#define PHDRS 4

/* A small kernel: header, program headers, notes, code. Tests spoil a part. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr phdrs[PHDRS];
	uint8_t notes[64];
	uint8_t code[256];
	uint8_t data[64];
};

#define PVH_NOTE 2 /* index of the PT_NOTE header */

static void put_note(uint8_t *at, uint32_t namesz, const char *name,
		     uint32_t type, uint32_t descsz, uint64_t desc)
{
	le32_store(at, namesz);
	le32_store(at + 4, descsz);
	le32_store(at + 8, type);
	memcpy(at + 12, name, 4);
	le64_store(at + 16, desc);
}

static Elf64_Phdr load_at(uint64_t offset, uint64_t filesz, uint64_t paddr,
			  uint64_t memsz)
{
	return (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_offset = offset,
			    .p_filesz = filesz,
			    .p_vaddr = 0xffffffff80000000 + paddr,
			    .p_paddr = paddr,
			    .p_memsz = memsz,
			    .p_align = 0x1000};
}

static struct image good_image(void)
{
	struct image image = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64,
				       ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_entry = 0x1000000,
			   .e_phoff = offsetof(struct image, phdrs),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = PHDRS},
		.phdrs = {load_at(offsetof(struct image, code), 256, 0x1000000,
				  0x1000),
			  load_at(offsetof(struct image, data), 64, 0x1200000,
				  0x3000),
			  {.p_type = PT_NOTE,
			   .p_offset = offsetof(struct image, notes),
			   .p_filesz = 48,
			   .p_align = 4}},
	};

	put_note(image.notes, 4, "GNU", 3, 8, 0x1122334455667788);
	put_note(image.notes + 24, 4, "Xen", 18, 8, 0x1000040);
	memset(image.code, 0xc0, sizeof(image.code));
	memset(image.data, 0xda, sizeof(image.data));
	return image;
}

static int load_bytes(const void *bytes, size_t len, uint64_t ram,
		      struct boot_kernel *kernel, struct err *err)
{
	struct guest_memory memory = ram_create(ram);
	int fd = file_of(bytes, len);
	int r = boot_load_kernel(&memory, fd, &test_places, kernel, err);

	close(fd);
	guest_memory_destroy(&memory);
	return r;
}

static int load(const struct image *image, uint64_t ram,
		struct boot_kernel *kernel, struct err *err)
{
	return load_bytes(image, sizeof(*image), ram, kernel, err);
}

static void refused(const struct image *image, int code, const char *part)
{
	struct boot_kernel kernel;
	struct err err = {0};

	assert_int_equal(load(image, 64 * MIB, &kernel, &err), code);
	assert_int_equal(err.code, code);
	assert_says(&err, "kernel: ");
	assert_says(&err, part);
}

static void pvh_note_chooses_the_pvh_entry(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.protocol, BOOT_PVH);
	assert_int_equal(kernel.entry, 0x1000040);
	assert_int_equal(kernel.start, 0x1000000);
	assert_int_equal(kernel.end, 0x1203000);
	assert_int_equal(kernel.setup_header_len, 0);
	assert_int_equal(kernel.initrd_end_max, 4 * GIB);
}

static void without_a_note_it_is_the_64_bit_protocol(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.phdrs[PVH_NOTE].p_type = PT_NULL;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.protocol, BOOT_LINUX64);
	assert_int_equal(kernel.entry, 0x1000000);
}

static void only_the_xen_note_counts(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	put_note(image.notes + 24, 4, "Zen", 18, 8, 0x1000040);
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.protocol, BOOT_LINUX64);
	put_note(image.notes + 24, 4, "Xen", 17, 8, 0x1000040);
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.protocol, BOOT_LINUX64);
}

static void a_note_of_four_bytes_is_enough(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	put_note(image.notes + 24, 4, "Xen", 18, 4, 0xffffffff01000044);
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.entry, 0x1000044);
}

static void notes_may_be_aligned_to_eight(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	/* a description of 4 bytes is padded to 8 here, so the next note is
	 * where an alignment of 4 would not find it */
	put_note(image.notes, 4, "GNU", 3, 4, 0);
	image.phdrs[PVH_NOTE].p_align = 8;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.protocol, BOOT_PVH);
	image.phdrs[PVH_NOTE].p_align = 4;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), -ENOEXEC);
	assert_says(&err, "note at 36 runs past its segment");
}

static void segments_land_at_their_physical_addresses(void **state)
{
	struct image image = good_image();
	struct guest_memory memory = ram_create(64 * MIB);
	int fd = file_of(&image, sizeof(image));
	struct boot_kernel kernel;
	uint8_t got[257];
	struct err err;

	(void)state;
	assert_int_equal(
		boot_load_kernel(&memory, fd, &test_places, &kernel, &err), 0);
	ram_read(&memory, 0x1000000, got, sizeof(got));
	assert_memory_equal(got, image.code, 256);
	assert_int_equal(got[256], 0); /* .bss */
	ram_read(&memory, 0x1200000, got, 65);
	assert_memory_equal(got, image.data, 64);
	assert_int_equal(got[64], 0);
	close(fd);
	guest_memory_destroy(&memory);
}

/* A segment of file bytes only, its last byte the last byte of RAM. */
static struct image image_at_end(uint64_t end)
{
	struct image image = good_image();

	image.phdrs[0] =
		load_at(offsetof(struct image, code), 256, end - 256, 256);
	image.phdrs[1].p_type = PT_NULL;
	put_note(image.notes + 24, 4, "Xen", 18, 8, end - 1);
	return image;
}

static void entry_may_be_the_last_byte_of_ram(void **state)
{
	static const uint64_t ends[] = {64 * MIB, 3 * GIB};
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct image image = image_at_end(ends[i]);

		assert_int_equal(load(&image, ends[i], &kernel, &err), 0);
		assert_int_equal(kernel.entry, ends[i] - 1);
		assert_int_equal(kernel.end, ends[i]);
	}
}

static void one_byte_past_ram_is_refused(void **state)
{
	struct image image = image_at_end(64 * MIB + 1);
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	refused(&image, -ENOMEM,
		"segment 0 [0x3ffff01, 0x4000001) is not in RAM: the guest has "
		"64 MiB");
	/* RAM goes on at 4 GiB, but a segment may not bridge the gap */
	image = image_at_end(3 * GIB + 1);
	assert_int_equal(load(&image, 5 * GIB, &kernel, &err), -ENOMEM);
	assert_says(&err, "is not in RAM");
}

static void entry_outside_segments_is_refused(void **state)
{
	static const uint64_t entries[] = {0, 0xffffff, 0x1000100, 0x1200040,
					   0xffffffff};
	struct image image;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		image = good_image();
		put_note(image.notes + 24, 4, "Xen", 18, 8, entries[i]);
		refused(&image, -ENOEXEC, "is in none of the segments");
		image.phdrs[PVH_NOTE].p_type = PT_NULL;
		image.header.e_entry = entries[i];
		refused(&image, -ENOEXEC, "is in none of the segments");
	}
}

static void a_64_bit_kernel_must_be_mapped_at_start(void **state)
{
	struct image image = image_at_end(GIB);
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.phdrs[PVH_NOTE].p_type = PT_NULL;
	image.header.e_entry = GIB - 1;
	assert_int_equal(load(&image, 2 * GIB, &kernel, &err), 0);
	image = image_at_end(GIB + 1);
	image.phdrs[PVH_NOTE].p_type = PT_NULL;
	image.header.e_entry = GIB;
	assert_int_equal(load(&image, 2 * GIB, &kernel, &err), -ENOEXEC);
	assert_says(&err, "without a PVH note it must end below 0x40000000");
}

struct spoil {
	size_t offset;
	size_t bytes;
	uint64_t value;
	int code;
	const char *message;
};

#define SPOIL(member, value_, code_, message_)                                 \
	{                                                                      \
		offsetof(struct image, member),                                \
			sizeof(((struct image *)NULL)->member), value_, code_, \
			message_                                               \
	}

static const struct spoil spoils[] = {
	SPOIL(header.e_ident[EI_DATA], ELFDATA2MSB, -ENOEXEC, "big-endian"),
	SPOIL(header.e_ident[EI_CLASS], ELFCLASS32, -ENOEXEC,
	      "a 32-bit ELF file"),
	SPOIL(header.e_ident[EI_VERSION], 2, -ENOEXEC, "ELF of version 2"),
	SPOIL(header.e_machine, EM_AARCH64, -ENOEXEC,
	      "an ELF file for machine 183 (aarch64)"),
	SPOIL(header.e_machine, EM_386, -ENOEXEC, "machine 3 (i386)"),
	SPOIL(header.e_machine, 0x1234, -ENOEXEC, "machine 4660 (unknown)"),
	SPOIL(header.e_type, ET_REL, -ENOEXEC,
	      "of type 1: an executable is needed"),
	SPOIL(header.e_type, ET_CORE, -ENOEXEC, "of type 4"),
	SPOIL(header.e_phnum, 0, -ENOEXEC, "no program headers"),
	SPOIL(header.e_phnum, 65, -ENOEXEC, "65 program headers: 64"),
	SPOIL(header.e_phnum, 0xffff, -ENOEXEC, "65535 program headers"),
	SPOIL(header.e_phnum, 64, -ENOEXEC,
	      "program headers: the file is truncated"),
	SPOIL(header.e_phentsize, 32, -ENOEXEC, "have 32 bytes, not 56"),
	SPOIL(header.e_phoff, UINT64_MAX, -ENOEXEC, "truncated"),
	SPOIL(header.e_phoff, sizeof(struct image) - 8, -ENOEXEC, "truncated"),
	SPOIL(phdrs[PVH_NOTE].p_type, PT_INTERP, -ENOEXEC,
	      "a program for a running system"),
	SPOIL(phdrs[0].p_offset, UINT64_MAX, -ENOEXEC,
	      "truncated: segment 0 ends past its"),
	SPOIL(phdrs[1].p_offset, sizeof(struct image) - 63, -ENOEXEC,
	      "truncated: segment 1"),
	SPOIL(phdrs[0].p_filesz, 0x1001, -ENOEXEC,
	      "more bytes in the file (4097) than in memory (4096)"),
	SPOIL(phdrs[1].p_memsz, 0, -ENOEXEC,
	      "segment 1 has more bytes in the file (64) than in memory (0)"),
	SPOIL(phdrs[0].p_memsz, UINT64_MAX, -ENOEXEC, "segment 0 wraps"),
	SPOIL(phdrs[0].p_paddr, UINT64_MAX - 0xfff, -ENOEXEC, "wraps"),
	SPOIL(phdrs[0].p_paddr, UINT64_MAX - 0x1000, -ENOMEM, "not in RAM"),
	SPOIL(phdrs[0].p_paddr, 0xfffff, -ENOEXEC,
	      "segment 0 at 0xfffff is below 0x100000"),
	SPOIL(phdrs[1].p_paddr, 0, -ENOEXEC, "segment 1 at 0 is below"),
	SPOIL(phdrs[1].p_paddr, 0x7000, -ENOEXEC, "machine keeps its tables"),
	SPOIL(phdrs[1].p_paddr, 64 * MIB, -ENOMEM, "not in RAM"),
	SPOIL(phdrs[1].p_paddr, 0x1000fff, -ENOEXEC,
	      "segments 0 and 1 overlap at 0x1000fff"),
	SPOIL(phdrs[1].p_paddr, 0xffe000, -ENOEXEC,
	      "segments 0 and 1 overlap at 0x1000000"),
	SPOIL(phdrs[0].p_memsz, 0x201000, -ENOEXEC,
	      "segments 0 and 1 overlap at 0x1200000"),
	SPOIL(phdrs[PVH_NOTE].p_filesz, 65537, -ENOEXEC, "truncated"),
	SPOIL(phdrs[PVH_NOTE].p_offset, UINT64_MAX - 3, -ENOEXEC,
	      "its ELF notes are missing"),
	SPOIL(notes[24 + 4], 9, -ENOEXEC, "note at 24 runs past its segment"),
	SPOIL(notes[24 + 4], 0, -ENOEXEC, "has 0 bytes, not 4 or 8"),
	SPOIL(notes[24 + 4], 7, -ENOEXEC, "has 7 bytes, not 4 or 8"),
	SPOIL(notes[3], 0xff, -ENOEXEC, "note at 0 runs past"),
	SPOIL(notes[24 + 16 + 4], 1, -ENOEXEC,
	      "entry 0x101000040 is above 4 GiB"),
};

static void spoiled_images_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spoils); i++) {
		struct image image = good_image();

		memcpy((uint8_t *)&image + spoils[i].offset, &spoils[i].value,
		       spoils[i].bytes);
		refused(&image, spoils[i].code, spoils[i].message);
	}
}

static void too_large_notes_are_refused(void **state)
{
	static uint8_t file[sizeof(struct image) + 65600];
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.phdrs[PVH_NOTE].p_filesz = 65537;
	memcpy(file, &image, sizeof(image));
	assert_int_equal(
		load_bytes(file, sizeof(file), 64 * MIB, &kernel, &err),
		-ENOEXEC);
	assert_says(&err, "the ELF notes have 65537 bytes: 65536 at the most");
}

static void touching_segments_are_no_overlap(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	image.phdrs[1].p_paddr = 0x1001000;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	image.phdrs[1].p_paddr = 0xffd000;
	assert_int_equal(load(&image, 64 * MIB, &kernel, &err), 0);
	assert_int_equal(kernel.start, 0xffd000);
}

static void every_truncation_is_refused(void **state)
{
	struct image image = good_image();
	struct boot_kernel kernel;
	struct err err;

	(void)state;
	for (size_t len = 4; len < sizeof(image); len++) {
		assert_int_equal(
			load_bytes(&image, len, 64 * MIB, &kernel, &err),
			-ENOEXEC);
		assert_says(&err, "truncated");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pvh_note_chooses_the_pvh_entry),
		cmocka_unit_test(without_a_note_it_is_the_64_bit_protocol),
		cmocka_unit_test(only_the_xen_note_counts),
		cmocka_unit_test(a_note_of_four_bytes_is_enough),
		cmocka_unit_test(notes_may_be_aligned_to_eight),
		cmocka_unit_test(segments_land_at_their_physical_addresses),
		cmocka_unit_test(entry_may_be_the_last_byte_of_ram),
		cmocka_unit_test(one_byte_past_ram_is_refused),
		cmocka_unit_test(entry_outside_segments_is_refused),
		cmocka_unit_test(a_64_bit_kernel_must_be_mapped_at_start),
		cmocka_unit_test(spoiled_images_are_refused),
		cmocka_unit_test(too_large_notes_are_refused),
		cmocka_unit_test(touching_segments_are_no_overlap),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
