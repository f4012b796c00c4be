/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything in the file is hostile until checked: it may come from whoever may
 * start a machine, and the loader runs before the machine is confined. So the
 * program headers are copied once, every segment is checked against the file,
 * against RAM and against the others, and only then is a byte of RAM written.
 *
 * ELF-64 Object File Format, version 1.5; PVH: Xen docs/misc/pvh.pandoc.
 */
#include "boot/elf.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"

/* Xen public/elfnote.h: physical address of the 32-bit entry point. */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define NOTE_NAME_MAX 4 /* "Xen" and its NUL */

#define ELF_INITRD_END_MAX (UINT64_C(1) << 32)

struct elf_file {
	const struct boot_image *image;
	Elf64_Ehdr header;
	Elf64_Phdr phdrs[ELF_PHDRS_MAX]; /* header.e_phnum of them */
	uint64_t pvh_entry;
	bool has_pvh_entry;
};

static const struct {
	unsigned number;
	const char *name;
} machines[] = {
	{EM_386, "i386"},   {EM_PPC64, "ppc64"},     {EM_S390, "s390"},
	{EM_ARM, "arm"},    {EM_AARCH64, "aarch64"}, {EM_RISCV, "riscv"},
	{258, "loongarch"}, /* EM_LOONGARCH, not in every elf.h */
};

static const char *machine_name(unsigned number)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (machines[i].number == number)
			return machines[i].name;
	return "unknown";
}

static int check_ident(const Elf64_Ehdr *header, struct err *err)
{
	const unsigned char *ident = header->e_ident;

	if (ident[EI_DATA] != ELFDATA2LSB)
		return err_say(
			err, ENOEXEC,
			"this is a big-endian ELF file: x86_64 is needed");
	if (header->e_machine != EM_X86_64)
		return err_say(
			err, ENOEXEC,
			"this is an ELF file for machine %u (%s): x86_64 is needed",
			header->e_machine, machine_name(header->e_machine));
	if (ident[EI_CLASS] != ELFCLASS64)
		return err_say(err, ENOEXEC,
			       "this is a 32-bit ELF file: 64-bit is needed");
	if (ident[EI_VERSION] != EV_CURRENT)
		return err_say(err, ENOEXEC, "this is ELF of version %u",
			       ident[EI_VERSION]);
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return err_say(
			err, ENOEXEC,
			"this is an ELF file of type %u: an executable is needed",
			header->e_type);
	return 0;
}

static int check_phdr_table(const Elf64_Ehdr *header, struct err *err)
{
	if (header->e_phnum == 0)
		return err_say(err, ENOEXEC,
			       "the ELF file has no program headers");
	if (header->e_phnum > ELF_PHDRS_MAX)
		return err_say(
			err, ENOEXEC,
			"the ELF file has %u program headers: %u at the most",
			header->e_phnum, ELF_PHDRS_MAX);
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return err_say(err, ENOEXEC,
			       "the program headers have %u bytes, not %zu",
			       header->e_phentsize, sizeof(Elf64_Phdr));
	return 0;
}

static int read_headers(struct elf_file *elf, struct err *err)
{
	const Elf64_Ehdr *header = &elf->header;
	int r = boot_image_read(elf->image, 0, &elf->header, sizeof(*header),
				err);

	if (r == 0)
		r = check_ident(header, err);
	if (r == 0)
		r = check_phdr_table(header, err);
	if (r < 0)
		return r;
	r = boot_image_read(elf->image, header->e_phoff, elf->phdrs,
			    header->e_phnum * sizeof(Elf64_Phdr), err);
	return r < 0 ? (err_in(err, "program headers"), r) : 0;
}

/* /bin/ls is an x86_64 ELF file too. */
static int check_no_interpreter(const struct elf_file *elf, struct err *err)
{
	for (unsigned i = 0; i < elf->header.e_phnum; i++)
		if (elf->phdrs[i].p_type == PT_INTERP)
			return err_say(err, ENOEXEC,
				       "this is a program for a running system "
				       "(it asks for an interpreter)");
	return 0;
}

static bool is_loaded(const Elf64_Phdr *phdr)
{
	return phdr->p_type == PT_LOAD && phdr->p_memsz > 0;
}

/* Is address one of the bytes that came from the file? */
static bool is_in_file_bytes(const struct elf_file *elf, uint64_t address)
{
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		const Elf64_Phdr *phdr = &elf->phdrs[i];

		if (is_loaded(phdr) && address >= phdr->p_paddr &&
		    address - phdr->p_paddr < phdr->p_filesz)
			return true;
	}
	return false;
}

