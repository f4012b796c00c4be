/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sources feed the data port. The controller's own answers take one byte,
 * come first and raise no interrupt; a new one replaces an unread one. What
 * the keyboard sends waits in its buffer of 16 bytes, raises an interrupt a
 * byte, and is held back while the controller has the keyboard disabled.
 *
 *	command port --> controller --> reply (1 byte) ---+
 *	data port -----> keyboard ----> buffer (16) ------+--> data port, IRQ 1
 *	i8042_press_ctrl_alt_del() ---> buffer
 *
 * No mouse, said fast: the loop-back test answers as if from the keyboard and
 * the wire test finds the clock line stuck. Linux then leaves the port alone;
 * a mouse that passes both would have to prove its interrupt, or cost 250 ms.
 */
#include "legacy/i8042.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/state.h"

enum {
	STATUS_OUTPUT_FULL = 0x01,
	STATUS_SYSTEM = 0x04,  /* self-test passed; mirrors the command byte */
	STATUS_COMMAND = 0x08, /* the last write went to the command port */
	STATUS_UNLOCKED = 0x10,
	STATUS_AUX_DATA = 0x20,
	CTR_KEYBOARD_IRQ = 0x01,
	CTR_SYSTEM = 0x04,
	CTR_KEYBOARD_OFF = 0x10,
	CTR_AUX_OFF = 0x20,
	CTR_TRANSLATE = 0x40,
	OUTPUT_PORT_RUN = 0x01, /* 0 holds the processor in reset */
	OUTPUT_PORT_A20 = 0x02,
	KEYBOARD_ACK = 0xfa,
	KEYBOARD_RESEND = 0xfe,
};

/* Keyboard commands that code beyond the table cares about */
enum {
	KEYBOARD_SCANCODE_SET = 0xf0,
	KEYBOARD_RESET = 0xff,
};

/* What a snapshot holds. */
struct registers {
	uint8_t ctr;     /* the controller's command byte */
	uint8_t command; /* waits for its data byte; 0: none */
	bool command_was_last;
	bool reply_full;
	bool reply_is_aux;
	uint8_t reply;
	uint8_t output_port;
	uint8_t keyboard_command; /* waits for its data byte; 0: none */
	uint8_t buffer_count;
	uint8_t buffer[I8042_BUFFER_BYTES];
};

struct i8042 {
	pthread_mutex_t lock;
	struct registers regs;
	struct irq_line irq;
	void (*reset)(void *owner);
	void *owner;
};

/* Output */

static bool keyboard_is_heard(const struct registers *regs)
{
	return regs->buffer_count > 0 && !(regs->ctr & CTR_KEYBOARD_OFF);
}

/* A byte of the keyboard has come to the front. */
static void raise_if_heard(const struct i8042 *i8042)
{
	const struct registers *regs = &i8042->regs;

	if (!regs->reply_full && keyboard_is_heard(regs) &&
	    (regs->ctr & CTR_KEYBOARD_IRQ))
		irq_line_raise(&i8042->irq);
}

static void reply_from(struct registers *regs, uint8_t byte, bool is_aux)
{
	regs->reply = byte;
	regs->reply_full = true;
	regs->reply_is_aux = is_aux;
}

static void reply(struct registers *regs, uint8_t byte)
{
	reply_from(regs, byte, false);
}

/* Scan codes of set 2 and what set 1 has in their place, for those that can
 * come; the rest of what a keyboard says stays as it is. */
static uint8_t translate(uint8_t byte)
{
	static const uint8_t pairs[][2] = {
		{0x14, 0x1d}, /* left Ctrl */
		{0x11, 0x38}, /* left Alt */
		{0x71, 0x53}, /* Delete, behind 0xe0 */
		{0x83, 0x41}, /* second byte of the identity */
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (pairs[i][0] == byte)
			return pairs[i][1];
	}
	return byte;
}

/* All of it or nothing. */
static bool keyboard_send(struct i8042 *i8042, const uint8_t *bytes,
			  size_t count)
{
	struct registers *regs = &i8042->regs;
	bool was_heard = keyboard_is_heard(regs);

	if (count > (size_t)I8042_BUFFER_BYTES - regs->buffer_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint8_t byte = regs->ctr & CTR_TRANSLATE ? translate(bytes[i])
							 : bytes[i];

		regs->buffer[regs->buffer_count++] = byte;
	}
	if (!was_heard)
		raise_if_heard(i8042);
	return true;
}

