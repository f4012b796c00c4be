/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that says it is an ELF file. */
#include "loader_fuzz.h"

#include <string.h>

#include "base/le.h"

#define FILE_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t file[FILE_MAX];

	if (size > sizeof(file))
		return -1;
	memcpy(file, data, size);
	if (size >= 4)
		le32_store(file, 0x464c457f); /* "\177ELF" */
	fuzz_load(file, size);
	return 0;
}
