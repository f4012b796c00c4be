/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jailer/config_load.h"
#include "jailer/config_report.h"

void config_default(struct kiln_config *config)
{
	memset(config, 0, sizeof(*config));
	machine_default(&config->machine);
	key_set_defaults(config);
}

/* ---- drop-ins ------------------------------------------------------------ */

static int is_drop_in(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       strcmp(entry->d_name + len - 4, ".ini") == 0;
}

static void read_drop_in(struct config_loader *loader, const char *directory,
			 const char *name)
{
	char path[2 * PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	(void)loader_read(loader, path, NULL);
}

/* alphasort() compares by locale; kiln never leaves the C locale: bytewise. */
static void read_drop_ins(struct config_loader *loader, const char *file)
{
	char directory[PATH_MAX + 4];
	struct dirent **list = NULL;
	struct err err;
	int count;

	(void)snprintf(directory, sizeof(directory), "%s.d", file);
	count = scandir(directory, &list, is_drop_in, alphasort);
	if (count < 0 && errno != ENOENT) {
		(void)err_set(&err, errno, "read drop-ins of '%.200s'",
			      directory);
		loader_problem(loader, 0, "", "", err.msg);
	}
	if (count > CONFIG_DROP_INS_MAX)
		loader_problem(loader, 0, "", "",
			       "more drop-ins than kiln reads (64)");
	for (int i = 0; i < count; i++) {
		if (i < CONFIG_DROP_INS_MAX)
			read_drop_in(loader, directory, list[i]->d_name);
		free(list[i]);
	}
	free(list);
}

/* ---- the file, and what it is called ------------------------------------- */

/* The instance's own file, or its template. */
static int read_main(struct config_loader *loader)
{
	const struct specifier_names *names = &loader->names;
	bool has_template = names->fallback[0] != '\0';
	bool missing = false;
	int r = loader_read(loader, names->file,
			    has_template ? &missing : NULL);

	if (missing)
		r = loader_read(loader, names->fallback, NULL);
	if (r < 0)
		loader->report->missing = true;
	return r;
}

static void read_all_drop_ins(struct config_loader *loader)
{
	if (loader->names.fallback[0] != '\0')
		read_drop_ins(loader, loader->names.fallback);
	read_drop_ins(loader, loader->names.file);
}

/* Too long for its place: cut to what check_id() refuses. */
static void set_id(struct config_loader *loader, const char *id)
{
	char *out = loader->config->machine.id;
	char text[ERR_MSG_MAX];

	if (strlen(id) <= MACHINE_ID_MAX) {
		memcpy(out, id, strlen(id) + 1);
		return;
	}
	memcpy(out, "x", sizeof("x")); /* said here, not twice */
	(void)snprintf(text, sizeof(text), "'%.80s' is over %d characters", id,
		       MACHINE_ID_MAX);
	loader_problem(loader, 0, "", "id", text);
}

static void take_id(struct config_loader *loader, const char *given)
{
	struct err err;
	int file = 0;

	if (given != NULL)
		file = report_add_file(loader->report, "--id");
	loader->file = file < 0 ? 0 : (unsigned)file;
	set_id(loader, given == NULL ? loader->names.id : given);
	unsigned element;
	/* Rule 0 is the id's; the others are config_check_rules()'s. */
	if (machine_rule_at(0)->check(&loader->config->machine, &element,
				      &err) < 0)
		loader_problem(loader, 0, "", "id", err.msg);
}

/* ---- what follows from the keys ------------------------------------------ */

static void join_cmdline(struct config_loader *loader)
{
	const struct report_subject subject = {CONFIG_ERROR, "kernel",
					       "cmdline_append", 0};
	struct machine_kernel *kernel = &loader->config->machine.kernel;
	const char *append = loader->config->kernel.cmdline_append;
	char joined[2 * MACHINE_CMDLINE_MAX + 2];
	int n = snprintf(joined, sizeof(joined), "%s%s%s", kernel->cmdline,
			 kernel->cmdline[0] == '\0' || append[0] == '\0' ? ""
									 : " ",
			 append);

	if ((size_t)n >= sizeof(kernel->cmdline)) {
		report_at(loader->report, loader->config, &subject,
			  "the command line has %d bytes, %zu fit", n,
			  sizeof(kernel->cmdline) - 1);
		return;
	}
	memset(kernel->cmdline, 0, sizeof(kernel->cmdline));
	memcpy(kernel->cmdline, joined, (size_t)n);
}

/* Controller files that were reset by an empty value. */
static void drop_empty_raw(struct config_cgroup *cgroup)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < cgroup->raw_count; i++) {
		if (cgroup->raw[i].value[0] != '\0')
			cgroup->raw[kept++] = cgroup->raw[i];
	}
	memset(&cgroup->raw[kept], 0,
	       (cgroup->raw_count - kept) * sizeof(cgroup->raw[0]));
	cgroup->raw_count = kept;
}

static void load(struct config_loader *loader,
		 const struct config_source *source)
{
	if (read_main(loader) < 0)
		return;
	read_all_drop_ins(loader);
	for (size_t i = 0; i < source->set_count; i++)
		loader_set(loader, source->sets[i]);
	take_id(loader, source->id);
	join_cmdline(loader);
	config_check_rules(loader->config, loader->report);
	drop_empty_raw(&loader->config->cgroup);
}

static void reset_report(struct config_report *report)
{
	report->problem_count = 0;
	report->error_count = 0;
	report->warning_count = 0;
	report->file_count = 0;
	report->origin_count = 0;
	report->missing = false;
}

int config_load(const struct config_source *source, struct kiln_config *ret,
		struct config_report *report)
{
	struct config_loader *loader = calloc(1, sizeof(*loader));
	struct err err;

	reset_report(report);
	config_default(ret);
	if (loader == NULL)
		return -ENOMEM;
	loader->config = ret;
	loader->report = report;
	if (specifier_names_of(source->path, &loader->names, &err) < 0) {
		(void)report_add_file(report, source->path);
		loader_problem(loader, 0, "", "", err.msg);
		report->missing = true;
	} else {
		load(loader, source);
	}
	free(loader);
	return report->error_count == 0 ? 0 : -EINVAL;
}
