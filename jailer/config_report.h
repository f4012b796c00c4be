/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_report - collecting problems and where things were set; the part of
 * struct config_report that only config_*.c need. Thread: one at a time.
 */
#ifndef KILN_JAILER_CONFIG_REPORT_H
#define KILN_JAILER_CONFIG_REPORT_H

#include "jailer/config.h"

/* In place of a key's number: the section's header. */
#define REPORT_HEADER UINT_MAX

/* report_add_file - its index; -E2BIG when there are too many. */
int report_add_file(struct config_report *report, const char *name);

/* report_add - section and key may be "". */
void report_add(struct config_report *report,
		const struct config_problem *problem);

/* report_find_origin - NULL when nothing set it. */
const struct config_origin *
report_find_origin(const struct config_report *report, unsigned section,
		   unsigned element, unsigned key);

/* report_set_origin - replaces an earlier one; dropped when the list is
 * full, which only makes messages less exact. */
void report_set_origin(struct config_report *report,
		       const struct config_origin *origin);

/* What a problem is about; section and key are names of the key table. */
struct report_subject {
	enum config_severity severity;
	const char *section;
	const char *key; /* "": the section as a whole */
	unsigned element;
};

/*
 * report_at - a problem with a key, at the line that set it, else at its
 * section's header, else at the file.
 */
void report_at(struct config_report *report, const struct kiln_config *config,
	       const struct report_subject *subject, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
