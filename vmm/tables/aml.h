/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aml - an encoder for the part of the ACPI machine language that describes
 * fixed devices: names, integers, strings, packages, resources.
 *
 * Bounded like buf: an overflow is remembered, what comes after it is ignored,
 * and aml_status() is asked once. Packages nest by begin and end:
 *
 *	size_t scope = aml_scope_begin(aml, "_SB_");
 *	size_t device = aml_device_begin(aml, "COM1");
 *	aml_name(aml, "_HID");
 *	aml_string(aml, "PNP0501");
 *	aml_end(aml, device);
 *	aml_end(aml, scope);
 *
 * ACPI 6.5 §20 (language), §6.4 (resources).
 */
#ifndef KILN_TABLES_AML_H
#define KILN_TABLES_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *data; /* borrowed */
	size_t size_bytes;
	size_t len;
	bool overflowed;
};

void aml_init(struct aml *aml, uint8_t *data, size_t size_bytes);
int aml_status(const struct aml *aml); /* 0 or -ENOSPC */

/* Each opens a package and returns the mark that aml_end() closes it with.
 * name: four characters. */
size_t aml_scope_begin(struct aml *aml, const char *name); /* below the root */
size_t aml_device_begin(struct aml *aml, const char *name);
size_t aml_package_begin(struct aml *aml, uint8_t elements);
void aml_end(struct aml *aml, size_t mark);

/* aml_name - name the object that is written next. */
void aml_name(struct aml *aml, const char *name);
void aml_integer(struct aml *aml, uint64_t value);
void aml_string(struct aml *aml, const char *text);

/* Resources: written between begin and end, as the object of a _CRS. */
size_t aml_resources_begin(struct aml *aml);
void aml_resource_memory(struct aml *aml, uint32_t base, uint32_t size_bytes);
void aml_resource_io(struct aml *aml, uint16_t port, uint8_t count);
void aml_resource_edge_gsi(struct aml *aml, uint32_t gsi);
void aml_resources_end(struct aml *aml, size_t mark);

#endif
