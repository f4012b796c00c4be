/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor FD [late] - the least that a VMM must ask of KVM before the first
 * instruction of a guest: the lower bound that kiln-vmm is compared with. One
 * vCPU, 128 MiB, three devices' worth of interrupts and doorbells; no kernel,
 * no tables, no threads, no filters.
 *
 * late: the interrupt controllers and doorbells before the memory slot, as
 * other VMMs order it; since Linux 6.18 the slot then waits.
 *
 * Writes "phase NAME MICROSECONDS" lines to FD, as kiln-vmm does.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RAM_BYTES (128u << 20)
#define DEVICES   3
#define DOORBELLS 4
#define ENTRIES   128

static int phases_fd;

static void phase(const char *name)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	(void)dprintf(phases_fd, "phase %s %lld\n", name,
		      (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

static int need(int r, const char *what)
{
	if (r < 0) {
		perror(what);
		exit(1);
	}
	return r;
}

static uint8_t *add_memory(int vm)
{
	/* mov $0xfe, %al; out %al, $0x64; hlt: what first.S is */
	static const uint8_t code[] = {0xb0, 0xfe, 0xe6, 0x64, 0xf4};
	uint8_t *ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct kvm_userspace_memory_region slot = {
		.memory_size = RAM_BYTES, .userspace_addr = (uintptr_t)ram};

	if (ram == MAP_FAILED)
		exit(1);
	need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "slot");
	memcpy(ram + 0x1000, code, sizeof(code));
	return ram;
}

static void add_irqchip(int vm, bool full)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_SPLIT_IRQCHIP,
				     .args = {24}};

	if (full)
		need(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "irqchip");
	else
		need(ioctl(vm, KVM_ENABLE_CAP, &cap), "split irqchip");
}

static void add_devices(int vm)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		struct kvm_irqfd irq = {.fd = (uint32_t)eventfd(0, 0),
					.gsi = 5 + i};

		need(ioctl(vm, KVM_IRQFD, &irq), "irqfd");
	}
	for (unsigned i = 0; i < DOORBELLS; i++) {
		struct kvm_ioeventfd bell = {.addr = 0xd0000050 + 0x1000 * i,
					     .len = 4,
					     .fd = eventfd(0, 0)};

		need(ioctl(vm, KVM_IOEVENTFD, &bell), "ioeventfd");
	}
}

static void set_identification(int kvm, int vcpu)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 room[ENTRIES];
	} cpuid;

	cpuid.head.nent = ENTRIES;
	need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "get cpuid");
	need(ioctl(vcpu, KVM_SET_CPUID2, &cpuid), "set cpuid");
}

static void set_registers(int vcpu)
{
	struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
	struct kvm_lapic_state lapic;
	struct kvm_sregs sregs;

	need(ioctl(vcpu, KVM_GET_SREGS, &sregs), "sregs");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	need(ioctl(vcpu, KVM_SET_SREGS, &sregs), "sregs");
	need(ioctl(vcpu, KVM_SET_REGS, &regs), "regs");
	need(ioctl(vcpu, KVM_GET_LAPIC, &lapic), "lapic");
	need(ioctl(vcpu, KVM_SET_LAPIC, &lapic), "lapic");
}

int main(int argc, char *argv[])
{
	bool late = argc > 2 && strcmp(argv[2], "late") == 0;

	if (argc < 2)
		return 2;
	phases_fd = (int)strtol(argv[1], NULL, 10);
	phase("main");
	int kvm = need(open("/dev/kvm", O_RDWR), "/dev/kvm");
	int vm = need(ioctl(kvm, KVM_CREATE_VM, 0), "vm");
	if (late) {
		add_irqchip(vm, true);
		add_devices(vm);
	}
	(void)add_memory(vm);
	if (!late)
		add_irqchip(vm, false);
	int vcpu = need(ioctl(vm, KVM_CREATE_VCPU, 0), "vcpu");
	int bytes = need(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "run size");
	struct kvm_run *run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
				   MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		return 1;
	if (!late)
		add_devices(vm);
	set_identification(kvm, vcpu);
	set_registers(vcpu);
	phase("started");
	need(ioctl(vcpu, KVM_RUN, 0), "run");
	phase(run->exit_reason == KVM_EXIT_IO ? "first" : "lost");
	_exit(0);
}
