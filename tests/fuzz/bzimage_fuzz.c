/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that says it is a bzImage. */
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
	if (size >= 0x206)
		le32_store(file + 0x202, 0x53726448); /* "HdrS" */
	fuzz_load(file, size);
	return 0;
}
