/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - the cursor that both saves and restores. A device lists its fields
 * once; the direction decides whether they are written or read. Little-endian,
 * bounded: a cursor that runs out fails for good and leaves values alone.
 *
 *	state_u32(state, &dev->features);
 *	state_bytes(state, dev->config, sizeof(dev->config));
 *	return state_status(state);
 */
#ifndef KILN_CORE_STATE_H
#define KILN_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state {
	uint8_t *data; /* borrowed */
	size_t size_bytes;
	size_t at;
	bool saving;
	bool failed;
};

void state_bytes(struct state *state, void *data, size_t len);
void state_u8(struct state *state, uint8_t *value);
void state_u16(struct state *state, uint16_t *value);
void state_u32(struct state *state, uint32_t *value);
void state_u64(struct state *state, uint64_t *value);
void state_bool(struct state *state, bool *value); /* refuses 2..255 */

/* state_refuse - a restored value that cannot be. */
void state_refuse(struct state *state);
int state_status(const struct state *state); /* 0 or -EINVAL */

#endif
