/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/regs.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "arch/x86_64/layout.h"
#include "base/array.h"
#include "base/fd.h"
#include "base/le.h"

/* CR0, CR4, EFER (Intel SDM vol. 3, §2.5 and §2.2.1). */
#define CR0_PE   (1u << 0)
#define CR0_ET   (1u << 4)
#define CR0_PG   (1u << 31)
#define CR4_PAE  (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)

/* Page table entries: present, writable; 2 MiB page. */
#define PTE_TABLE  0x3
#define PTE_2MIB   0x83
#define PD_ENTRIES 512

/* MSRs (Intel SDM vol. 4). */
#define MSR_TSC            0x10
#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_MISC_ENABLE    0x1a0
#define MSR_MTRR_DEFAULT   0x2ff
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SYSCALL_MASK   0xc0000084
#define MSR_KERNEL_GS_BASE 0xc0000102

#define MISC_ENABLE_FAST_STRING 1
#define MTRR_ENABLED_WRITE_BACK ((1u << 11) | 6)

/* LAPIC registers (Intel SDM vol. 3, table 11-1) and delivery modes. */
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LVT_MODE_MASK   0x700u
#define LVT_NMI         0x400u
#define LVT_EXTINT      0x700u

enum segment_use {
	SEGMENT_CODE,
	SEGMENT_DATA,
	SEGMENT_TSS,
	SEGMENT_COUNT
};

struct segment {
	uint16_t selector;
	uint8_t type;
	bool system; /* not code or data */
	uint32_t limit;
};

static const struct segment segments[] = {
	[SEGMENT_CODE] = {0x08, 0xb, false, 0xfffff},
	[SEGMENT_DATA] = {0x10, 0x3, false, 0xfffff},
	[SEGMENT_TSS] = {0x18, 0xb, true, 0x67},
};

_Static_assert(ARRAY_LEN(segments) == SEGMENT_COUNT, "a row per segment");

static struct kvm_segment kvm_segment_of(enum segment_use use, bool wide)
{
	const struct segment *s = &segments[use];

	return (struct kvm_segment){
		.selector = s->selector,
		.type = s->type,
		.limit = s->system ? s->limit : 0xffffffffu,
		.present = 1,
		.s = s->system ? 0 : 1,
		.g = s->system ? 0 : 1,
		.l = use == SEGMENT_CODE && wide,
		.db = !s->system && !(use == SEGMENT_CODE && wide),
	};
}

/* The same segment as a descriptor in the GDT (Intel SDM vol. 3, §3.4.5). */
static uint64_t descriptor_of(enum segment_use use, bool wide)
{
	struct kvm_segment k = kvm_segment_of(use, wide);
	uint64_t limit = segments[use].limit;

	return (limit & 0xffff) | (uint64_t)k.type << 40 | (uint64_t)k.s << 44 |
	       (uint64_t)k.present << 47 | (limit >> 16 & 0xf) << 48 |
	       (uint64_t)k.l << 53 | (uint64_t)k.db << 54 | (uint64_t)k.g << 55;
}

static int write_page_tables(const struct guest_memory *memory)
{
	uint64_t entry = LAYOUT_PDPT | PTE_TABLE;
	int r = guest_write(memory, LAYOUT_PML4, &entry, sizeof(entry));
	void *directory = NULL;

	entry = LAYOUT_PD | PTE_TABLE;
	r = r < 0 ? r : guest_write(memory, LAYOUT_PDPT, &entry, sizeof(entry));
	r = r < 0 ? r
		  : guest_slice(memory, LAYOUT_PD, PD_ENTRIES * sizeof(entry),
				&directory);
	for (uint64_t i = 0; r == 0 && i < PD_ENTRIES; i++)
		le64_store((uint8_t *)directory + i * sizeof(entry),
			   i << 21 | PTE_2MIB);
	return r;
}

int regs_write_tables(const struct guest_memory *memory, struct err *err)
{
	uint64_t gdt[] = {0, descriptor_of(SEGMENT_CODE, true),
			  descriptor_of(SEGMENT_DATA, true),
			  descriptor_of(SEGMENT_TSS, true)};
	uint64_t idt = 0;
	int r = guest_write(memory, LAYOUT_GDT, gdt, sizeof(gdt));

	r = r < 0 ? r : guest_write(memory, LAYOUT_IDT, &idt, sizeof(idt));
	r = r < 0 ? r : write_page_tables(memory);
	return r < 0 ? err_set(err, -r, "boot tables") : 0;
}