/* The keyboard */

static const struct keyboard_command {
	uint8_t command;
	uint8_t answer_len;
	uint8_t answer[3];
	bool takes_data;
} keyboard_commands[] = {
	{KEYBOARD_RESET, 2, {KEYBOARD_ACK, 0xaa}, false},
	{0xf2, 3, {KEYBOARD_ACK, 0xab, 0x83}, false}, /* identify */
	{0xee, 1, {0xee}, false},                     /* echo */
	{0xed, 1, {KEYBOARD_ACK}, true},              /* LEDs */
	{0xf3, 1, {KEYBOARD_ACK}, true},              /* repeat rate */
	{KEYBOARD_SCANCODE_SET, 1, {KEYBOARD_ACK}, true},
};

static void keyboard_data(struct i8042 *i8042, uint8_t data)
{
	static const uint8_t set_2[] = {KEYBOARD_ACK, 0x02};
	bool asked_for_set =
		i8042->regs.keyboard_command == KEYBOARD_SCANCODE_SET &&
		data == 0;

	i8042->regs.keyboard_command = 0;
	(void)keyboard_send(i8042, set_2, asked_for_set ? 2 : 1);
}

static void keyboard_write(struct i8042 *i8042, uint8_t byte)
{
	static const struct keyboard_command any = {
		0, 1, {KEYBOARD_ACK}, false};
	const struct keyboard_command *found = &any;
	struct registers *regs = &i8042->regs;

	regs->ctr &= (uint8_t)~CTR_KEYBOARD_OFF; /* talking to it enables it */
	if (regs->keyboard_command != 0) {
		keyboard_data(i8042, byte);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(keyboard_commands); i++) {
		if (keyboard_commands[i].command == byte)
			found = &keyboard_commands[i];
	}
	if (byte == KEYBOARD_RESET)
		regs->buffer_count = 0;
	if (found->takes_data)
		regs->keyboard_command = byte;
	(void)keyboard_send(i8042, found->answer, found->answer_len);
}

/* The controller. Each returns true when the machine is to be reset. */

static void change_ctr(struct i8042 *i8042, uint8_t ctr)
{
	bool was_heard = keyboard_is_heard(&i8042->regs) &&
			 (i8042->regs.ctr & CTR_KEYBOARD_IRQ);

	i8042->regs.ctr = ctr;
	if (!was_heard)
		raise_if_heard(i8042);
}

static bool data_ctr(struct i8042 *i8042, uint8_t data)
{
	change_ctr(i8042, data);
	return false;
}

static bool data_output_port(struct i8042 *i8042, uint8_t data)
{
	i8042->regs.output_port = data | OUTPUT_PORT_RUN;
	return !(data & OUTPUT_PORT_RUN);
}

static bool data_as_keyboard(struct i8042 *i8042, uint8_t data)
{
	reply(&i8042->regs, data);
	if (i8042->regs.ctr & CTR_KEYBOARD_IRQ)
		irq_line_raise(&i8042->irq);
	return false;
}

static bool data_as_mouse(struct i8042 *i8042, uint8_t data)
{
	reply(&i8042->regs, data);
	return false;
}

static bool data_to_mouse(struct i8042 *i8042, uint8_t data)
{
	(void)data;
	reply_from(&i8042->regs, KEYBOARD_RESEND, true);
	return false;
}

static bool read_ctr(struct i8042 *i8042)
{
	reply(&i8042->regs, i8042->regs.ctr);
	return false;
}

static bool read_output_port(struct i8042 *i8042)
{
	reply(&i8042->regs, i8042->regs.output_port);
	return false;
}

static bool self_test(struct i8042 *i8042)
{
	reply(&i8042->regs, 0x55);
	return false;
}

static bool keyboard_test(struct i8042 *i8042)
{
	reply(&i8042->regs, 0x00);
	return false;
}

static bool mouse_test(struct i8042 *i8042)
{
	reply(&i8042->regs, 0x01); /* clock line stuck low */
	return false;
}

static bool read_input_port(struct i8042 *i8042)
{
	reply(&i8042->regs, 0x80); /* not locked by a key */
	return false;
}

static bool keyboard_off(struct i8042 *i8042)
{
	change_ctr(i8042, i8042->regs.ctr | CTR_KEYBOARD_OFF);
	return false;
}

