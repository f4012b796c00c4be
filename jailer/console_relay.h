/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_relay - standard input to the guest's serial port, the port's output
 * to standard output. Bounded: one buffer a way, and a source is read only
 * while its buffer has room. Output passes as it is. On a terminal Ctrl-A x
 * asks kiln to stop the VM, and Ctrl-A Ctrl-A sends one Ctrl-A.
 */
#ifndef KILN_JAILER_CONSOLE_RELAY_H
#define KILN_JAILER_CONSOLE_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_BUFFER_BYTES 4096
#define CONSOLE_POLLS        4

struct console_way {
	int from, to;      /* borrowed; -1: this end is closed for good */
	size_t start, end; /* what is read and not yet written */
	char data[CONSOLE_BUFFER_BYTES];
};

struct console_relay {
	struct console_way in;  /* stdin -> guest */
	struct console_way out; /* guest -> stdout */
	bool terminal;          /* stdin is one: look for Ctrl-A */
	bool escape;            /* Ctrl-A was the last key */
	bool leave;             /* Ctrl-A x was typed */
};

/* console_relay_init - descriptors of the guest's side, -1: no console. */
void console_relay_init(struct console_relay *relay, int guest_in,
			int guest_out, bool terminal);

/* console_relay_polls - fill CONSOLE_POLLS entries; unused ones have fd -1. */
void console_relay_polls(const struct console_relay *relay,
			 struct pollfd polls[CONSOLE_POLLS]);

/* console_relay_move - after poll(): what can move without waiting. */
void console_relay_move(struct console_relay *relay,
			const struct pollfd polls[CONSOLE_POLLS]);

/* console_relay_drain - the VMM is gone: write what it left, within a limit
 * of time and bytes, so that a reader that sleeps does not keep kiln. */
void console_relay_drain(struct console_relay *relay);

#endif
