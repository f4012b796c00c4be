/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A paravirtual KVM (a cloud host without nested virtualisation) has the whole
 * interface of a real one and runs most programs; but what it cannot run
 * directly it emulates, and its emulator lacks what a kernel uses every day.
 * No capability tells, only a try. The guest here starts in 64-bit mode, writes
 * the number of a step to a port before each instruction in question, and
 * checks afterwards that the instruction did what it should. Where the numbers
 * end is what this KVM cannot do.
 *
 * Everything below is x86_64: Intel SDM volume 3, chapters 2 to 6 and 13.
 */
#include "jailer/doctor_guest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fd.h"

#define RAM_BYTES 0x200000 /* one large page, identity-mapped */
#define AT_PML4   0x1000
#define AT_PDPT   0x2000
#define AT_PD     0x3000
#define AT_GDT    0x4000
#define AT_IDT    0x5000
#define AT_STACK  0x8000 /* grows down from here */
#define AT_CODE   0x8000 /* the operands are at 0x9000 and 0xa000 */

#define STEP_PORT   0xf4
#define SELECT_CODE 0x08
#define SELECT_DATA 0x10
#define TABLE_LINK  UINT64_C(0x3)  /* present, writable */
#define LARGE_PAGE  UINT64_C(0x83) /* the same, and a 2 MiB page */
#define CPUID_MAX   256
#define EXITS_MAX   64
#define PATIENCE_S  2
#define TSS_ADDRESS 0xfffbd000 /* outside RAM; old Intel processors */

enum step {
	STEP_WRONG, /* the step before it had another result than it must */
	STEP_CMPXCHG16B,
	STEP_XSAVE,
	STEP_XRSTOR,
	STEP_INT3,
	STEP_UD2,
	STEP_SWAPGS,
	STEP_END,
	STEP_COUNT
};

static const char *const step_names[STEP_COUNT] = {
	[STEP_WRONG] = "its first instruction",
	[STEP_CMPXCHG16B] = "cmpxchg16b",
	[STEP_XSAVE] = "xsave",
	[STEP_XRSTOR] = "xrstor",
	[STEP_INT3] = "int3",
	[STEP_UD2] = "ud2",
	[STEP_SWAPGS] = "swapgs",
	[STEP_END] = "hlt",
};

