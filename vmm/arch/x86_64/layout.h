/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout - where things are on the x86_64 board. The map is the one that
 * Firecracker's guests know, so that their kernels and tools feel at home.
 *
 *	0           low RAM: boot structures below 0x30000
 *	0x9fc00     MP table, then ACPI tables, up to the RSDP at 0xe0000
 *	1 MiB       kernel; initrd at the end of the first range
 *	3 GiB       gap: virtio-mmio, IOAPIC, LAPIC
 *	4 GiB       RAM again
 */
#ifndef KILN_ARCH_X86_64_LAYOUT_H
#define KILN_ARCH_X86_64_LAYOUT_H

#define LAYOUT_GDT          0x500
#define LAYOUT_IDT          0x520
#define LAYOUT_PVH_INFO     0x6000
#define LAYOUT_PVH_MODULES  0x6040
#define LAYOUT_PVH_MEMMAP   0x7000
#define LAYOUT_ZERO_PAGE    0x7000
#define LAYOUT_STACK        0x8ff0
#define LAYOUT_PML4         0x9000
#define LAYOUT_PDPT         0xa000
#define LAYOUT_PD           0xb000
#define LAYOUT_CMDLINE      0x20000
#define LAYOUT_SETUP_DATA   0x21000
#define LAYOUT_SYSTEM       0x9fc00 /* MP table first: Linux looks here */
#define LAYOUT_ACPI         0xa0000
#define LAYOUT_RSDP         0xe0000
#define LAYOUT_SYSTEM_END   0x100000
#define LAYOUT_HIGH_RAM     0x100000
#define LAYOUT_GAP          0xc0000000u
#define LAYOUT_VIRTIO       0xc0001000u
#define LAYOUT_IOAPIC       0xfec00000u
#define LAYOUT_LAPIC        0xfee00000u
#define LAYOUT_TSS          0xfffbd000u /* three pages, Intel only */
#define LAYOUT_IDENTITY_MAP 0xfffbc000u /* one page, Intel only */
#define LAYOUT_MAPPED_END   0x40000000u /* by the page tables at PML4 */
#define LAYOUT_AFTER_GAP    0x100000000ull
#define LAYOUT_RAM_END      0x4000000000ull /* 256 GiB */

#define LAYOUT_GSI_KEYBOARD 1
#define LAYOUT_GSI_COM1     4
#define LAYOUT_GSI_VIRTIO   5
#define LAYOUT_GSI_COUNT    24

#define LAYOUT_PORT_KEYBOARD      0x60
#define LAYOUT_PORT_COM1          0x3f8
#define LAYOUT_PORT_SLEEP_CONTROL 0x600
#define LAYOUT_PORT_SLEEP_STATUS  0x601

#endif
