/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uart16550_registers - the register model of the UART: what a read gives and
 * what a write does, with no lock, no loop and no descriptor in sight.
 */
#ifndef KILN_LEGACY_UART16550_REGISTERS_H
#define KILN_LEGACY_UART16550_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "legacy/uart16550.h"

struct state;

/* What a snapshot holds. */
struct uart_registers {
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t lsr_errors;
	uint8_t msr_deltas;
	uint8_t scr;
	uint8_t divisor_low;
	uint8_t divisor_high;
	bool sent_pending;
	uint8_t fifo_first;
	uint8_t fifo_count;
	uint8_t fifo[UART16550_FIFO_BYTES];
};

void uart_registers_reset(struct uart_registers *regs);

/* offset < UART16550_SIZE_BYTES */
uint8_t uart_registers_read(struct uart_registers *regs, unsigned offset);
/* Return: true when value goes out on the wire. */
bool uart_registers_write(struct uart_registers *regs, unsigned offset,
			  uint8_t value);

/* uart_registers_pending - is the interrupt line high? */
bool uart_registers_pending(const struct uart_registers *regs);

/* uart_registers_room - bytes that may be received now. */
size_t uart_registers_room(const struct uart_registers *regs);
/* A byte from outside; without room it is lost and an overrun noted. */
void uart_registers_receive(struct uart_registers *regs, uint8_t byte);

/* Both directions (core/state.h). Return: 0 or -EINVAL. */
int uart_registers_state(struct uart_registers *regs, struct state *state);

#endif
