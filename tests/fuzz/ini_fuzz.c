/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration of any bytes: as a file, as the drop-in that follows it, and
 * each of its lines as a --set. What comes out must hold what the headers
 * promise: legal values, places that exist, printable messages.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "jailer/config_load.h"
#include "jailer/config_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_report(const struct config_report *report)
{
	require(report->problem_count <= CONFIG_PROBLEMS_MAX);
	require(report->origin_count <= CONFIG_ORIGINS_MAX);
	require(report->problem_count <=
		report->error_count + report->warning_count);
	for (unsigned i = 0; i < report->problem_count; i++) {
		char line[2048];
		struct buf out;

		require(report->problems[i].file < report->file_count);
		buf_init(&out, line, sizeof(line));
		config_problem_format(report, &report->problems[i], &out);
		require(buf_status(&out) == 0 && utf8_text_ok(line, out.len));
	}
}

/* Each value, written out, is a value that its row takes. */
static void check_keys(const struct key_section *section,
		       struct kiln_config *config, unsigned element)
{
	struct key key;

	for (unsigned i = 0; key_at(section, i, &key); i++) {
		char text[FIELD_TEXT_MAX];
		struct buf out;
		struct err err;

		if ((key.flags & KEY_LATER) != 0)
			continue;
		buf_init(&out, text, sizeof(text));
		field_format(key.field, key_object(&key, config, element),
			     &out);
		require(buf_status(&out) == 0);
		require(key_set(&key, config, element, text, &err) == 0);
	}
}

static void check_config(struct kiln_config *config)
{
	const struct key_section *section;

	require(config->cgroup.raw_count <= CONFIG_RAW_MAX);
	for (unsigned i = 0; (section = key_section_at(i)) != NULL; i++) {
		unsigned count = key_element_count(section, config);

		for (unsigned k = 0; k < count; k++)
			check_keys(section, config, k);
	}
}

static void set_lines(struct config_loader *loader, const uint8_t *data,
		      size_t size)
{
	char line[4096];

	for (unsigned i = 0; i < 100 && size > 0; i++) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end == NULL ? size : (size_t)(end - data);
		size_t kept = len < sizeof(line) - 1 ? len : sizeof(line) - 1;

		memcpy(line, data, kept);
		line[kept] = '\0';
		loader_set(loader, line);
		data += end == NULL ? len : len + 1;
		size -= end == NULL ? len : len + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kiln_config config;
	static struct config_report report;
	static struct config_loader loader;
	struct err err;

	memset(&loader, 0, sizeof(loader));
	memset(&report, 0, sizeof(report));
	config_default(&config);
	loader.config = &config;
	loader.report = &report;
	require(specifier_names_of("d/web@blue", &loader.names, &err) == 0);
	require(report_add_file(&report, "web@.ini") == 0);
	strcpy(loader.directory, "d/");
	loader_read_text(&loader, (const char *)data, size);
	require(report_add_file(&report, "drop-in") == 1);
	loader.file = 1;
	loader_read_text(&loader, (const char *)data, size);
	set_lines(&loader, data, size);
	config_check_rules(&config, &report);
	check_report(&report);
	check_config(&config);
	return 0;
}
