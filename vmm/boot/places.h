/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places - where the board wants what the guest finds at its start. The loaders
 * know formats and no addresses; the board knows addresses and no formats.
 */
#ifndef KILN_BOOT_PLACES_H
#define KILN_BOOT_PLACES_H

#include "core/memory.h"

/*
 * Every structure lies below kernel_min, in RAM, apart from the others; the
 * zero page and the PVH structures may share addresses, since a kernel is given
 * one or the other.
 */
struct boot_places {
	gpa_t zero_page;      /* struct boot_params, 4 KiB */
	gpa_t setup_data;     /* random seed for the zero page, 48 bytes */
	gpa_t pvh_start_info; /* 56 bytes */
	gpa_t pvh_modlist;    /* 32 bytes */
	gpa_t pvh_memmap;     /* 24 bytes per range, E820_MAX of them */
	gpa_t cmdline;        /* MACHINE_CMDLINE_MAX bytes */
	gpa_t rsdp;           /* told to the kernel, written by tables/ */
	gpa_t low_ram_end;    /* from here to kernel_min: reserved, tables */
	gpa_t kernel_min;     /* kernel and initrd lie here or above */
	gpa_t mapped_end;     /* what the 64-bit start state maps 1:1 ends */
};

#endif
