/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/entropy.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/types.h>

int entropy_fill(void *data, size_t len)
{
	uint8_t *at = data;

	/* Longer requests than 256 bytes may come back short or interrupted
	 * (getrandom(2)). */
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
