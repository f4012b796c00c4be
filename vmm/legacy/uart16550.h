/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uart16550 - a PC16550D at eight ports (data sheet TL/C/8652, National
 * Semiconductor 1995, §8). It sends at any speed and at once, so that a driver
 * never waits for the transmitter; its receive FIFO is 64 bytes deep.
 *
 *	vCPU   THR write ---> console ring ---> loop ---> out fd
 *	vCPU   RBR read  <--- FIFO <----------- loop <--- in fd
 *
 * Input is read only while the FIFO has room, so nothing is lost or piled up
 * here when a guest does not read.
 */
#ifndef KILN_LEGACY_UART16550_H
#define KILN_LEGACY_UART16550_H

#include "base/err.h"
#include "core/bus.h"
#include "core/device.h"
#include "core/irq.h"

struct console;
struct event_loop;

#define UART16550_SIZE_BYTES 8
#define UART16550_FIFO_BYTES 64

/* The first serial port of a PC. */
#define UART16550_COM1_PORT 0x3f8
#define UART16550_COM1_GSI  4

struct uart16550_setup {
	struct console *console; /* taken on success */
	struct irq_line irq;     /* copied; its fd is borrowed */
	struct event_loop *loop; /* borrowed until destroy */
};

struct uart16550;

/* The console's two descriptors must differ. Thread: as event_loop_add(). */
int uart16550_create(const struct uart16550_setup *setup,
		     struct uart16550 **ret_uart, struct err *err);

/* uart16550_flush - the last output, for a second at the most. Thread: loop,
 * with the vCPUs stopped. */
void uart16550_flush(struct uart16550 *uart);

/* For bus_add(bus, base, UART16550_SIZE_BYTES, ..., uart). */
extern const struct bus_ops uart16550_bus_ops;
extern const struct device_ops uart16550_ops;

#endif
