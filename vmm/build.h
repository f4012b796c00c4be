/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build - from a description and its descriptors to a machine that can run.
 * The only file that sees every device.
 */
#ifndef KILN_BUILD_H
#define KILN_BUILD_H

#include "base/err.h"
#include "core/vm.h"
#include "launch/handoff.h"

/* The descriptors of a launch, each in its place; -1: not given. */
struct build_fds {
	int kvm;
	int kernel;
	int initrd;
	int status;
	int console_in;
	int console_out;
	int drives[MACHINE_DRIVES_MAX]; /* by index in machine.drives */
	int nets[MACHINE_NETS_MAX];
};

/*
 * build_match - take every descriptor out of the handoff: each that the
 * machine needs must be there, none may be left over. The status descriptor
 * is set as soon as it is known, so that failures can be told.
 */
int build_match(struct handoff *handoff, struct build_fds *ret_fds,
		struct err *err);

/* build_vm - takes the descriptors. machine is borrowed until the end. */
int build_vm(struct vm *vm, const struct machine *machine,
	     const struct build_fds *fds, struct err *err);

/* build_flush - what the guest has printed reaches the console, if somebody
 * still reads it. */
void build_flush(void);

#endif
