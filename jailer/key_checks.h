/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_checks - what single host-side values must look like. err says what
 * would be right. Return: 0 or -EINVAL. Thread: any.
 */
#ifndef KILN_JAILER_KEY_CHECKS_H
#define KILN_JAILER_KEY_CHECKS_H

#include "base/err.h"

int key_check_tap(const char *text, struct err *err);
int key_check_address(const char *text, struct err *err);
int key_check_netns(const char *text, struct err *err);
int key_check_jail_netns(const char *text, struct err *err);
int key_check_user(const char *text, struct err *err);
int key_check_cgroup(const char *text, struct err *err);

/* A controller file's name, and its value. */
int key_check_raw_name(const char *name, struct err *err);
int key_check_raw_value(const char *text, struct err *err);

#endif
