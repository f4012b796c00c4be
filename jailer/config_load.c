/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines become settings here: find the section and the key in the table,
 * expand what the value names, check it, store it, remember the line. Every
 * source goes through loader_enter() and loader_assign(): the file, its
 * drop-ins and --set.
 */
#include "jailer/config_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "jailer/config_report.h"
#include "jailer/ini.h"
#include "jailer/key_checks.h"

/* Room for a value with its specifiers expanded. */
#define VALUE_MAX (2 * PATH_MAX)

void loader_problem(struct config_loader *loader, unsigned line,
		    const char *section, const char *key, const char *text)
{
	struct config_problem problem = {
		.severity = CONFIG_ERROR,
		.file = loader->file,
		.line = line,
	};

	(void)snprintf(problem.section, sizeof(problem.section), "%s", section);
	(void)snprintf(problem.key, sizeof(problem.key), "%s", key);
	(void)snprintf(problem.text, sizeof(problem.text), "%s", text);
	report_add(loader->report, &problem);
}

/* ---- sections ------------------------------------------------------------ */

/* "drive rootfs", or "machine"; "" outside of any. */
static void section_title(const struct config_loader *loader, char *out,
			  size_t size_bytes)
{
	const struct key_section *section = loader->section;
	bool named = section != NULL && key_section_is_named(section);

	out[0] = '\0';
	if (section == NULL)
		return;
	(void)snprintf(
		out, size_bytes, "%s%s%s", section->name, named ? " " : "",
		named ? key_element_id(section, loader->config, loader->element)
		      : "");
}

static void complain(struct config_loader *loader, unsigned line,
		     const char *key, const struct err *err)
{
	char title[MACHINE_ID_MAX + 24];

	section_title(loader, title, sizeof(title));
	loader_problem(loader, line, title, key, err->msg);
}

static int find_section(const char *name, const char *id,
			const struct key_section **ret_section, struct err *err)
{
	const char *meant;
	const struct key_section *section = key_section_find(name, &meant);

	if (section == NULL)
		return err_say(err, EINVAL, "unknown section [%.64s]%s%s%s",
			       name, meant == NULL ? "" : "; did you mean [",
			       meant == NULL ? "" : meant,
			       meant == NULL ? "" : "]?");
	if (section->later)
		return err_say(err, EINVAL,
			       "[%s] is not supported by this version", name);
	if (key_section_is_named(section) && id == NULL)
		return err_say(err, EINVAL, "[%s] needs a name: [%s NAME]",
			       name, name);
	if (!key_section_is_named(section) && id != NULL)
		return err_say(err, EINVAL, "[%s] takes no name, found '%.64s'",
			       name, id);
	*ret_section = section;
	return 0;
}

/* A section twice in one file is a slip, in another file an addition. */
static void note_header(struct config_loader *loader, unsigned line)
{
	struct config_origin origin = {
		.section = key_section_index(loader->section),
		.element = loader->element,
		.key = REPORT_HEADER,
		.file = loader->file,
		.line = line,
	};
	const struct config_origin *before = report_find_origin(
		loader->report, origin.section, origin.element, REPORT_HEADER);
	struct err err;

	if (before != NULL && before->file == loader->file) {
		(void)err_say(&err, EINVAL, "the section stands in line %u too",
			      before->line);
		complain(loader, line, "", &err);
		return;
	}
	report_set_origin(loader->report, &origin);
}

void loader_enter(struct config_loader *loader, const char *name,
		  const char *id, unsigned line)
{
	struct err err;
	int element = 0;
	int r = find_section(name, id, &loader->section, &err);

	if (r == 0 && id != NULL) {
		element = key_element_find(loader->section, loader->config, id,
					   &err);
		r = element < 0 ? element : 0;
	}
	if (r < 0) {
		loader->section = NULL;
		loader_problem(loader, line, "", "", err.msg);
		return;
	}
	loader->element = (unsigned)element;
	note_header(loader, line);
}

/* ---- keys ---------------------------------------------------------------- */

static int unknown_key(const char *meant, struct err *err)
{
	if (meant == NULL)
		return err_say(err, EINVAL, "unknown key");
	return err_say(err, EINVAL, "unknown key; did you mean '%s'?", meant);
}

