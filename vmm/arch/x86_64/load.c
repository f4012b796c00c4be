/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in RAM when the first instruction runs: kernel, initrd, command
 * line, the page that the boot protocol wants, and the tables that say what
 * machine this is.
 */
#include "arch/x86_64/board.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/regs.h"
#include "boot/cmdline.h"
#include "boot/initrd.h"
#include "boot/kernel.h"
#include "boot/pvh.h"
#include "boot/zero_page.h"
#include "core/arch.h"
#include "tables/acpi.h"
#include "tables/mptable.h"

_Static_assert(POWER_SLEEP_TYPE_S5 == ACPI_SLEEP_TYPE_OFF,
	       "the power port and \\_S5 mean the same sleep type");

static const struct boot_places places = {
	.zero_page = LAYOUT_ZERO_PAGE,
	.setup_data = LAYOUT_SETUP_DATA,
	.pvh_start_info = LAYOUT_PVH_INFO,
	.pvh_modlist = LAYOUT_PVH_MODULES,
	.pvh_memmap = LAYOUT_PVH_MEMMAP,
	.cmdline = LAYOUT_CMDLINE,
	.rsdp = LAYOUT_RSDP,
	.low_ram_end = LAYOUT_SYSTEM,
	.kernel_min = LAYOUT_HIGH_RAM,
	.mapped_end = LAYOUT_MAPPED_END,
};

static const struct machine_drive *root_drive(const struct machine *machine)
{
	for (unsigned i = 0; i < machine->drive_count; i++) {
		if (machine->drives[i].root)
			return &machine->drives[i];
	}
	return NULL;
}

static int build_cmdline(const struct vm *vm, const struct arch_boot *boot,
			 struct boot_cmdline *line, struct err *err)
{
	const struct machine_drive *root = root_drive(vm->machine);
	int r = boot_cmdline_start(line, vm->machine->kernel.cmdline, err);

	r = r < 0 ? r : boot_cmdline_add_pci_off(line, err);
	if (r == 0 && root != NULL)
		r = boot_cmdline_add_root(line, root, err);
	for (unsigned i = 0; r == 0 && i < boot->virtio_count; i++)
		r = boot_cmdline_add_virtio(line, arch_virtio_base(i),
					    ARCH_VIRTIO_BYTES,
					    arch_virtio_gsi(i), err);
	return r < 0 ? r
		     : boot_cmdline_write(line, &vm->memory, places.cmdline,
					  err);
}

static int write_tables(const struct vm *vm, const struct arch_boot *boot,
			struct err *err)
{
	struct tables_virtio virtio[MACHINE_VIRTIO_MAX];
	struct tables_board board = {
		.vcpus = vm->vcpu_count,
		.lapic_base = LAYOUT_LAPIC,
		.ioapic_base = LAYOUT_IOAPIC,
		.gsi_count = LAYOUT_GSI_COUNT,
		.virtio = virtio,
		.virtio_count = boot->virtio_count,
		.has_serial = vm->machine->serial.enabled,
		.serial_port = LAYOUT_PORT_COM1,
		.serial_gsi = LAYOUT_GSI_COM1,
		.keyboard_gsi = LAYOUT_GSI_KEYBOARD,
		.sleep_control_port = LAYOUT_PORT_SLEEP_CONTROL,
		.sleep_status_port = LAYOUT_PORT_SLEEP_STATUS,
		.mptable = {LAYOUT_SYSTEM, MPTABLE_BYTES_MAX},
		.acpi = {LAYOUT_ACPI, LAYOUT_RSDP - LAYOUT_ACPI},
		.rsdp = LAYOUT_RSDP,
	};
	int r;

	for (unsigned i = 0; i < boot->virtio_count; i++)
		virtio[i] = (struct tables_virtio){
			.base = (uint32_t)arch_virtio_base(i),
			.size_bytes = ARCH_VIRTIO_BYTES,
			.gsi = arch_virtio_gsi(i),
		};
	r = mptable_write(&vm->memory, &board, err);
	return r < 0 ? r : acpi_write(&vm->memory, &board, err);
}

static int write_start_page(const struct vm *vm,
			    const struct boot_initrd *initrd,
			    const struct boot_cmdline *line, struct err *err)
{
	const struct boot_kernel *kernel = &vm->arch->kernel;

	if (kernel->protocol == BOOT_PVH)
		return boot_pvh_write(&vm->memory, &places, initrd, err);
	return boot_zero_page_write(&vm->memory, &places, kernel, initrd, line,
				    err);
}

int arch_load(struct vm *vm, const struct arch_boot *boot, struct err *err)
{
	struct boot_kernel *kernel = &vm->arch->kernel;
	struct boot_initrd initrd = {0};
	struct boot_cmdline line;
	int r = boot_load_kernel(&vm->memory, boot->kernel_fd, &places, kernel,
				 err);

	if (r == 0 && boot->initrd_fd >= 0)
		r = boot_load_initrd(&vm->memory, boot->initrd_fd, &places,
				     kernel, &initrd, err);
	r = r < 0 ? r : build_cmdline(vm, boot, &line, err);
	r = r < 0 ? r : write_start_page(vm, &initrd, &line, err);
	r = r < 0 ? r : write_tables(vm, boot, err);
	return r < 0 ? r : regs_write_tables(&vm->memory, err);
}
