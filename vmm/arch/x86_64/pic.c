/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/pic.h"

#include <string.h>

#include "base/array.h"
#include "core/state.h"

#define CASCADE_LINE 2

#define ICW1       0x10 /* written to the command port: begin ICW2.. */
#define ICW1_ICW4  0x01
#define ICW1_SNGL  0x02 /* alone: no ICW3 */
#define ICW4_AEOI  0x02
#define OCW3       0x08
#define OCW3_READ  0x02
#define OCW3_ISR   0x01
#define OCW2_EOI   0x20
#define OCW2_LEVEL 0x40 /* of the line in bits 0 to 2 */

void pic_init(struct pic *pic)
{
	memset(pic, 0, sizeof(*pic));
	(void)pthread_mutex_init(&pic->lock, NULL);
	pic->chips[0].masked = 0xff;
	pic->chips[1].masked = 0xff;
}

/* The line that would be acknowledged: lower number first, and none that is
 * not above what is in service; none in the middle of ICW1 to ICW4. -1: none.
 */
static int pending_line(const struct pic_chip *chip)
{
	unsigned open = chip->init_step == 0 ? (unsigned)~chip->masked : 0;
	unsigned ready = chip->requested & open;
	int line = ready == 0 ? 8 : __builtin_ctz(ready);
	int busy = chip->serviced == 0 ? 8 : __builtin_ctz(chip->serviced);

	return line < busy ? line : -1;
}

/* The slave's output is the master's line 2. */
static void update_cascade(struct pic *pic)
{
	uint8_t bit = 1u << CASCADE_LINE;

	if (pending_line(&pic->chips[1]) >= 0)
		pic->chips[0].requested |= bit;
	else
		pic->chips[0].requested &= (uint8_t)~bit;
}

/* Lock held. */
static bool update_pending(struct pic *pic)
{
	bool has;

	update_cascade(pic);
	has = pending_line(&pic->chips[0]) >= 0;
	atomic_store(&pic->pending, has);
	return has;
}

/* Lock held on entry, free on return; tells the owner what became ready. */
static void unlock_and_tell(struct pic *pic)
{
	bool ready = update_pending(pic);

	(void)pthread_mutex_unlock(&pic->lock);
	if (ready && pic->ready != NULL)
		pic->ready(pic->owner);
}

void pic_raise(struct pic *pic, uint32_t line)
{
	if (line >= PIC_LINES)
		return;
	(void)pthread_mutex_lock(&pic->lock);
	pic->chips[line / 8].requested |= (uint8_t)(1u << line % 8);
	unlock_and_tell(pic);
}

static int acknowledge(struct pic_chip *chip)
{
	int line = pending_line(chip);

	if (line < 0)
		return -1;
	chip->requested &= (uint8_t) ~(1u << line);
	if (!chip->auto_eoi)
		chip->serviced |= (uint8_t)(1u << line);
	return line;
}

int pic_take_vector(struct pic *pic)
{
	int vector = -1;

	(void)pthread_mutex_lock(&pic->lock);
	if (update_pending(pic)) {
		int line = acknowledge(&pic->chips[0]);
		const struct pic_chip *chip = &pic->chips[0];

		if (line == CASCADE_LINE) {
			chip = &pic->chips[1];
			line = acknowledge(&pic->chips[1]);
		}
		vector = chip->base + (line < 0 ? 7 : line);
		(void)update_pending(pic);
	}
	(void)pthread_mutex_unlock(&pic->lock);
	return vector;
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	unsigned lowest = chip->serviced & (0u - chip->serviced);

	if ((value & OCW2_EOI) == 0)
		return;
	if ((value & OCW2_LEVEL) != 0)
		lowest = 1u << (value & 7);
	chip->serviced &= (uint8_t)~lowest;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
	if ((value & ICW1) != 0) {
		*chip = (struct pic_chip){
			.init_step = 2,
			.wants_icw4 = (value & ICW1_ICW4) != 0,
			.alone = (value & ICW1_SNGL) != 0,
			.base = chip->base,
		};
	} else if ((value & OCW3) != 0) {
		if ((value & OCW3_READ) != 0)
			chip->reads_isr = (value & OCW3_ISR) != 0;
	} else {
		write_ocw2(chip, value);
	}
}