/* May this key be set by this line? Remembers the line. */
static int note_key(struct config_loader *loader, unsigned number, bool repeats,
		    unsigned line, struct err *err)
{
	struct config_origin origin = {
		.section = key_section_index(loader->section),
		.element = loader->element,
		.key = number,
		.file = loader->file,
		.line = line,
	};
	const struct config_origin *before = report_find_origin(
		loader->report, origin.section, origin.element, number);

	if (before != NULL && before->file == loader->file && !repeats)
		return err_say(err, EINVAL, "is set in line %u already",
			       before->line);
	report_set_origin(loader->report, &origin);
	return 0;
}

/* Joins `text` to what a repeated key holds. */
static void join_repeated(const struct config_loader *loader,
			  const struct key *key, struct buf *out)
{
	const void *object =
		key_object_const(key, loader->config, loader->element);

	field_format(key->field, object, out);
	if (out->len > 0)
		buf_puts(out, " ");
}

/* The value as it is to be stored: joined, expanded, its path made whole. */
static int complete_value(const struct config_loader *loader,
			  const struct key *key, const char *value,
			  char out[VALUE_MAX], struct err *err)
{
	bool path = (key->flags & KEY_PATH) != 0 && value[0] != '\0' &&
		    value[0] != '/';
	struct buf buf;
	int r = 0;

	buf_init(&buf, out, VALUE_MAX);
	if ((key->flags & KEY_REPEATS) != 0 && value[0] != '\0')
		join_repeated(loader, key, &buf);
	if (path)
		buf_puts(&buf, loader->directory);
	if (key->field->kind == FIELD_STRING)
		r = specifier_expand(value, &loader->names, &buf, err);
	else
		buf_puts(&buf, value);
	if (r == 0 && buf_status(&buf) < 0)
		r = err_say(err, ENAMETOOLONG, "the value is too long");
	return r;
}

static int assign_key(struct config_loader *loader, const struct key *key,
		      const char *value, unsigned line, struct err *err)
{
	char text[VALUE_MAX];
	int r;

	if ((key->flags & KEY_LATER) != 0)
		return err_say(err, EINVAL, "is not supported by this version");
	r = note_key(loader, key->index, (key->flags & KEY_REPEATS) != 0, line,
		     err);
	r = r < 0 ? r : complete_value(loader, key, value, text, err);
	return r < 0 ? r
		     : key_set(key, loader->config, loader->element, text, err);
}

/* The slot of a controller file: its own, or a new one. -1: none is left. */
static int raw_slot(struct config_cgroup *cgroup, const char *name)
{
	for (unsigned i = 0; i < cgroup->raw_count; i++) {
		if (strcmp(cgroup->raw[i].name, name) == 0)
			return (int)i;
	}
	if (cgroup->raw_count >= CONFIG_RAW_MAX)
		return -1;
	/* The length was checked with the name. */
	memcpy(cgroup->raw[cgroup->raw_count].name, name, strlen(name) + 1);
	return (int)cgroup->raw_count++;
}

static int assign_raw(struct config_loader *loader, const char *name,
		      const char *value, unsigned line, struct err *err)
{
	struct config_cgroup *cgroup = &loader->config->cgroup;
	int r = key_check_raw_name(name, err);
	int slot;

	r = r < 0 ? r : key_check_raw_value(value, err);
	if (r < 0)
		return r;
	slot = raw_slot(cgroup, name);
	if (slot < 0)
		return err_say(err, E2BIG, "more than %d controller files",
			       CONFIG_RAW_MAX);
	r = note_key(loader, CONFIG_ORIGINS_MAX + (unsigned)slot, false, line,
		     err);
	if (r < 0)
		return r;
	/* Empty: back to the default, not set; config_load() drops it. */
	memset(cgroup->raw[slot].value, 0, sizeof(cgroup->raw[slot].value));
	memcpy(cgroup->raw[slot].value, value, strlen(value));
	return 0;
}

void loader_assign(struct config_loader *loader, const char *key,
		   const char *value, unsigned line)
{
	const char *meant;
	struct key found;
	struct err err;
	int r;

	if (loader->section == NULL)
		return;
	if (key_find(loader->section, key, &found, &meant))
		r = assign_key(loader, &found, value, line, &err);
	else if (loader->section->raw && strchr(key, '.') != NULL)
		r = assign_raw(loader, key, value, line, &err);
	else
		r = unknown_key(meant, &err);
	if (r < 0)
		complain(loader, line, key, &err);
}

/* ---- files --------------------------------------------------------------- */

