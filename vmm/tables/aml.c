/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package starts with its length, in as few bytes as that needs, so the
 * length is put in front when the package is closed and the body moves up.
 */
#include "tables/aml.h"

#include <errno.h>
#include <string.h>

#include "base/le.h"

/* ACPI 6.5 §20.3 */
#define OP_ZERO       0x00
#define OP_ONE        0x01
#define OP_NAME       0x08
#define OP_BYTE       0x0a
#define OP_WORD       0x0b
#define OP_DWORD      0x0c
#define OP_STRING     0x0d
#define OP_QWORD      0x0e
#define OP_SCOPE      0x10
#define OP_BUFFER     0x11
#define OP_PACKAGE    0x12
#define OP_EXT        0x5b
#define OP_EXT_DEVICE 0x82
#define ROOT_CHAR     '\\'

#define NAME_BYTES 4

/* §20.2.4: one byte holds 6 bits; else 4 bits and up to three bytes more. */
#define LENGTH_BYTES_MAX    4
#define LENGTH_ONE_BYTE_MAX 0x3fu

/* §6.4: tag bytes of resources */
#define RESOURCE_IO              0x47
#define RESOURCE_END             0x79
#define RESOURCE_MEMORY32_FIXED  0x86
#define RESOURCE_INTERRUPT       0x89
#define RESOURCE_IO_DECODE16     0x01
#define RESOURCE_MEMORY_WRITABLE 0x01
#define RESOURCE_GSI_FLAGS       0x03 /* consumer, edge, high, exclusive */

void aml_init(struct aml *aml, uint8_t *data, size_t size_bytes)
{
	aml->data = data;
	aml->size_bytes = size_bytes;
	aml->len = 0;
	aml->overflowed = false;
}

int aml_status(const struct aml *aml)
{
	return aml->overflowed ? -ENOSPC : 0;
}

static void put(struct aml *aml, const void *data, size_t len)
{
	if (aml->overflowed || len > aml->size_bytes - aml->len) {
		aml->overflowed = true;
		return;
	}
	memcpy(aml->data + aml->len, data, len);
	aml->len += len;
}

static void put8(struct aml *aml, uint8_t value)
{
	put(aml, &value, sizeof(value));
}

static void put16(struct aml *aml, uint16_t value)
{
	put(aml, &value, sizeof(value));
}

static void put32(struct aml *aml, uint32_t value)
{
	put(aml, &value, sizeof(value));
}

/* Put data in front of what came after mark. */
static void insert(struct aml *aml, size_t mark, const void *data, size_t len)
{
	if (aml->overflowed || len > aml->size_bytes - aml->len) {
		aml->overflowed = true;
		return;
	}
	memmove(aml->data + mark + len, aml->data + mark, aml->len - mark);
	memcpy(aml->data + mark, data, len);
	aml->len += len;
}

/* The length counts its own bytes, so try the shortest that can say so. */
static size_t encode_length(size_t body_len, uint8_t out[LENGTH_BYTES_MAX])
{
	size_t more = 1;

	if (body_len + 1 <= LENGTH_ONE_BYTE_MAX) {
		out[0] = (uint8_t)(body_len + 1);
		return 1;
	}
	while (more < LENGTH_BYTES_MAX - 1 &&
	       (body_len + 1 + more) >> (4 + 8 * more) != 0)
		more++;
	size_t length = body_len + 1 + more;

	out[0] = (uint8_t)(more << 6 | (length & 0xf));
	for (size_t i = 0; i < more; i++)
		out[1 + i] = (uint8_t)(length >> (4 + 8 * i));
	return 1 + more;
}

void aml_end(struct aml *aml, size_t mark)
{
	uint8_t length[LENGTH_BYTES_MAX] = {0};

	if (!aml->overflowed)
		insert(aml, mark, length,
		       encode_length(aml->len - mark, length));
}

size_t aml_scope_begin(struct aml *aml, const char *name)
{
	size_t mark;

	put8(aml, OP_SCOPE);
	mark = aml->len;
	put8(aml, ROOT_CHAR);
	put(aml, name, NAME_BYTES);
	return mark;
}

size_t aml_device_begin(struct aml *aml, const char *name)
{
	size_t mark;

	put8(aml, OP_EXT);
	put8(aml, OP_EXT_DEVICE);
	mark = aml->len;
	put(aml, name, NAME_BYTES);
	return mark;
}

size_t aml_package_begin(struct aml *aml, uint8_t elements)
{
	size_t mark;

	put8(aml, OP_PACKAGE);
	mark = aml->len;
	put8(aml, elements);
	return mark;
}

void aml_name(struct aml *aml, const char *name)
{
	put8(aml, OP_NAME);
	put(aml, name, NAME_BYTES);
}

void aml_integer(struct aml *aml, uint64_t value)
{
	if (value <= 1) {
		put8(aml, value ? OP_ONE : OP_ZERO);
	} else if (value <= UINT8_MAX) {
		put8(aml, OP_BYTE);
		put8(aml, (uint8_t)value);
	} else if (value <= UINT16_MAX) {
		put8(aml, OP_WORD);
		put16(aml, (uint16_t)value);
	} else if (value <= UINT32_MAX) {
		put8(aml, OP_DWORD);
		put32(aml, (uint32_t)value);
	} else {
		put8(aml, OP_QWORD);
		put(aml, &value, sizeof(value));
	}
}

void aml_string(struct aml *aml, const char *text)
{
	put8(aml, OP_STRING);
	put(aml, text, strlen(text) + 1);
}

size_t aml_resources_begin(struct aml *aml)
{
	put8(aml, OP_BUFFER);
	return aml->len;
}

void aml_resource_memory(struct aml *aml, uint32_t base, uint32_t size_bytes)
{
	put8(aml, RESOURCE_MEMORY32_FIXED);
	put16(aml, 9);
	put8(aml, RESOURCE_MEMORY_WRITABLE);
	put32(aml, base);
	put32(aml, size_bytes);
}

void aml_resource_io(struct aml *aml, uint16_t port, uint8_t count)
{
	put8(aml, RESOURCE_IO);
	put8(aml, RESOURCE_IO_DECODE16);
	put16(aml, port); /* lowest and highest base: it does not move */
	put16(aml, port);
	put8(aml, 1); /* alignment */
	put8(aml, count);
}

void aml_resource_edge_gsi(struct aml *aml, uint32_t gsi)
{
	put8(aml, RESOURCE_INTERRUPT);
	put16(aml, 6);
	put8(aml, RESOURCE_GSI_FLAGS);
	put8(aml, 1); /* interrupts that follow */
	put32(aml, gsi);
}

void aml_resources_end(struct aml *aml, size_t mark)
{
	uint8_t size[1 + sizeof(uint16_t)] = {OP_WORD};

	put8(aml, RESOURCE_END);
	put8(aml, 0); /* a checksum of 0 counts as right */
	le16_store(size + 1, (uint16_t)(aml->len - mark));
	insert(aml, mark, size, sizeof(size));
	aml_end(aml, mark);
}
