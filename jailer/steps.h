/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps - what the table in jail.c is made of, one step_NAME.c each; jail.h
 * says what the columns mean.
 */
#ifndef KILN_JAILER_STEPS_H
#define KILN_JAILER_STEPS_H

#include "jailer/jail.h"

extern const struct jail_step step_identity;
extern const struct jail_step step_kvm;
extern const struct jail_step step_kernel;
extern const struct jail_step step_drives;
extern const struct jail_step step_vmm;
extern const struct jail_step step_registry;
extern const struct jail_step step_locks;
extern const struct jail_step step_cgroup;
extern const struct jail_step step_taps;
extern const struct jail_step step_channels;
extern const struct jail_step step_description;
extern const struct jail_step step_namespaces;
extern const struct jail_step step_id_maps;
extern const struct jail_step step_session;
extern const struct jail_step step_root;
extern const struct jail_step step_limits;
extern const struct jail_step step_descriptors;
extern const struct jail_step step_capabilities;
extern const struct jail_step step_flags;
extern const struct jail_step step_seccomp;
extern const struct jail_step step_exec;

#endif
