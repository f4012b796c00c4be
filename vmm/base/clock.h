/* SPDX-License-Identifier: Apache-2.0 */
/* clock - CLOCK_MONOTONIC in microseconds and nanoseconds. Thread: any. */
#ifndef KILN_BASE_CLOCK_H
#define KILN_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_now_us(void);
uint64_t clock_now_ns(void);

#endif