static int check_place(const struct elf_file *elf, unsigned index,
		       const struct guest_memory *memory,
		       const struct boot_places *places, struct err *err)
{
	const Elf64_Phdr *phdr = &elf->phdrs[index];
	void *host;

	if (phdr->p_memsz > UINT64_MAX - phdr->p_paddr)
		return err_say(err, ENOEXEC,
			       "segment %u wraps: %#" PRIx64 " + %#" PRIx64,
			       index, phdr->p_paddr, phdr->p_memsz);
	if (phdr->p_paddr < places->kernel_min)
		return err_say(err, ENOEXEC,
			       "segment %u at %#" PRIx64 " is below %#" PRIx64
			       ", where the machine keeps its tables",
			       index, phdr->p_paddr, places->kernel_min);
	if (guest_slice(memory, phdr->p_paddr, phdr->p_memsz, &host) < 0)
		return err_say(err, ENOMEM,
			       "segment %u [%#" PRIx64 ", %#" PRIx64
			       ") is not in RAM: the guest has %" PRIu64 " MiB",
			       index, phdr->p_paddr,
			       phdr->p_paddr + phdr->p_memsz,
			       guest_memory_size(memory) >> 20);
	return 0;
}

/* Segments before index have been checked, so no sum here wraps. */
static int check_overlap(const struct elf_file *elf, unsigned index,
			 struct err *err)
{
	const Elf64_Phdr *phdr = &elf->phdrs[index];

	for (unsigned i = 0; i < index; i++) {
		const Elf64_Phdr *other = &elf->phdrs[i];

		if (is_loaded(other) &&
		    range_overlaps(phdr->p_paddr, phdr->p_memsz, other->p_paddr,
				   other->p_memsz))
			return err_say(
				err, ENOEXEC,
				"segments %u and %u overlap at %#" PRIx64, i,
				index,
				phdr->p_paddr > other->p_paddr
					? phdr->p_paddr
					: other->p_paddr);
	}
	return 0;
}

static int check_file_part(const struct elf_file *elf, unsigned index,
			   struct err *err)
{
	const Elf64_Phdr *phdr = &elf->phdrs[index];

	if (phdr->p_filesz > phdr->p_memsz)
		return err_say(err, ENOEXEC,
			       "segment %u has more bytes in the file (%" PRIu64
			       ") than in memory (%" PRIu64 ")",
			       index, phdr->p_filesz, phdr->p_memsz);
	if (!range_ok(phdr->p_offset, phdr->p_filesz, elf->image->size_bytes))
		return err_say(
			err, ENOEXEC,
			"the file is truncated: segment %u ends past its "
			"%" PRIu64 " bytes",
			index, elf->image->size_bytes);
	return 0;
}

static int check_segments(const struct elf_file *elf,
			  const struct guest_memory *memory,
			  const struct boot_places *places, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < elf->header.e_phnum && r == 0; i++) {
		/* memsz 0 with bytes in the file is refused here too */
		if (elf->phdrs[i].p_type == PT_LOAD)
			r = check_file_part(elf, i, err);
		if (r < 0 || !is_loaded(&elf->phdrs[i]))
			continue;
		r = check_place(elf, i, memory, places, err);
		if (r == 0)
			r = check_overlap(elf, i, err);
	}
	return r;
}

/*
 * The address is one long of the kernel that wrote the note: 8 bytes in 64-bit
 * Linux, 4 in others.
 */
static int read_pvh_entry(struct elf_file *elf, uint64_t offset, uint32_t len,
			  struct err *err)
{
	uint64_t entry = 0;
	int r;

	if (len != 4 && len != 8)
		return err_say(err, ENOEXEC,
			       "the PVH note has %" PRIu32 " bytes, not 4 or 8",
			       len);
	r = boot_image_read(elf->image, offset, &entry, len, err);
	if (r < 0)
		return r;
	if (entry > UINT32_MAX)
		return err_say(err, ENOEXEC,
			       "the PVH entry %#" PRIx64 " is above 4 GiB",
			       entry);
	elf->pvh_entry = entry;
	elf->has_pvh_entry = true;
	return 0;
}

static int read_note(struct elf_file *elf, const Elf64_Nhdr *note,
		     uint64_t name_offset, uint64_t desc_offset,
		     struct err *err)
{
	char name[NOTE_NAME_MAX];
	int r;

	if (elf->has_pvh_entry || note->n_type != XEN_ELFNOTE_PHYS32_ENTRY ||
	    note->n_namesz != sizeof(name))
		return 0;
	r = boot_image_read(elf->image, name_offset, name, sizeof(name), err);
	if (r < 0 || memcmp(name, "Xen", sizeof(name)) != 0)
		return r;
	return read_pvh_entry(elf, desc_offset, note->n_descsz, err);
}

