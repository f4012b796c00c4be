/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi - the machine as ACPI 6.5 describes it, hardware-reduced: no fixed
 * hardware but the sleep registers and the reset register.
 *
 *	RSDP -> XSDT -> FADT -> DSDT
 *		     -> MADT
 */
#ifndef KILN_TABLES_ACPI_H
#define KILN_TABLES_ACPI_H

#include "base/err.h"
#include "tables/board.h"

/* ACPI 6.5 §4.8.4.7: SLP_EN is bit 5, SLP_TYP bits 2 to 4. The type is ours to
 * choose; \_S5 tells the guest. */
#define ACPI_SLEEP_TYPE_OFF 5
/* What a guest writes to the sleep control register to power off. */
#define ACPI_SLEEP_OFF      (0x20 | ACPI_SLEEP_TYPE_OFF << 2)

/* The reset register is the keyboard controller's pulse of the reset line. */
#define ACPI_RESET_PORT  0x64
#define ACPI_RESET_VALUE 0xfe

/*
 * acpi_write - all tables into board->acpi, the RSDP to board->rsdp.
 * Return: 0; -EINVAL areas overlap or the board cannot be told so; -ENOSPC the
 * area is too small; -ENOMEM it is not RAM.
 */
int acpi_write(const struct guest_memory *memory,
	       const struct tables_board *board, struct err *err);

#endif