static uint8_t after_icw3(const struct pic_chip *chip)
{
	return chip->wants_icw4 ? 4 : 0;
}

/* The data port takes ICW2, ICW3, ICW4 in turn after an ICW1, else the mask. */
static void write_data(struct pic_chip *chip, uint8_t value)
{
	switch (chip->init_step) {
	case 2:
		chip->base = value & 0xf8;
		chip->init_step = chip->alone ? after_icw3(chip) : 3;
		break;
	case 3:
		chip->init_step = after_icw3(chip);
		break;
	case 4:
		chip->auto_eoi = (value & ICW4_AEOI) != 0;
		chip->init_step = 0;
		break;
	default:
		chip->masked = value;
	}
}

static void chip_write(struct pic *pic, unsigned index, uint64_t offset,
		       const void *data)
{
	uint8_t value = *(const uint8_t *)data;

	(void)pthread_mutex_lock(&pic->lock);
	if (offset == 0)
		write_command(&pic->chips[index], value);
	else
		write_data(&pic->chips[index], value);
	unlock_and_tell(pic);
}

static void chip_read(struct pic *pic, unsigned index, uint64_t offset,
		      void *data)
{
	const struct pic_chip *chip = &pic->chips[index];

	(void)pthread_mutex_lock(&pic->lock);
	update_cascade(pic);
	*(uint8_t *)data = offset == 1       ? chip->masked
			   : chip->reads_isr ? chip->serviced
					     : chip->requested;
	(void)pthread_mutex_unlock(&pic->lock);
}

static void master_read(void *device, uint64_t offset, void *data, size_t len)
{
	memset(data, 0, len);
	chip_read(device, 0, offset, data);
}

static void master_write(void *device, uint64_t offset, const void *data,
			 size_t len)
{
	(void)len;
	chip_write(device, 0, offset, data);
}

static void slave_read(void *device, uint64_t offset, void *data, size_t len)
{
	memset(data, 0, len);
	chip_read(device, 1, offset, data);
}

static void slave_write(void *device, uint64_t offset, const void *data,
			size_t len)
{
	(void)len;
	chip_write(device, 1, offset, data);
}

const struct bus_ops pic_master_bus_ops = {master_read, master_write};
const struct bus_ops pic_slave_bus_ops = {slave_read, slave_write};

static void pic_reset(void *device)
{
	struct pic *pic = device;

	(void)pthread_mutex_lock(&pic->lock);
	memset(pic->chips, 0, sizeof(pic->chips));
	pic->chips[0].masked = 0xff;
	pic->chips[1].masked = 0xff;
	(void)update_pending(pic);
	(void)pthread_mutex_unlock(&pic->lock);
}

static int pic_state(void *device, struct state *state)
{
	struct pic *pic = device;

	for (size_t i = 0; i < ARRAY_LEN(pic->chips); i++) {
		struct pic_chip *chip = &pic->chips[i];

		state_u8(state, &chip->requested);
		state_u8(state, &chip->serviced);
		state_u8(state, &chip->masked);
		state_u8(state, &chip->base);
		state_u8(state, &chip->init_step);
		state_bool(state, &chip->wants_icw4);
		state_bool(state, &chip->alone);
		state_bool(state, &chip->auto_eoi);
		state_bool(state, &chip->reads_isr);
		if (chip->init_step == 1 || chip->init_step > 4 ||
		    chip->base % 8 != 0)
			state_refuse(state);
	}
	if (!state->saving)
		(void)update_pending(pic);
	return state_status(state);
}

/* Embedded in its owner: there is nothing of its own to free. */
static void pic_destroy(void *device)
{
	(void)device;
}

const struct device_ops pic_ops = {
	.kind = "pic",
	.destroy = pic_destroy,
	.reset = pic_reset,
	.save = pic_state,
	.restore = pic_state,
};
