/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - the one table of sections and keys of kiln.ini(5). What the guest is
 * given comes from the machine's own table (launch/machine.h); what stays on
 * the host is added here. The parser, the checks, `kiln help keys`, `kiln
 * explain` and the manual's test all read it.
 *
 * Sections and keys are numbered: a section by its place in the table, a key
 * by its place in its section, host rows first. Thread: any.
 */
#ifndef KILN_JAILER_KEYS_H
#define KILN_JAILER_KEYS_H

#include <stdbool.h>

#include "base/err.h"
#include "jailer/config.h"
#include "launch/field.h"

enum key_flag {
	KEY_PATH = 1,    /* relative to the file that says it */
	KEY_REPEATS = 2, /* may be given again: joined by a blank */
	KEY_LATER = 4,   /* known, but not served by this version */
};

/* A host-side key. */
struct key_row {
	struct field field; /* offset counts from the section's host object */
	unsigned flags;
	/* Beyond what the field checks; err says what would be right. */
	int (*check)(const char *text, struct err *err);
};

struct key_section {
	const char *name;
	const char *machine; /* the machine's section merged in; NULL: none */
	const struct key_row *rows;
	const char *help;
	size_t offset, stride_bytes; /* host object in struct kiln_config */
	unsigned row_count;
	bool raw;   /* takes controller files */
	bool later; /* known, but not served */
};

struct key {
	const struct key_section *section;
	const struct field *field;
	const struct key_row *row; /* NULL: a key of the machine */
	unsigned flags;
	unsigned index; /* its number */
};

/* key_section_at - NULL past the last. */
const struct key_section *key_section_at(unsigned index);
unsigned key_section_index(const struct key_section *section);

/* key_section_find - by name; NULL and what may have been meant (or NULL). */
const struct key_section *key_section_find(const char *name,
					   const char **ret_meant);

/* key_section_is_named - [drive NAME], one object each. */
bool key_section_is_named(const struct key_section *section);

/* key_at - false past the last. */
bool key_at(const struct key_section *section, unsigned index,
	    struct key *ret_key);

/* key_find - by name; false and what may have been meant (or NULL). */
bool key_find(const struct key_section *section, const char *name,
	      struct key *ret_key, const char **ret_meant);

/* key_object - where field->offset counts from, in the config. */
void *key_object(const struct key *key, struct kiln_config *config,
		 unsigned element);
const void *key_object_const(const struct key *key,
			     const struct kiln_config *config,
			     unsigned element);

/* key_set - check and store; text "" sets the default. */
int key_set(const struct key *key, struct kiln_config *config, unsigned element,
	    const char *text, struct err *err);

/* The elements of a named section, by id. */
unsigned key_element_count(const struct key_section *section,
			   const struct kiln_config *config);
const char *key_element_id(const struct key_section *section,
			   const struct kiln_config *config, unsigned element);

/*
 * key_element_find - the element with that id; made with defaults when it is
 * new. Return: its number; -EINVAL bad id, -E2BIG too many.
 */
int key_element_find(const struct key_section *section,
		     struct kiln_config *config, const char *id,
		     struct err *err);

/* key_set_defaults - every key of every section without a name. */
void key_set_defaults(struct kiln_config *config);

#endif
