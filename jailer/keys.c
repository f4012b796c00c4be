/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/keys.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "jailer/key_rows.h"
#include "jailer/nearest.h"
#include "launch/machine.h"

const struct key_section *key_section_at(unsigned index)
{
	return index < key_section_count ? &key_sections[index] : NULL;
}

unsigned key_section_index(const struct key_section *section)
{
	return (unsigned)(section - key_sections);
}

const struct key_section *key_section_find(const char *name,
					   const char **ret_meant)
{
	struct nearest nearest;

	nearest_start(&nearest, name);
	for (unsigned i = 0; i < key_section_count; i++) {
		if (strcmp(key_sections[i].name, name) == 0)
			return &key_sections[i];
		nearest_offer(&nearest, key_sections[i].name);
	}
	*ret_meant = nearest.best;
	return NULL;
}

/* The machine's section merged into this one; an empty one when none is. */
static const struct machine_section *machine_of(const struct key_section *s)
{
	static const struct machine_section none;
	const struct machine_section *found;

	for (unsigned i = 0; s->machine != NULL; i++) {
		found = machine_section_at(i);
		if (found == NULL)
			break;
		if (strcmp(found->name, s->machine) == 0)
			return found;
	}
	return &none;
}

bool key_section_is_named(const struct key_section *section)
{
	return machine_of(section)->stride_bytes != 0;
}

bool key_at(const struct key_section *section, unsigned index,
	    struct key *ret_key)
{
	const struct machine_section *machine = machine_of(section);
	unsigned at = index;

	*ret_key = (struct key){.section = section, .index = index};
	if (at < section->row_count) {
		ret_key->row = &section->rows[at];
		ret_key->field = &ret_key->row->field;
		ret_key->flags = ret_key->row->flags;
		return true;
	}
	at -= section->row_count;
	if (machine->stride_bytes != 0)
		at++; /* row 0 is the id: the section's name */
	if (at >= machine->field_count)
		return false;
	ret_key->field = &machine->fields[at];
	return true;
}

bool key_find(const struct key_section *section, const char *name,
	      struct key *ret_key, const char **ret_meant)
{
	struct nearest nearest;

	nearest_start(&nearest, name);
	for (unsigned i = 0; key_at(section, i, ret_key); i++) {
		if (strcmp(ret_key->field->name, name) == 0)
			return true;
		if ((ret_key->flags & KEY_LATER) == 0)
			nearest_offer(&nearest, ret_key->field->name);
	}
	*ret_meant = nearest.best;
	return false;
}

static size_t object_offset(const struct key *key, unsigned element)
{
	const struct machine_section *machine;

	if (key->row != NULL)
		return key->section->offset +
		       element * key->section->stride_bytes;
	machine = machine_of(key->section);
	return offsetof(struct kiln_config, machine) + machine->offset +
	       element * machine->stride_bytes;
}

void *key_object(const struct key *key, struct kiln_config *config,
		 unsigned element)
{
	return (char *)config + object_offset(key, element);
}

const void *key_object_const(const struct key *key,
			     const struct kiln_config *config, unsigned element)
{
	return (const char *)config + object_offset(key, element);
}

int key_set(const struct key *key, struct kiln_config *config, unsigned element,
	    const char *text, struct err *err)
{
	void *object = key_object(key, config, element);
	int r = 0;

	if (text[0] == '\0') {
		field_default(key->field, object);
		return 0;
	}
	if (key->row != NULL && key->row->check != NULL)
		r = key->row->check(text, err);
	return r < 0 ? r : field_set_text(key->field, object, text, err);
}

unsigned key_element_count(const struct key_section *section,
			   const struct kiln_config *config)
{
	const struct machine_section *machine = machine_of(section);
	unsigned count;

	if (machine->stride_bytes == 0)
		return 1;
	memcpy(&count, (const char *)&config->machine + machine->count_offset,
	       sizeof(count));
	return count;
}

const char *key_element_id(const struct key_section *section,
			   const struct kiln_config *config, unsigned element)
{
	const struct machine_section *machine = machine_of(section);

	return (const char *)&config->machine + machine->offset +
	       element * machine->stride_bytes;
}

static void set_element_defaults(const struct key_section *section,
				 struct kiln_config *config, unsigned element)
{
	struct key key;

	for (unsigned i = 0; key_at(section, i, &key); i++) {
		if ((key.flags & KEY_LATER) == 0)
			field_default(key.field,
				      key_object(&key, config, element));
	}
}

int key_element_find(const struct key_section *section,
		     struct kiln_config *config, const char *id,
		     struct err *err)
{
	const struct machine_section *machine = machine_of(section);
	unsigned count = key_element_count(section, config);
	char *slot;

	if (!parse_id_ok(id))
		return err_say(err, EINVAL,
			       "'%.80s' is not a name: 1 to %d characters of "
			       "A-Z a-z 0-9 _ . -, the first a letter or a "
			       "digit",
			       id, MACHINE_ID_MAX);
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(key_element_id(section, config, i), id) == 0)
			return (int)i;
	}
	if (count >= machine->max)
		return err_say(err, E2BIG, "more than %u [%s NAME] sections",
			       machine->max, section->name);
	slot = (char *)&config->machine + machine->offset +
	       count * machine->stride_bytes;
	memcpy(slot, id, strlen(id) + 1); /* parse_id_ok(): it fits */
	set_element_defaults(section, config, count);
	count++;
	memcpy((char *)&config->machine + machine->count_offset, &count,
	       sizeof(count));
	return (int)count - 1;
}

void key_set_defaults(struct kiln_config *config)
{
	for (unsigned i = 0; i < key_section_count; i++) {
		if (!key_section_is_named(&key_sections[i]))
			set_element_defaults(&key_sections[i], config, 0);
	}
}