static bool keyboard_on(struct i8042 *i8042)
{
	change_ctr(i8042, i8042->regs.ctr & (uint8_t)~CTR_KEYBOARD_OFF);
	return false;
}

static bool mouse_off(struct i8042 *i8042)
{
	change_ctr(i8042, i8042->regs.ctr | CTR_AUX_OFF);
	return false;
}

static bool mouse_on(struct i8042 *i8042)
{
	change_ctr(i8042, i8042->regs.ctr & (uint8_t)~CTR_AUX_OFF);
	return false;
}

static const struct command {
	uint8_t command;
	bool (*act)(struct i8042 *i8042);                /* at once, or ... */
	bool (*data)(struct i8042 *i8042, uint8_t data); /* with its byte */
} commands[] = {
	{.command = 0x20, .act = read_ctr},
	{.command = 0x60, .data = data_ctr},
	{.command = 0xa7, .act = mouse_off},
	{.command = 0xa8, .act = mouse_on},
	{.command = 0xa9, .act = mouse_test},
	{.command = 0xaa, .act = self_test},
	{.command = 0xab, .act = keyboard_test},
	{.command = 0xad, .act = keyboard_off},
	{.command = 0xae, .act = keyboard_on},
	{.command = 0xc0, .act = read_input_port},
	{.command = 0xd0, .act = read_output_port},
	{.command = 0xd1, .data = data_output_port},
	{.command = 0xd2, .data = data_as_keyboard},
	{.command = 0xd3, .data = data_as_mouse},
	{.command = 0xd4, .data = data_to_mouse},
};

static const struct command *find_command(uint8_t byte)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (commands[i].command == byte)
			return &commands[i];
	}
	return NULL;
}

/* 0xf0 to 0xff pulse the bits of the output port that are 0 in the command;
 * bit 0 is the reset line, the others lead nowhere. */
static bool is_reset_pulse(uint8_t byte)
{
	return (byte & 0xf0) == 0xf0 && !(byte & OUTPUT_PORT_RUN);
}

static bool command_write(struct i8042 *i8042, uint8_t byte)
{
	const struct command *found = find_command(byte);
	struct registers *regs = &i8042->regs;

	regs->command_was_last = true;
	regs->command = found != NULL && found->data != NULL ? byte : 0;
	if (found != NULL && found->act != NULL)
		return found->act(i8042);
	return is_reset_pulse(byte);
}

static bool data_write(struct i8042 *i8042, uint8_t byte)
{
	const struct command *waiting = find_command(i8042->regs.command);

	i8042->regs.command_was_last = false;
	i8042->regs.command = 0;
	if (waiting != NULL && waiting->data != NULL)
		return waiting->data(i8042, byte);
	keyboard_write(i8042, byte);
	return false;
}

static uint8_t data_read(struct i8042 *i8042)
{
	struct registers *regs = &i8042->regs;
	uint8_t byte = regs->reply; /* an empty register keeps its last byte */

	if (regs->reply_full) {
		regs->reply_full = false;
	} else if (keyboard_is_heard(regs)) {
		byte = regs->buffer[0];
		regs->reply = byte;
		regs->buffer_count--;
		memmove(regs->buffer, regs->buffer + 1, regs->buffer_count);
	} else {
		return byte;
	}
	raise_if_heard(i8042);
	return byte;
}

static uint8_t status_read(struct i8042 *i8042)
{
	const struct registers *regs = &i8042->regs;
	uint8_t status = STATUS_UNLOCKED;

	if (regs->reply_full || keyboard_is_heard(regs))
		status |= STATUS_OUTPUT_FULL;
	if (regs->reply_full && regs->reply_is_aux)
		status |= STATUS_AUX_DATA;
	if (regs->ctr & CTR_SYSTEM)
		status |= STATUS_SYSTEM;
	if (regs->command_was_last)
		status |= STATUS_COMMAND;
	return status;
}

/* The ports: one byte wide each, so one byte it is. */

static void port_read(struct i8042 *i8042, void *data, size_t len,
		      uint8_t (*read)(struct i8042 *))
{
	memset(data, 0, len);
	(void)pthread_mutex_lock(&i8042->lock);
	*(uint8_t *)data = read(i8042);
	(void)pthread_mutex_unlock(&i8042->lock);
}

static void port_write(struct i8042 *i8042, const void *data,
		       bool (*write)(struct i8042 *, uint8_t))
{
	bool reset;

	(void)pthread_mutex_lock(&i8042->lock);
	reset = write(i8042, *(const uint8_t *)data);
	(void)pthread_mutex_unlock(&i8042->lock);
	if (reset)
		i8042->reset(i8042->owner);
}

