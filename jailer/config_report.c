/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/config_report.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "jailer/keys.h"

/* What came from outside may hold anything, and cuts may split a character:
 * a message is printable UTF-8 whatever it quotes. */
static void make_printable(char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		int r = *text == 0x7f ? -1 : utf8_length(text, left);

		if (r < 0)
			*text = '?';
		r = r < 0 ? 1 : r;
		text += r;
		left -= (size_t)r;
	}
}

int report_add_file(struct config_report *report, const char *name)
{
	size_t len = strlen(name);
	char *slot;

	if (report->file_count >= CONFIG_FILES_MAX)
		return -E2BIG;
	slot = report->files[report->file_count];
	if (len < CONFIG_FILE_NAME_MAX)
		memcpy(slot, name, len + 1);
	else /* the end of a path tells more than its start */
		(void)snprintf(slot, CONFIG_FILE_NAME_MAX, "...%s",
			       name + len - (CONFIG_FILE_NAME_MAX - 4));
	make_printable(slot);
	return (int)report->file_count++;
}

void report_add(struct config_report *report,
		const struct config_problem *problem)
{
	struct config_problem *slot;

	if (problem->severity == CONFIG_ERROR)
		report->error_count++;
	else
		report->warning_count++;
	if (report->problem_count >= CONFIG_PROBLEMS_MAX)
		return;
	slot = &report->problems[report->problem_count];
	*slot = *problem;
	make_printable(slot->section);
	make_printable(slot->key);
	make_printable(slot->text);
	report->problem_count++;
}

const struct config_origin *
report_find_origin(const struct config_report *report, unsigned section,
		   unsigned element, unsigned key)
{
	for (unsigned i = 0; i < report->origin_count; i++) {
		const struct config_origin *origin = &report->origins[i];

		if (origin->section == section && origin->element == element &&
		    origin->key == key)
			return origin;
	}
	return NULL;
}

void report_set_origin(struct config_report *report,
		       const struct config_origin *origin)
{
	const struct config_origin *found = report_find_origin(
		report, origin->section, origin->element, origin->key);

	if (found != NULL)
		report->origins[found - report->origins] = *origin;
	else if (report->origin_count < CONFIG_ORIGINS_MAX)
		report->origins[report->origin_count++] = *origin;
}

static void set_place(const struct config_report *report,
		      const struct key_section *section, unsigned element,
		      struct config_problem *problem)
{
	unsigned index = key_section_index(section);
	const struct config_origin *origin = NULL;
	const char *meant;
	struct key key;

	if (key_find(section, problem->key, &key, &meant))
		origin = report_find_origin(report, index, element, key.index);
	if (origin == NULL)
		origin = report_find_origin(report, index, element,
					    REPORT_HEADER);
	problem->file = origin == NULL ? 0 : origin->file;
	problem->line = origin == NULL ? 0 : origin->line;
}

void report_at(struct config_report *report, const struct kiln_config *config,
	       const struct report_subject *subject, const char *fmt, ...)
{
	struct config_problem problem = {.severity = subject->severity};
	const struct key_section *section;
	const char *meant;
	const char *id = "";
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(problem.text, sizeof(problem.text), fmt, args);
	va_end(args);
	(void)snprintf(problem.key, sizeof(problem.key), "%s", subject->key);
	section = key_section_find(subject->section, &meant);
	if (section != NULL)
		set_place(report, section, subject->element, &problem);
	if (section != NULL && key_section_is_named(section))
		id = key_element_id(section, config, subject->element);
	(void)snprintf(problem.section, sizeof(problem.section), "%s%s%s",
		       subject->section, id[0] == '\0' ? "" : " ", id);
	report_add(report, &problem);
}

void config_problem_format(const struct config_report *report,
			   const struct config_problem *problem,
			   struct buf *out)
{
	buf_puts(out, report->files[problem->file]);
	if (problem->line != 0)
		buf_printf(out, ":%u", problem->line);
	buf_puts(out, ": ");
	if (problem->severity == CONFIG_WARNING)
		buf_puts(out, "warning: ");
	if (problem->section[0] != '\0')
		buf_printf(out, "[%s]%s", problem->section,
			   problem->key[0] == '\0' ? ": " : " ");
	if (problem->key[0] != '\0')
		buf_printf(out, "%s: ", problem->key);
	buf_puts(out, problem->text);
}

void config_report_print(const struct config_report *report, FILE *out)
{
	unsigned all = report->error_count + report->warning_count;
	char line[CONFIG_FILE_NAME_MAX + 512];

	for (unsigned i = 0; i < report->problem_count; i++) {
		struct buf buf;

		buf_init(&buf, line, sizeof(line));
		config_problem_format(report, &report->problems[i], &buf);
		(void)fprintf(out, "%s\n", line);
	}
	if (all > report->problem_count)
		(void)fprintf(out, "%s: %u more problems are not shown\n",
			      report->files[0], all - report->problem_count);
}
