/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit_status - how kiln and kiln-vmm end; kiln(1), EXIT STATUS. Below 64 it is
 * the VMM that speaks, from 64 it is kiln (sysexits(3) where one fits), 125 to
 * 127 as shells and container tools use them, 128 + n a signal. Numbers that
 * systemd claims (200 and more) stay free.
 */
#ifndef KILN_LAUNCH_EXIT_STATUS_H
#define KILN_LAUNCH_EXIT_STATUS_H

enum exit_status {
	EXIT_STATUS_OK = 0,  /* power-off, reboot, reset by the guest */
	EXIT_STATUS_VMM = 1, /* the VMM could not build or run it */
	EXIT_STATUS_BUG = 2, /* internal error of the VMM */
	EXIT_STATUS_TRIPLE_FAULT = 3, /* the guest crashed its processor */
	EXIT_STATUS_KVM = 4,       /* KVM gave up: internal error, bad entry */
	EXIT_STATUS_LAUNCH = 5,    /* launch description refused */
	EXIT_STATUS_USAGE = 64,    /* command line */
	EXIT_STATUS_NO_INPUT = 66, /* a named file is missing or unfit */
	EXIT_STATUS_HOST = 69,     /* this host lacks something */
	EXIT_STATUS_INTERNAL = 70, /* internal error of kiln */
	EXIT_STATUS_CREATE = 73,   /* cgroup, tap or run directory */
	EXIT_STATUS_PERMISSION = 77,   /* not allowed to */
	EXIT_STATUS_CONFIG = 78,       /* the configuration is wrong */
	EXIT_STATUS_JAIL = 125,        /* the jail could not be built */
	EXIT_STATUS_EXEC = 126,        /* kiln-vmm could not be executed */
	EXIT_STATUS_SIGNAL = 128,      /* + number of the signal */
	EXIT_STATUS_BAD_SYSCALL = 148, /* the VMM broke its seccomp policy */
};

#endif
