/* SPDX-License-Identifier: Apache-2.0 */
/*
 * specifier - the names that a configuration's file name gives, and the
 * specifiers that stand for them in values.
 *
 *	argument          files tried, first that exists   %n    %i    id
 *	vm.ini            vm.ini                           vm    -     vm
 *	/etc/web@blue     /etc/web@blue.ini, web@.ini      web   blue  web-blue
 *	web@blue.ini      the same
 *	web@.ini          refused: a template needs an instance
 *
 * Drop-ins stand in FILE.d/; an instance reads its template's first, then its
 * own. Thread: any.
 */
#ifndef KILN_JAILER_SPECIFIER_H
#define KILN_JAILER_SPECIFIER_H

#include <limits.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "launch/machine.h"

struct specifier_names {
	char file[PATH_MAX];     /* read this, if it exists */
	char fallback[PATH_MAX]; /* else this; "": no template */
	char name[NAME_MAX + 1];
	char instance[MACHINE_ID_MAX + 1]; /* "": not an instance */
	char id[2 * NAME_MAX + 2];         /* not checked yet */
};

/* specifier_names_of - from the argument alone; no file is looked at. */
int specifier_names_of(const char *argument, struct specifier_names *ret,
		       struct err *err);

/*
 * specifier_expand - %i instance, %n name, %% a percent sign; another letter
 * is refused, and %i where there is no instance. Return: 0 or -EINVAL,
 * -ENAMETOOLONG when the text does not fit.
 */
int specifier_expand(const char *text, const struct specifier_names *names,
		     struct buf *out, struct err *err);

#endif
