/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal - raw mode of the terminal on standard input, and the way back on
 * every path: return, signal, stop and continue, a crash of kiln itself.
 * State of the process, for there is one terminal. Thread: one at a time.
 */
#ifndef KILN_JAILER_TERMINAL_H
#define KILN_JAILER_TERMINAL_H

#include <stdbool.h>

/* terminal_is_ours - standard input is a terminal and kiln is in front. */
bool terminal_is_ours(void);

/* terminal_raw - every key goes to the guest; a no-op when not ours. */
void terminal_raw(void);

/* terminal_restore - as it was found; a no-op when it was not changed. */
void terminal_restore(void);

/* terminal_stop - as Ctrl-Z would: restore, stop, and raw again after. */
void terminal_stop(void);

#endif
