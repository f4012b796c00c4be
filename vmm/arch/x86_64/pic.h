/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pic - the pair of 8259A interrupt controllers, in the VMM, for guests that
 * do not use the IOAPIC ("noapic", small kernels). Edge-triggered, cascaded on
 * IR2, answers on 0x20-0x21 and 0xa0-0xa1. The vCPU that asks for a vector is
 * always vCPU 0. Source: Intel 8259A data sheet.
 */
#ifndef KILN_ARCH_X86_64_PIC_H
#define KILN_ARCH_X86_64_PIC_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bus.h"
#include "core/device.h"

#define PIC_PORT_MASTER 0x20
#define PIC_PORT_SLAVE  0xa0
#define PIC_LINES       16

struct pic_chip {
	uint8_t requested; /* IRR */
	uint8_t serviced;  /* ISR */
	uint8_t masked;    /* IMR */
	uint8_t base;      /* vector of line 0, from ICW2 */
	uint8_t init_step; /* 0: running, else the ICW that comes next */
	bool wants_icw4;
	bool alone; /* ICW1 says there is no cascade: no ICW3 comes */
	bool auto_eoi;
	bool reads_isr;
};

struct pic {
	pthread_mutex_t lock;
	struct pic_chip chips[2]; /* master, slave */
	/* has a vector; readable without the lock, as a hint */
	atomic_bool pending;
	/* Called without the lock when a vector became ready. Thread: any. */
	void (*ready)(void *owner);
	void *owner;
};

extern const struct bus_ops pic_master_bus_ops;
extern const struct bus_ops pic_slave_bus_ops;
extern const struct device_ops pic_ops;

void pic_init(struct pic *pic);

/* pic_raise - an edge on a line; lines over 15 are not connected. */
void pic_raise(struct pic *pic, uint32_t line);

/* pic_take_vector - the interrupt acknowledge cycle. -1: nothing pending. */
int pic_take_vector(struct pic *pic);

#endif
