/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_load - the loader's state, and its two last stages. Thread: one at
 * a time.
 */
#ifndef KILN_JAILER_CONFIG_LOAD_H
#define KILN_JAILER_CONFIG_LOAD_H

#include "jailer/config.h"
#include "jailer/keys.h"
#include "jailer/specifier.h"

struct config_loader {
	struct kiln_config *config;
	struct config_report *report;
	struct specifier_names names;
	unsigned file;            /* being read: index into report->files */
	char directory[PATH_MAX]; /* of it, with its '/'; "": current one */
	const struct key_section *section; /* NULL: pass its keys over */
	unsigned element;
};

/* loader_enter - a section's header; id NULL: it has none. */
void loader_enter(struct config_loader *loader, const char *name,
		  const char *id, unsigned line);

/* loader_assign - a key of the section entered. */
void loader_assign(struct config_loader *loader, const char *key,
		   const char *value, unsigned line);

/* loader_set - one --set argument. */
void loader_set(struct config_loader *loader, const char *argument);

/* loader_read - a file; *ret_missing when there is none and that is allowed
 * (ret_missing not NULL). Return: 0; -errno when it could not be read. */
int loader_read(struct config_loader *loader, const char *path,
		bool *ret_missing);

/* loader_read_text - the same with a text in memory, as the file that
 * loader->file and loader->directory say. */
void loader_read_text(struct config_loader *loader, const char *text,
		      size_t len);

/* loader_problem - about the file being read. section, key: may be "". */
void loader_problem(struct config_loader *loader, unsigned line,
		    const char *section, const char *key, const char *text);

/* config_check_rules - rules over more than one key, with no look at the
 * host. */
void config_check_rules(const struct kiln_config *config,
			struct config_report *report);

#endif