static void data_bus_read(void *device, uint64_t offset, void *data, size_t len)
{
	(void)offset;
	port_read(device, data, len, data_read);
}

static void data_bus_write(void *device, uint64_t offset, const void *data,
			   size_t len)
{
	(void)offset;
	(void)len;
	port_write(device, data, data_write);
}

static void command_bus_read(void *device, uint64_t offset, void *data,
			     size_t len)
{
	(void)offset;
	port_read(device, data, len, status_read);
}

static void command_bus_write(void *device, uint64_t offset, const void *data,
			      size_t len)
{
	(void)offset;
	(void)len;
	port_write(device, data, command_write);
}

const struct bus_ops i8042_data_bus_ops = {
	.read = data_bus_read,
	.write = data_bus_write,
};

const struct bus_ops i8042_command_bus_ops = {
	.read = command_bus_read,
	.write = command_bus_write,
};

int i8042_press_ctrl_alt_del(struct i8042 *i8042, struct err *err)
{
	static const uint8_t keys[] = {0x14, 0x11, 0xe0, 0x71};
	bool sent;

	(void)pthread_mutex_lock(&i8042->lock);
	sent = keyboard_send(i8042, keys, sizeof(keys));
	(void)pthread_mutex_unlock(&i8042->lock);
	return sent ? 0 : err_say(err, ENOBUFS, "i8042 internal buffer full");
}

/* Life */

static void registers_reset(struct registers *regs)
{
	*regs = (struct registers){
		.ctr = CTR_KEYBOARD_IRQ | CTR_SYSTEM,
		.output_port = OUTPUT_PORT_RUN | OUTPUT_PORT_A20,
	};
}

int i8042_create(const struct i8042_setup *setup, struct i8042 **ret_i8042,
		 struct err *err)
{
	struct i8042 *i8042 = calloc(1, sizeof(*i8042));

	if (i8042 == NULL)
		return err_set(err, ENOMEM, "keyboard controller");
	(void)pthread_mutex_init(&i8042->lock, NULL);
	registers_reset(&i8042->regs);
	i8042->irq = setup->irq;
	i8042->reset = setup->reset;
	i8042->owner = setup->owner;
	*ret_i8042 = i8042;
	return 0;
}

static void destroy(void *device)
{
	struct i8042 *i8042 = device;

	if (i8042 == NULL)
		return;
	(void)pthread_mutex_destroy(&i8042->lock);
	free(i8042);
}

static void reset(void *device)
{
	struct i8042 *i8042 = device;

	(void)pthread_mutex_lock(&i8042->lock);
	registers_reset(&i8042->regs);
	(void)pthread_mutex_unlock(&i8042->lock);
}

/* Both directions. */
static int registers_state(struct registers *regs, struct state *state)
{
	state_u8(state, &regs->ctr);
	state_u8(state, &regs->command);
	state_bool(state, &regs->command_was_last);
	state_bool(state, &regs->reply_full);
	state_bool(state, &regs->reply_is_aux);
	state_u8(state, &regs->reply);
	state_u8(state, &regs->output_port);
	state_u8(state, &regs->keyboard_command);
	state_u8(state, &regs->buffer_count);
	state_bytes(state, regs->buffer, sizeof(regs->buffer));
	if (regs->buffer_count > I8042_BUFFER_BYTES)
		state_refuse(state);
	return state_status(state);
}

static int save(void *device, struct state *state)
{
	struct i8042 *i8042 = device;
	int r;

	(void)pthread_mutex_lock(&i8042->lock);
	r = registers_state(&i8042->regs, state);
	(void)pthread_mutex_unlock(&i8042->lock);
	return r;
}

/* An edge on its way when the snapshot was taken is lost: raised again. */
static int restore(void *device, struct state *state)
{
	struct i8042 *i8042 = device;
	struct registers regs;
	int r;

	registers_reset(&regs);
	r = registers_state(&regs, state);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&i8042->lock);
	i8042->regs = regs;
	raise_if_heard(i8042);
	(void)pthread_mutex_unlock(&i8042->lock);
	return 0;
}

const struct device_ops i8042_ops = {
	.kind = "i8042",
	.destroy = destroy,
	.reset = reset,
	.save = save,
	.restore = restore,
};
