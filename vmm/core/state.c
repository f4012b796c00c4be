/* SPDX-License-Identifier: Apache-2.0 */
#include "core/state.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

void state_bytes(struct state *state, void *data, size_t len)
{
	if (state->failed || !range_ok(state->at, len, state->size_bytes)) {
		state->failed = true;
		return;
	}
	if (state->saving)
		memcpy(state->data + state->at, data, len);
	else
		memcpy(data, state->data + state->at, len);
	state->at += len;
}

void state_u8(struct state *state, uint8_t *value)
{
	state_bytes(state, value, sizeof(*value));
}

void state_u16(struct state *state, uint16_t *value)
{
	state_bytes(state, value, sizeof(*value));
}

void state_u32(struct state *state, uint32_t *value)
{
	state_bytes(state, value, sizeof(*value));
}

void state_u64(struct state *state, uint64_t *value)
{
	state_bytes(state, value, sizeof(*value));
}

void state_bool(struct state *state, bool *value)
{
	uint8_t byte = *value ? 1 : 0;

	state_u8(state, &byte);
	if (byte > 1)
		state->failed = true;
	if (!state->failed)
		*value = byte == 1;
}

void state_refuse(struct state *state)
{
	state->failed = true;
}

int state_status(const struct state *state)
{
	return state->failed ? -EINVAL : 0;
}
