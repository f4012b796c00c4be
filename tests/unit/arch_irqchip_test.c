/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens between PIC and vCPU, without KVM: its calls fail, and what
 * counts is when they are made and what is left in the run page. Then the
 * power port and the registers' tables, which are as small.
 */
#include "arch/x86_64/irqchip.h"

#include <errno.h>
#include <linux/kvm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/layout.h"
#include "arch/x86_64/power.h"
#include "arch/x86_64/regs.h"
#include "guest_ram.h"

static struct vm vm;
static struct irqchip chip;
static struct kvm_run run;

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(&run, 0, sizeof(run));
	memset(&chip, 0, sizeof(chip));
	vm.vm_fd = -1;
	vm.vcpus[0].fd = -1;
	vm.vcpus[0].vm = &vm;
	vm.vcpus[0].run = &run;
	vm.vcpus[1] = vm.vcpus[0];
	vm.vcpus[1].index = 1;
	chip.vm = &vm;
	chip.split = true;
	pic_init(&chip.pic);
	return 0;
}

static void out(uint64_t offset, uint8_t value)
{
	pic_master_bus_ops.write(&chip.pic, offset, &value, 1);
}

static void raise_line_4(void)
{
	out(0, 0x11);
	out(1, 0x20);
	out(1, 0x04);
	out(1, 0x01);
	pic_raise(&chip.pic, 4);
}

static void nothing_pending_asks_for_nothing(void **state)
{
	(void)state;
	run.request_interrupt_window = 1;
	run.ready_for_interrupt_injection = 1;
	irqchip_inject(&chip, &vm.vcpus[0]);
	assert_int_equal(run.request_interrupt_window, 0);
}

static void a_busy_vcpu_is_asked_for_a_window(void **state)
{
	(void)state;
	raise_line_4();
	irqchip_inject(&chip, &vm.vcpus[0]);
	assert_int_equal(run.request_interrupt_window, 1);
	assert_true(chip.pic.pending);
}

static void a_ready_vcpu_takes_the_vector(void **state)
{
	(void)state;
	raise_line_4();
	run.ready_for_interrupt_injection = 1;
	irqchip_inject(&chip, &vm.vcpus[0]);
	assert_false(chip.pic.pending);
	assert_int_equal(chip.pic.chips[0].serviced, 1 << 4);
	assert_int_equal(run.request_interrupt_window, 0);
	/* One that was raised meanwhile wants the next window. */
	pic_raise(&chip.pic, 1);
	run.ready_for_interrupt_injection = 0;
	irqchip_inject(&chip, &vm.vcpus[0]);
	assert_int_equal(run.request_interrupt_window, 1);
}

static void the_pic_is_wired_to_vcpu_0_alone(void **state)
{
	(void)state;
	raise_line_4();
	run.ready_for_interrupt_injection = 1;
	run.request_interrupt_window = 1;
	irqchip_inject(&chip, &vm.vcpus[1]);
	assert_true(chip.pic.pending);
	assert_int_equal(run.request_interrupt_window, 0);
	chip.split = false;
	irqchip_inject(&chip, &vm.vcpus[0]);
	assert_true(chip.pic.pending);
}

static void lines_0_to_15_reach_the_pic(void **state)
{
	struct irq_line line = {.event_fd = -1, .gsi = 15};

	(void)state;
	irqchip_attach(&chip, &line);
	irq_line_raise(&line);
	assert_int_equal(chip.pic.chips[1].requested, 1 << 7);
	line = (struct irq_line){.event_fd = -1, .gsi = 16};
	irqchip_attach(&chip, &line);
	assert_null(line.also);
	chip.split = false;
	line.gsi = 4;
	irqchip_attach(&chip, &line);
	assert_null(line.also);
}

static void without_kvm_it_says_what_is_missing(void **state)
{
	static struct machine machine;
	struct err err = {0};

	(void)state;
	vm.machine = &machine;
	assert_int_equal(irqchip_create(&chip, &vm, &err), -EBADF);
	assert_says(&err, "split interrupt controller");
	machine.board.irqchip = IRQCHIP_FULL;
	assert_int_equal(irqchip_create(&chip, &vm, &err), -EBADF);
	assert_says(&err, "KVM_CREATE_IRQCHIP");
}

static unsigned power_offs;

static void count_off(void *owner)
{
	(void)owner;
	power_offs++;
}

/* ACPI 6.5, table 4.19: SLP_EN with the type of \_S5, in the first register. */
static void only_soft_off_ends_the_machine(void **state)
{
	struct power power = {.off = count_off};

	(void)state;
	for (unsigned value = 0; value < 256; value++) {
		uint8_t byte = (uint8_t)value;
		bool off = (value & 0x20) != 0 && (value >> 2 & 7) == 5;

		power_offs = 0;
		power_bus_ops.write(&power, 0, &byte, 1);
		assert_int_equal(power_offs, off ? 1 : 0);
		power_bus_ops.write(&power, 1, &byte, 1);
		assert_int_equal(power_offs, off ? 1 : 0);
		byte = 0xff;
		power_bus_ops.read(&power, value & 1, &byte, 1);
		assert_int_equal(byte, 0);
	}
}

/* Intel SDM vol. 3, §3.4.5 and §4.5. */
static void boot_tables_are_flat(void **state)
{
	struct guest_memory memory = ram_create(MIB);
	uint64_t gdt[4];
	uint64_t entry;

	(void)state;
	assert_int_equal(regs_write_tables(&memory, NULL), 0);
	ram_read(&memory, LAYOUT_GDT, gdt, sizeof(gdt));
	assert_true(gdt[0] == 0);
	assert_true(gdt[1] == UINT64_C(0x00af9b000000ffff));
	assert_true(gdt[2] == UINT64_C(0x00cf93000000ffff));
	assert_true(gdt[3] == UINT64_C(0x00008b0000000067));
	ram_read(&memory, LAYOUT_PML4, &entry, 8);
	assert_int_equal(entry, LAYOUT_PDPT | 3);
	ram_read(&memory, LAYOUT_PDPT, &entry, 8);
	assert_int_equal(entry, LAYOUT_PD | 3);
	for (uint64_t i = 0; i < 512; i++) {
		ram_read(&memory, LAYOUT_PD + 8 * i, &entry, 8);
		assert_true(entry == (i << 21 | 0x83));
	}
	guest_memory_destroy(&memory);
}

static void registers_without_a_vcpu(void **state)
{
	struct boot_kernel kernel = {.entry = MIB};
	struct err err = {0};

	(void)state;
	assert_int_equal(regs_set_boot(-1, &kernel, &err), -EBADF);
	assert_int_equal(regs_set_fpu(-1, &err), -EBADF);
	assert_int_equal(regs_set_msrs(-1, &err), -EBADF);
	assert_int_equal(regs_set_lapic(-1, &err), -EBADF);
	assert_says(&err, "KVM_GET_LAPIC");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_pending_asks_for_nothing),
		TEST(a_busy_vcpu_is_asked_for_a_window),
		TEST(a_ready_vcpu_takes_the_vector),
		TEST(the_pic_is_wired_to_vcpu_0_alone),
		TEST(lines_0_to_15_reach_the_pic),
		TEST(without_kvm_it_says_what_is_missing),
		cmocka_unit_test(only_soft_off_ends_the_machine),
		cmocka_unit_test(boot_tables_are_flat),
		cmocka_unit_test(registers_without_a_vcpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