static void set_segments(struct kvm_sregs *sregs, bool wide)
{
	struct kvm_segment data = kvm_segment_of(SEGMENT_DATA, wide);

	sregs->cs = kvm_segment_of(SEGMENT_CODE, wide);
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	sregs->tr = kvm_segment_of(SEGMENT_TSS, wide);
	sregs->gdt.base = LAYOUT_GDT;
	sregs->gdt.limit = 4 * 8 - 1;
	sregs->idt.base = LAYOUT_IDT;
	sregs->idt.limit = 7;
}

int regs_set_boot(int vcpu_fd, const struct boot_kernel *kernel,
		  struct err *err)
{
	bool wide = kernel->protocol == BOOT_LINUX64;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rflags = 2, .rip = kernel->entry};
	int r;

	r = fd_ioctl(vcpu_fd, KVM_GET_SREGS, &sregs);
	if (r < 0)
		return err_set(err, -r, "KVM_GET_SREGS");
	set_segments(&sregs, wide);
	sregs.cr0 = CR0_PE | CR0_ET;
	if (wide) {
		sregs.cr0 |= CR0_PG;
		sregs.cr3 = LAYOUT_PML4;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
		regs.rsi = LAYOUT_ZERO_PAGE;
		regs.rsp = LAYOUT_STACK;
		regs.rbp = LAYOUT_STACK;
	} else {
		sregs.cr4 = 0;
		sregs.efer = 0;
		regs.rbx = LAYOUT_PVH_INFO;
	}
	r = fd_ioctl(vcpu_fd, KVM_SET_SREGS, &sregs);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_SREGS");
	r = fd_ioctl(vcpu_fd, KVM_SET_REGS, &regs);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_REGS");
	return 0;
}

int regs_set_fpu(int vcpu_fd, struct err *err)
{
	struct kvm_fpu fpu = {.fcw = 0x37f, .mxcsr = 0x1f80};
	int r;

	r = fd_ioctl(vcpu_fd, KVM_SET_FPU, &fpu);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_FPU");
	return 0;
}

int regs_set_msrs(int vcpu_fd, struct err *err)
{
	static const struct kvm_msr_entry boot[] = {
		{.index = MSR_SYSENTER_CS},
		{.index = MSR_SYSENTER_ESP},
		{.index = MSR_SYSENTER_EIP},
		{.index = MSR_STAR},
		{.index = MSR_CSTAR},
		{.index = MSR_KERNEL_GS_BASE},
		{.index = MSR_SYSCALL_MASK},
		{.index = MSR_LSTAR},
		{.index = MSR_TSC},
		{.index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING},
		{.index = MSR_MTRR_DEFAULT, .data = MTRR_ENABLED_WRITE_BACK},
	};
	union {
		struct kvm_msrs header;
		char room[sizeof(struct kvm_msrs) + sizeof(boot)];
	} msrs;
	int done;

	msrs.header = (struct kvm_msrs){.nmsrs = ARRAY_LEN(boot)};
	memcpy(msrs.header.entries, boot, sizeof(boot));
	done = fd_ioctl(vcpu_fd, KVM_SET_MSRS, &msrs);
	if (done < 0)
		return err_set(err, -done, "KVM_SET_MSRS");
	if ((size_t)done < ARRAY_LEN(boot))
		return err_say(err, EIO, "KVM_SET_MSRS: MSR 0x%x is refused",
			       boot[done].index);
	return 0;
}

static void set_lvt(struct kvm_lapic_state *lapic, size_t at, uint32_t mode)
{
	uint32_t value = le32_load(lapic->regs + at);

	le32_store(lapic->regs + at, (value & ~LVT_MODE_MASK) | mode);
}

int regs_set_lapic(int vcpu_fd, struct err *err)
{
	struct kvm_lapic_state lapic;
	int r;

	r = fd_ioctl(vcpu_fd, KVM_GET_LAPIC, &lapic);
	if (r < 0)
		return err_set(err, -r, "KVM_GET_LAPIC");
	set_lvt(&lapic, LAPIC_LVT_LINT0, LVT_EXTINT);
	set_lvt(&lapic, LAPIC_LVT_LINT1, LVT_NMI);
	r = fd_ioctl(vcpu_fd, KVM_SET_LAPIC, &lapic);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_LAPIC");
	return 0;
}