/* clang-format off */
static const uint8_t code[] = {
	0xb0, 0x01, /* mov $0x1,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0xbe, 0x00, 0x90, 0x00, 0x00, /* mov $0x9000,%esi */
	0x31, 0xc0, /* xor %eax,%eax */
	0x31, 0xd2, /* xor %edx,%edx */
	0xbb, 0x01, 0x00, 0x00, 0x00, /* mov $0x1,%ebx */
	0xb9, 0x02, 0x00, 0x00, 0x00, /* mov $0x2,%ecx */
	0xf0, 0x48, 0x0f, 0xc7, 0x0e, /* lock cmpxchg16b (%rsi) */
	0x0f, 0x85, 0xa2, 0x00, 0x00, 0x00, /* jne c4 <wrong> */
	0x48, 0x83, 0x7e, 0x08, 0x02, /* cmpq $0x2,0x8(%rsi) */
	0x0f, 0x85, 0x97, 0x00, 0x00, 0x00, /* jne c4 <wrong> */
	0xb8, 0x01, 0x00, 0x00, 0x00, /* mov $0x1,%eax */
	0x0f, 0xa2, /* cpuid */
	0x0f, 0xba, 0xe1, 0x1a, /* bt $0x1a,%ecx */
	0x73, 0x4d, /* jae 87 <traps> */
	0xb0, 0x02, /* mov $0x2,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0x0f, 0x20, 0xe0, /* mov %cr4,%rax */
	0x0d, 0x00, 0x02, 0x04, 0x00, /* or $0x40200,%eax */
	0x0f, 0x22, 0xe0, /* mov %rax,%cr4 */
	0xbf, 0x00, 0xa0, 0x00, 0x00, /* mov $0xa000,%edi */
	0x66, 0xc7, 0x06, 0x7f, 0x02, /* movw $0x27f,(%rsi) */
	0xd9, 0x2e, /* fldcw (%rsi) */
	0xb8, 0x01, 0x00, 0x00, 0x00, /* mov $0x1,%eax */
	0x31, 0xd2, /* xor %edx,%edx */
	0x0f, 0xae, 0x27, /* xsave (%rdi) */
	0x66, 0x81, 0x3f, 0x7f, 0x02, /* cmpw $0x27f,(%rdi) */
	0x75, 0x5e, /* jne c4 <wrong> */
	0xb0, 0x03, /* mov $0x3,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0x66, 0xc7, 0x07, 0x7f, 0x03, /* movw $0x37f,(%rdi) */
	0x80, 0x8f, 0x00, 0x02, 0x00, 0x00, 0x01, /* orb $0x1,0x200(%rdi) */
	0xb8, 0x01, 0x00, 0x00, 0x00, /* mov $0x1,%eax */
	0x0f, 0xae, 0x2f, /* xrstor (%rdi) */
	0xd9, 0x3e, /* fnstcw (%rsi) */
	0x66, 0x81, 0x3e, 0x7f, 0x03, /* cmpw $0x37f,(%rsi) */
	0x75, 0x3d, /* jne c4 <wrong> */
	/* traps: */
	0xb0, 0x04, /* mov $0x4,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0x31, 0xed, /* xor %ebp,%ebp */
	0xcc, /* int3 */
	0x83, 0xfd, 0x01, /* cmp $0x1,%ebp */
	0x75, 0x31, /* jne c4 <wrong> */
	0xb0, 0x05, /* mov $0x5,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0x0f, 0x0b, /* ud2 */
	0x83, 0xfd, 0x02, /* cmp $0x2,%ebp */
	0x75, 0x26, /* jne c4 <wrong> */
	0xb0, 0x06, /* mov $0x6,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0xb9, 0x02, 0x01, 0x00, 0xc0, /* mov $0xc0000102,%ecx */
	0xb8, 0x05, 0x00, 0x00, 0x00, /* mov $0x5,%eax */
	0x31, 0xd2, /* xor %edx,%edx */
	0x0f, 0x30, /* wrmsr */
	0x0f, 0x01, 0xf8, /* swapgs */
	0xb9, 0x01, 0x01, 0x00, 0xc0, /* mov $0xc0000101,%ecx */
	0x0f, 0x32, /* rdmsr */
	0x83, 0xf8, 0x05, /* cmp $0x5,%eax */
	0x75, 0x05, /* jne c4 <wrong> */
	0xb0, 0x07, /* mov $0x7,%al */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0xf4, /* hlt */
	/* wrong: */
	0x31, 0xc0, /* xor %eax,%eax */
	0xe6, 0xf4, /* out %al,$0xf4 */
	0xf4, /* hlt */
	/* on_ud2: */
	0x48, 0x83, 0x04, 0x24, 0x02, /* addq $0x2,(%rsp) */
	/* on_int3: */
	0xff, 0xc5, /* inc %ebp */
	0x48, 0xcf, /* iretq */
};
/* clang-format on */
#define CODE_ON_UD2  0xc9
#define CODE_ON_INT3 0xce

struct guest {
	int kvm_fd, vm_fd, vcpu_fd; /* kvm_fd is borrowed */
	uint8_t *ram;
	struct kvm_run *run;
	size_t run_bytes;
	unsigned step;  /* the last one that was announced */
	unsigned steps; /* begun; a processor without xsave has fewer */
};

static void put_u64(struct guest *guest, size_t at, uint64_t value)
{
	memcpy(guest->ram + at, &value, sizeof(value));
}

/* Intel SDM 3A, 6.14.1: a 64-bit interrupt gate. Its addresses are small. */
static void put_gate(struct guest *guest, unsigned vector, uint64_t handler)
{
	uint64_t gate = (handler & 0xffff) | SELECT_CODE << 16 |
			UINT64_C(0x8e00) << 32 | (handler >> 16) << 48;

	put_u64(guest, AT_IDT + vector * 16, gate);
}

