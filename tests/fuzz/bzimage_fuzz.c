/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that says it is a bzImage. */
#include "loader_fuzz.h"

#include <string.h>

#define FILE_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t file[FILE_MAX];

	if (size > sizeof(file))
		return -1;
	memcpy(file, data, size);
	if (size >= 0x206)
		memcpy(file + 0x202, "HdrS", 4);
	fuzz_load(file, size);
	return 0;
}
