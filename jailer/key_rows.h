/* SPDX-License-Identifier: Apache-2.0 */
/* key_rows - the rows themselves; only keys.c reads them. */
#ifndef KILN_JAILER_KEY_ROWS_H
#define KILN_JAILER_KEY_ROWS_H

#include "jailer/keys.h"

extern const struct key_section key_sections[];
extern const unsigned key_section_count;

#endif