static void fill_ram(struct guest *guest)
{
	memcpy(guest->ram + AT_CODE, code, sizeof(code));
	put_u64(guest, AT_PML4, AT_PDPT | TABLE_LINK);
	put_u64(guest, AT_PDPT, AT_PD | TABLE_LINK);
	put_u64(guest, AT_PD, LARGE_PAGE);
	/* SDM 3A, 3.4.5: 64-bit code and writable data of ring 0. */
	put_u64(guest, AT_GDT + SELECT_CODE, UINT64_C(0x00af9b000000ffff));
	put_u64(guest, AT_GDT + SELECT_DATA, UINT64_C(0x00cf93000000ffff));
	put_gate(guest, 3, AT_CODE + CODE_ON_INT3);
	put_gate(guest, 6, AT_CODE + CODE_ON_UD2);
}

static int create_vm(struct guest *guest, struct err *err)
{
	struct kvm_userspace_memory_region region = {.memory_size = RAM_BYTES};
	void *ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int r;

	if (ram == MAP_FAILED)
		return err_set(err, errno, "memory of the guest");
	guest->ram = ram;
	region.userspace_addr = (uintptr_t)ram;
	fill_ram(guest);
	guest->vm_fd = fd_ioctl_number(guest->kvm_fd, KVM_CREATE_VM, 0);
	if (guest->vm_fd < 0)
		return err_set(err, -guest->vm_fd, "KVM_CREATE_VM");
	r = fd_ioctl(guest->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_USER_MEMORY_REGION");
	r = fd_ioctl_number(guest->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDRESS);
	return r < 0 ? err_set(err, -r, "KVM_SET_TSS_ADDR") : 0;
}

static int set_cpuid(const struct guest *guest, struct err *err)
{
	union {
		struct kvm_cpuid2 cpuid;
		char room[sizeof(struct kvm_cpuid2) +
			  CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
	} all = {.cpuid.nent = CPUID_MAX};
	int r = fd_ioctl(guest->kvm_fd, KVM_GET_SUPPORTED_CPUID, &all.cpuid);

	if (r < 0)
		return err_set(err, -r, "KVM_GET_SUPPORTED_CPUID");
	r = fd_ioctl(guest->vcpu_fd, KVM_SET_CPUID2, &all.cpuid);
	return r < 0 ? err_set(err, -r, "KVM_SET_CPUID2") : 0;
}

/* SDM 3A, 9.8.5: paging and long mode are on, as if firmware had done it. */
static int set_registers(const struct guest *guest, struct err *err)
{
	const struct kvm_segment data = {.limit = 0xffffffff,
					 .selector = SELECT_DATA,
					 .type = 3,
					 .present = 1,
					 .db = 1,
					 .s = 1,
					 .g = 1};
	struct kvm_segment text = data;
	struct kvm_regs regs = {.rip = AT_CODE, .rsp = AT_STACK, .rflags = 0x2};
	struct kvm_sregs sregs;
	int r = fd_ioctl(guest->vcpu_fd, KVM_GET_SREGS, &sregs);

	if (r < 0)
		return err_set(err, -r, "KVM_GET_SREGS");
	text.selector = SELECT_CODE;
	text.type = 11;
	text.db = 0;
	text.l = 1;
	sregs.cs = text;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt = (struct kvm_dtable){.base = AT_GDT, .limit = 23};
	sregs.idt = (struct kvm_dtable){.base = AT_IDT, .limit = 16 * 32 - 1};
	sregs.cr3 = AT_PML4;
	sregs.cr4 = 0x20;       /* PAE */
	sregs.cr0 = 0x80000033; /* PG, NE, ET, MP, PE */
	sregs.efer = 0x500;     /* LMA, LME */
	r = fd_ioctl(guest->vcpu_fd, KVM_SET_SREGS, &sregs);
	if (r < 0)
		return err_set(err, -r, "KVM_SET_SREGS");
	r = fd_ioctl(guest->vcpu_fd, KVM_SET_REGS, &regs);
	return r < 0 ? err_set(err, -r, "KVM_SET_REGS") : 0;
}

static int create_vcpu(struct guest *guest, struct err *err)
{
	int size = fd_ioctl_number(guest->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;
	int r;

	if (size < (int)sizeof(struct kvm_run))
		return err_say(err, EPROTO, "KVM_GET_VCPU_MMAP_SIZE gave %d",
			       size);
	guest->vcpu_fd = fd_ioctl_number(guest->vm_fd, KVM_CREATE_VCPU, 0);
	if (guest->vcpu_fd < 0)
		return err_set(err, -guest->vcpu_fd, "KVM_CREATE_VCPU");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   guest->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return err_set(err, errno, "map the vCPU");
	guest->run = run;
	guest->run_bytes = (size_t)size;
	r = set_cpuid(guest, err);
	return r < 0 ? r : set_registers(guest, err);
}

static int end_early(const struct guest *guest, const char *how,
		     const char *detail, uint64_t number, struct err *err)
{
	if (detail == NULL)
		return err_say(err, EPROTO, "%s %s", how,
			       step_names[guest->step]);
	return err_say(err, EPROTO, "%s %s (%s %llu)", how,
		       step_names[guest->step], detail,
		       (unsigned long long)number);
}

/* Return: 1: go on; 0: done; -errno: it ends here. */
static int take_exit(struct guest *guest, struct err *err)
{
	const struct kvm_run *run = guest->run;
	uint8_t step;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		step = *((const uint8_t *)run + run->io.data_offset);
		if (run->io.port != STEP_PORT || step >= STEP_COUNT)
			return end_early(guest, "the guest goes astray at",
					 "port", run->io.port, err);
		if (step == STEP_WRONG)
			return end_early(guest,
					 "the guest gets a wrong result of",
					 NULL, 0, err);
		guest->step = step;
		guest->steps += step != STEP_END;
		return 1;
	case KVM_EXIT_HLT:
		return guest->step == STEP_END
			       ? 0
			       : end_early(guest, "it halts at", NULL, 0, err);
	case KVM_EXIT_INTERNAL_ERROR:
		(void)end_early(guest, "it stops at", "suberror",
				run->internal.suberror, err);
		return -ENOTSUP;
	case KVM_EXIT_SHUTDOWN:
		return end_early(guest, "the guest crashes at", NULL, 0, err);
	default:
		return end_early(guest, "it stops at", "exit reason",
				 run->exit_reason, err);
	}
}

static int run_steps(struct guest *guest, struct err *err)
{
	assert(guest->run != NULL);
	for (unsigned i = 0; i < EXITS_MAX; i++) {
		int r = fd_ioctl_number(guest->vcpu_fd, KVM_RUN, 0);

		if (r == -EINTR)
			return end_early(guest, "it hangs at", NULL, 0, err);
		if (r < 0)
			return err_set(err, -r, "KVM_RUN");
		r = take_exit(guest, err);
		if (r <= 0)
			return r;
	}
	return end_early(guest, "it goes in circles at", NULL, 0, err);
}

static void on_alarm(int number)
{
	(void)number;
}

/* An alarm makes KVM_RUN return; it repeats, should one come too early. */
static int run_with_alarm(struct guest *guest, struct err *err)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval on = {{PATIENCE_S, 0}, {PATIENCE_S, 0}};
	const struct itimerval off = {{0, 0}, {0, 0}};
	struct sigaction before;
	int r;

	if (sigaction(SIGALRM, &action, &before) < 0)
		return err_set(err, errno, "SIGALRM");
	if (setitimer(ITIMER_REAL, &on, NULL) < 0)
		return err_set(err, errno, "setitimer");
	r = run_steps(guest, err);
	(void)setitimer(ITIMER_REAL, &off, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	return r;
}

static void destroy(struct guest *guest)
{
	if (guest->run != NULL)
		(void)munmap(guest->run, guest->run_bytes);
	fd_close(&guest->vcpu_fd);
	fd_close(&guest->vm_fd);
	if (guest->ram != NULL)
		(void)munmap(guest->ram, RAM_BYTES);
}

int doctor_guest_run(int kvm_fd, unsigned *ret_steps, struct err *err)
{
	struct guest guest = {.kvm_fd = kvm_fd, .vm_fd = -1, .vcpu_fd = -1};
	int r = create_vm(&guest, err);

	r = r < 0 ? r : create_vcpu(&guest, err);
	r = r < 0 ? r : run_with_alarm(&guest, err);
	destroy(&guest);
	if (r == 0)
		*ret_steps = guest.steps;
	return r;
}
