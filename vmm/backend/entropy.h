/* SPDX-License-Identifier: Apache-2.0 */
/* entropy - random bytes from the host kernel's generator. Thread: any. */
#ifndef KILN_BACKEND_ENTROPY_H
#define KILN_BACKEND_ENTROPY_H

#include <stddef.h>

/* entropy_fill - all len bytes or an error. Return: 0; -errno of getrandom. */
int entropy_fill(void *data, size_t len);

#endif