/* "drive rootfs" in two words. */
static void on_section(void *context, const char *header, unsigned line)
{
	struct config_loader *loader = context;
	char name[INI_HEADER_MAX + 1];
	char *id;

	loader->section = NULL;
	if (header == NULL)
		return;
	(void)snprintf(name, sizeof(name), "%s", header);
	id = name + strcspn(name, " \t");
	if (*id == '\0') {
		loader_enter(loader, name, NULL, line);
		return;
	}
	*id++ = '\0';
	id += strspn(id, " \t");
	loader_enter(loader, name, id, line);
}

static void on_assign(void *context, const char *key, const char *value,
		      unsigned line)
{
	loader_assign(context, key, value, line);
}

static void on_problem(void *context, const char *text, unsigned line)
{
	loader_problem(context, line, "", "", text);
}

/* Everything up to the last '/', it included. */
static void set_directory(struct config_loader *loader, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash + 1 - path);

	len = len < sizeof(loader->directory) ? len : 0;
	memcpy(loader->directory, path, len);
	loader->directory[len] = '\0';
}

void loader_read_text(struct config_loader *loader, const char *text,
		      size_t len)
{
	const struct ini_events events = {
		.context = loader,
		.section = on_section,
		.assign = on_assign,
		.problem = on_problem,
	};

	loader->section = NULL;
	ini_read(text, len, &events);
}

int loader_read(struct config_loader *loader, const char *path,
		bool *ret_missing)
{
	struct err err;
	char *text;
	size_t len;
	int r = ini_load(path, &text, &len, &err);

	if (r == -ENOENT && ret_missing != NULL) {
		*ret_missing = true;
		return 0;
	}
	int file = report_add_file(loader->report, path);
	loader->file = file < 0 ? 0 : (unsigned)file;
	set_directory(loader, path);
	if (r < 0) {
		loader_problem(loader, 0, "", "", err.msg);
		return r;
	}
	loader_read_text(loader, text, len);
	free(text);
	return 0;
}

/* ---- --set --------------------------------------------------------------- */

/* The parts of one argument, cut out of it. */
struct set_parts {
	const char *section, *id, *key, *value;
};

/*
 * SECTION.KEY=VALUE, or SECTION.NAME.KEY=VALUE. A name may hold dots, keys of
 * sections with names do not: the name reaches to the last dot. Keys of other
 * sections begin behind the first: cgroup.cpu.weight=50.
 */
static int split_set(char *text, struct set_parts *ret, struct err *err)
{
	char *equals = strchr(text, '=');
	const struct key_section *section;
	const char *meant;
	char *dot;

	if (equals != NULL)
		*equals = '\0';
	dot = strchr(text, '.');
	if (equals == NULL || dot == NULL || dot == text || dot[1] == '\0')
		return err_say(err, EINVAL,
			       "expected SECTION.KEY=VALUE or "
			       "SECTION.NAME.KEY=VALUE");
	*dot = '\0';
	*ret = (struct set_parts){
		.section = text, .key = dot + 1, .value = equals + 1};
	section = key_section_find(text, &meant);
	if (section == NULL || !key_section_is_named(section))
		return 0;
	ret->id = dot + 1;
	dot = strrchr(dot + 1, '.');
	if (dot == NULL)
		return err_say(err, EINVAL, "expected %s.NAME.KEY=VALUE", text);
	*dot = '\0';
	ret->key = dot + 1;
	return 0;
}

static void name_set(struct config_loader *loader, const char *argument)
{
	char name[CONFIG_FILE_NAME_MAX];
	int file;

	(void)snprintf(name, sizeof(name), "--set %.200s", argument);
	file = report_add_file(loader->report, name);
	loader->file = file < 0 ? 0 : (unsigned)file;
	loader->directory[0] = '\0';
	loader->section = NULL;
}

void loader_set(struct config_loader *loader, const char *argument)
{
	size_t len = strlen(argument);
	struct set_parts parts = {"", NULL, "", ""};
	struct err err;
	char *text;

	name_set(loader, argument);
	if (len > INI_LINE_MAX || !utf8_text_ok(argument, len)) {
		loader_problem(loader, 0, "", "",
			       "too long, or not UTF-8 text without control "
			       "characters");
		return;
	}
	text = strdup(argument);
	if (text == NULL) {
		loader_problem(loader, 0, "", "", "out of memory");
		return;
	}
	if (split_set(text, &parts, &err) < 0) {
		loader_problem(loader, 0, "", "", err.msg);
	} else {
		loader_enter(loader, parts.section, parts.id, 0);
		loader_assign(loader, parts.key, parts.value, 0);
	}
	free(text);
}
