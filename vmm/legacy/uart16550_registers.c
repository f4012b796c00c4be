/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts: four sources, each behind a bit of IER; the line is high while
 * any of them is pending.
 *
 * "Transmitter empty" is an event, not a state: it is pending after a write to
 * THR and after IER bit 1 goes from 0 to 1, until IIR has named it. Linux
 * tests just this when a port is opened (8250_port.c, "test for UARTs that do
 * not reassert THRE") and falls back to polling by a timer where it fails.
 */
#include "legacy/uart16550_registers.h"

#include "base/array.h"
#include "core/state.h"

#define FIFO_MASK (UART16550_FIFO_BYTES - 1u)

_Static_assert((UART16550_FIFO_BYTES & FIFO_MASK) == 0, "a power of two");

/* Data sheet §8, table II */
enum {
	IER_RECEIVED = 0x01,
	IER_SENT = 0x02,
	IER_LINE = 0x04,
	IER_MODEM = 0x08,
	IER_ALL = 0x0f,
	IIR_NONE = 0x01,
	IIR_FIFO_ON = 0xc0,
	FCR_ENABLE = 0x01,
	FCR_CLEAR_RECEIVER = 0x02,
	FCR_TRIGGER_SHIFT = 6,
	LCR_DLAB = 0x80,
	MCR_LOOP = 0x10,
	MCR_ALL = 0x1f,
	LSR_DATA_READY = 0x01,
	LSR_OVERRUN = 0x02,
	LSR_SENT = 0x60, /* holding and shift register empty */
	MSR_DELTAS = 0x0f,
	MSR_RING_ENDED = 0x04,
	MSR_RING = 0x40,
	MSR_CONNECTED = 0xb0, /* CTS, DSR, DCD: somebody is always there */
};

/* Interrupts */

static bool line_is_pending(const struct uart_registers *regs)
{
	return regs->lsr_errors != 0;
}

static bool received_is_pending(const struct uart_registers *regs)
{
	return regs->fifo_count > 0;
}

static bool sent_is_pending(const struct uart_registers *regs)
{
	return regs->sent_pending;
}

static bool modem_is_pending(const struct uart_registers *regs)
{
	return regs->msr_deltas != 0;
}

/* By priority: data sheet §8.6, table IV */
static const struct interrupt {
	uint8_t enable;
	uint8_t id;
	bool (*is_pending)(const struct uart_registers *regs);
} interrupts[] = {
	{IER_LINE, 0x06, line_is_pending},
	{IER_RECEIVED, 0x04, received_is_pending},
	{IER_SENT, 0x02, sent_is_pending},
	{IER_MODEM, 0x00, modem_is_pending},
};

static const struct interrupt *
pending_interrupt(const struct uart_registers *regs)
{
	for (size_t i = 0; i < ARRAY_LEN(interrupts); i++) {
		if ((regs->ier & interrupts[i].enable) &&
		    interrupts[i].is_pending(regs))
			return &interrupts[i];
	}
	return NULL;
}

/* Receiver */

void uart_registers_receive(struct uart_registers *regs, uint8_t byte)
{
	if (regs->fifo_count == UART16550_FIFO_BYTES) {
		regs->lsr_errors |= LSR_OVERRUN;
		return;
	}
	regs->fifo[(regs->fifo_first + regs->fifo_count) & FIFO_MASK] = byte;
	regs->fifo_count++;
}

/* In a loop-back the wire from outside is cut: §8.7. */
size_t uart_registers_room(const struct uart_registers *regs)
{
	if (regs->mcr & MCR_LOOP)
		return 0;
	return (size_t)UART16550_FIFO_BYTES - regs->fifo_count;
}

/* Registers, read */

static bool divisor_is_open(const struct uart_registers *regs)
{
	return (regs->lcr & LCR_DLAB) != 0;
}

static uint8_t read_data(struct uart_registers *regs)
{
	uint8_t byte;

	if (divisor_is_open(regs))
		return regs->divisor_low;
	if (regs->fifo_count == 0)
		return 0;
	byte = regs->fifo[regs->fifo_first];
	regs->fifo_first = (regs->fifo_first + 1) & FIFO_MASK;
	regs->fifo_count--;
	return byte;
}

static uint8_t read_ier(struct uart_registers *regs)
{
	return divisor_is_open(regs) ? regs->divisor_high : regs->ier;
}

/* Fewer bytes than the trigger level are reported by the time-out that would
 * come four characters later (§8.4.4); no reason to wait for it. */
static uint8_t received_id(const struct uart_registers *regs)
{
	static const uint8_t trigger[] = {1, 4, 8, 14};

	if (!(regs->fcr & FCR_ENABLE) ||
	    regs->fifo_count >= trigger[regs->fcr >> FCR_TRIGGER_SHIFT])
		return 0x04;
	return 0x0c;
}

static uint8_t read_iir(struct uart_registers *regs)
{
	const struct interrupt *interrupt = pending_interrupt(regs);
	uint8_t fifo = regs->fcr & FCR_ENABLE ? IIR_FIFO_ON : 0;

	if (interrupt == NULL)
		return fifo | IIR_NONE;
	if (interrupt->enable == IER_RECEIVED)
		return fifo | received_id(regs);
	if (interrupt->enable == IER_SENT)
		regs->sent_pending = false;
	return fifo | interrupt->id;
}

static uint8_t read_lcr(struct uart_registers *regs)
{
	return regs->lcr;
}

static uint8_t read_mcr(struct uart_registers *regs)
{
	return regs->mcr;
}

static uint8_t read_lsr(struct uart_registers *regs)
{
	uint8_t lsr = LSR_SENT | regs->lsr_errors;

	if (regs->fifo_count > 0)
		lsr |= LSR_DATA_READY;
	regs->lsr_errors = 0;
	return lsr;
}

/* §8.7, §8.8: RTS, DTR, OUT1 and OUT2 come back as CTS, DSR, RI and DCD. */
static uint8_t modem_lines(uint8_t mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((mcr & 0x02) << 3 | (mcr & 0x01) << 5 |
			 (mcr & 0x04) << 4 | (mcr & 0x08) << 4);
}

static uint8_t read_msr(struct uart_registers *regs)
{
	uint8_t msr = modem_lines(regs->mcr) | regs->msr_deltas;

	regs->msr_deltas = 0;
	return msr;
}

static uint8_t read_scr(struct uart_registers *regs)
{
	return regs->scr;
}

/* Registers, written */

/* Return of each: true when value goes out on the wire. */

static bool write_data(struct uart_registers *regs, uint8_t value)
{
	if (divisor_is_open(regs)) {
		regs->divisor_low = value;
		return false;
	}
	regs->sent_pending = true; /* gone already */
	if (regs->mcr & MCR_LOOP)
		uart_registers_receive(regs, value);
	return !(regs->mcr & MCR_LOOP);
}

static bool write_ier(struct uart_registers *regs, uint8_t value)
{
	if (divisor_is_open(regs)) {
		regs->divisor_high = value;
		return false;
	}
	if ((value & ~regs->ier) & IER_SENT)
		regs->sent_pending = true;
	regs->ier = value & IER_ALL;
	return false;
}

static bool write_fcr(struct uart_registers *regs, uint8_t value)
{
	if (value & FCR_CLEAR_RECEIVER)
		regs->fifo_count = 0;
	/* §8.4: the other bits mean something only together with bit 0 */
	regs->fcr = value & FCR_ENABLE ? value & 0xc1 : 0;
	return false;
}

static bool write_lcr(struct uart_registers *regs, uint8_t value)
{
	regs->lcr = value;
	return false;
}

static bool write_mcr(struct uart_registers *regs, uint8_t value)
{
	uint8_t before = modem_lines(regs->mcr);
	uint8_t after;
	uint8_t changed;

	regs->mcr = value & MCR_ALL;
	after = modem_lines(regs->mcr);
	changed = (uint8_t)((before ^ after) >> 4);
	/* §8.8: of the ring indicator only the trailing edge counts */
	if (after & MSR_RING)
		changed &= (uint8_t)~MSR_RING_ENDED;
	regs->msr_deltas |= changed & MSR_DELTAS;
	return false;
}

static bool write_scr(struct uart_registers *regs, uint8_t value)
{
	regs->scr = value;
	return false;
}

static const struct reg {
	uint8_t (*read)(struct uart_registers *regs);
	bool (*write)(struct uart_registers *regs, uint8_t value); /* or NULL */
} reg_table[UART16550_SIZE_BYTES] = {
	{read_data, write_data}, {read_ier, write_ier}, {read_iir, write_fcr},
	{read_lcr, write_lcr},   {read_mcr, write_mcr}, {read_lsr, NULL},
	{read_msr, NULL},        {read_scr, write_scr},
};

uint8_t uart_registers_read(struct uart_registers *regs, unsigned offset)
{
	return reg_table[offset].read(regs);
}

bool uart_registers_write(struct uart_registers *regs, unsigned offset,
			  uint8_t value)
{
	const struct reg *reg = &reg_table[offset];

	return reg->write != NULL && reg->write(regs, value);
}

bool uart_registers_pending(const struct uart_registers *regs)
{
	return pending_interrupt(regs) != NULL;
}

/* 9600 baud, as firmware would leave it. */
void uart_registers_reset(struct uart_registers *regs)
{
	*regs = (struct uart_registers){.divisor_low = 0x0c};
}

int uart_registers_state(struct uart_registers *regs, struct state *state)
{
	state_u8(state, &regs->ier);
	state_u8(state, &regs->fcr);
	state_u8(state, &regs->lcr);
	state_u8(state, &regs->mcr);
	state_u8(state, &regs->lsr_errors);
	state_u8(state, &regs->msr_deltas);
	state_u8(state, &regs->scr);
	state_u8(state, &regs->divisor_low);
	state_u8(state, &regs->divisor_high);
	state_bool(state, &regs->sent_pending);
	state_u8(state, &regs->fifo_first);
	state_u8(state, &regs->fifo_count);
	state_bytes(state, regs->fifo, sizeof(regs->fifo));
	if (regs->ier > IER_ALL || regs->mcr > MCR_ALL ||
	    regs->fifo_first > FIFO_MASK ||
	    regs->fifo_count > UART16550_FIFO_BYTES)
		state_refuse(state);
	return state_status(state);
}