/*
 * Notes are read one header at a time: a vmlinux has a score of them, and the
 * stack stays small. Sums of two 32-bit lengths and an offset below
 * ELF_NOTE_BYTES_MAX cannot wrap.
 */
static int read_notes(struct elf_file *elf, const Elf64_Phdr *phdr,
		      struct err *err)
{
	uint64_t align = phdr->p_align == 8 ? 8 : 4;
	uint64_t at = 0;
	int r = 0;

	if (phdr->p_filesz > ELF_NOTE_BYTES_MAX)
		return err_say(err, ENOEXEC,
			       "the ELF notes have %" PRIu64
			       " bytes: %u at the most",
			       phdr->p_filesz, ELF_NOTE_BYTES_MAX);
	while (r == 0 && range_ok(at, sizeof(Elf64_Nhdr), phdr->p_filesz)) {
		Elf64_Nhdr note;
		uint64_t name = at + sizeof(note);
		uint64_t desc;

		r = boot_image_read(elf->image, phdr->p_offset + at, &note,
				    sizeof(note), err);
		if (r < 0)
			break;
		desc = align_up(name + note.n_namesz, align);
		if (!range_ok(desc, note.n_descsz, phdr->p_filesz))
			return err_say(err, ENOEXEC,
				       "the ELF note at %" PRIu64
				       " runs past its segment",
				       at);
		r = read_note(elf, &note, phdr->p_offset + name,
			      phdr->p_offset + desc, err);
		at = align_up(desc + note.n_descsz, align);
	}
	return r;
}

static int find_pvh_entry(struct elf_file *elf, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < elf->header.e_phnum && r == 0; i++) {
		const Elf64_Phdr *phdr = &elf->phdrs[i];

		if (phdr->p_type != PT_NOTE)
			continue;
		if (!range_ok(phdr->p_offset, phdr->p_filesz,
			      elf->image->size_bytes))
			return err_say(err, ENOEXEC,
				       "the file is truncated: its ELF notes "
				       "are missing");
		r = read_notes(elf, phdr, err);
	}
	return r;
}

static void measure(const struct elf_file *elf, struct boot_kernel *kernel)
{
	kernel->start = UINT64_MAX;
	kernel->end = 0;
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		const Elf64_Phdr *phdr = &elf->phdrs[i];

		if (!is_loaded(phdr))
			continue;
		if (phdr->p_paddr < kernel->start)
			kernel->start = phdr->p_paddr;
		if (phdr->p_paddr + phdr->p_memsz > kernel->end)
			kernel->end = phdr->p_paddr + phdr->p_memsz;
	}
}

static int check_entry(const struct elf_file *elf,
		       const struct boot_places *places,
		       const struct boot_kernel *kernel, struct err *err)
{
	if (!is_in_file_bytes(elf, kernel->entry))
		return err_say(err, ENOEXEC,
			       "the entry point %#" PRIx64
			       " is in none of the segments",
			       kernel->entry);
	if (kernel->protocol == BOOT_LINUX64 &&
	    kernel->end > places->mapped_end)
		return err_say(
			err, ENOEXEC,
			"the kernel ends at %#" PRIx64
			": without a PVH note it must end below %#" PRIx64,
			kernel->end, places->mapped_end);
	return 0;
}

static int load_segments(const struct elf_file *elf,
			 const struct guest_memory *memory, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < elf->header.e_phnum && r == 0; i++) {
		const Elf64_Phdr *phdr = &elf->phdrs[i];

		if (is_loaded(phdr))
			r = boot_image_load(elf->image, phdr->p_offset,
					    phdr->p_filesz, memory,
					    phdr->p_paddr, err);
	}
	return r;
}

int boot_elf_load(const struct guest_memory *memory,
		  const struct boot_image *image,
		  const struct boot_places *places,
		  struct boot_kernel *ret_kernel, struct err *err)
{
	struct elf_file elf = {.image = image};
	struct boot_kernel kernel = {.initrd_end_max = ELF_INITRD_END_MAX};
	int r = read_headers(&elf, err);

	if (r == 0)
		r = check_no_interpreter(&elf, err);
	if (r == 0)
		r = check_segments(&elf, memory, places, err);
	if (r == 0)
		r = find_pvh_entry(&elf, err);
	if (r < 0)
		return r;
	kernel.protocol = elf.has_pvh_entry ? BOOT_PVH : BOOT_LINUX64;
	kernel.entry = elf.has_pvh_entry ? elf.pvh_entry : elf.header.e_entry;
	measure(&elf, &kernel);
	r = check_entry(&elf, places, &kernel, err);
	if (r == 0)
		r = load_segments(&elf, memory, err);
	if (r == 0)
		*ret_kernel = kernel;
	return r;
}
