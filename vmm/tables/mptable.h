/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mptable - processors and interrupts for kernels that do not read ACPI
 * (acpi=off, or built without). Intel MultiProcessor Specification 1.4.
 */
#ifndef KILN_TABLES_MPTABLE_H
#define KILN_TABLES_MPTABLE_H

#include "base/err.h"
#include "tables/board.h"

#define MPTABLE_BYTES_MAX 1024

/*
 * mptable_write - floating pointer at the start of board->mptable, the
 * configuration table right behind it.
 *
 * Kernels look for the pointer in the last KiB of base memory (0x9fc00) among
 * few other places, so the area should begin there.
 * Return: 0; -EINVAL the board cannot be told so; -ENOSPC the area is too small;
 * -ENOMEM the area is not RAM.
 */
int mptable_write(const struct guest_memory *memory,
		  const struct tables_board *board, struct err *err);

#endif
