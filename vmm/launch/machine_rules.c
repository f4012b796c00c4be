/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that need more than one field, or more than a field's row says. */
#include "launch/machine.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"

static int check_id(const struct machine *machine, unsigned *ret_element,
		    struct err *err)
{
	*ret_element = 0;
	if (parse_id_ok(machine->id))
		return 0;
	return err_say(err, EINVAL,
		       "'%s' is not 1 to %d characters of A-Z a-z 0-9 _ . -, "
		       "the first a letter or a digit",
		       machine->id, MACHINE_ID_MAX);
}

static int check_smt(const struct machine *machine, unsigned *ret_element,
		     struct err *err)
{
	const struct machine_board *board = &machine->board;

	*ret_element = 0;
	if (!board->smt || board->vcpus == 1 || board->vcpus % 2 == 0)
		return 0;
	return err_say(err, EINVAL,
		       "needs 1 or an even number of vcpus, not "
		       "%llu",
		       (unsigned long long)board->vcpus);
}

static int check_huge_pages(const struct machine *machine,
			    unsigned *ret_element, struct err *err)
{
	const struct machine_board *board = &machine->board;

	*ret_element = 0;
	if (board->huge_pages != PAGES_HUGE ||
	    board->memory_bytes % ((uint64_t)2 << 20) == 0)
		return 0;
	return err_say(err, EINVAL, "needs memory in steps of 2M");
}

/* The ids of an array of objects. */
struct id_list {
	const char *first;
	size_t stride_bytes;
	unsigned count;
};

static const char *id_at(const struct id_list *list, unsigned index)
{
	return list->first + index * list->stride_bytes;
}

static int check_ids(const struct id_list *list, unsigned *ret_element,
		     struct err *err)
{
	for (unsigned i = 0; i < list->count; i++) {
		const char *id = id_at(list, i);

		*ret_element = i;
		if (!parse_id_ok(id))
			return err_say(err, EINVAL,
				       "'%s' is not a name: 1 to %d characters "
				       "of A-Z a-z 0-9 _ . -, the first a "
				       "letter or a digit",
				       id, MACHINE_ID_MAX);
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(id, id_at(list, k)) == 0)
				return err_say(err, EINVAL, "'%s' occurs twice",
					       id);
		}
	}
	return 0;
}

static int check_drive_ids(const struct machine *machine, unsigned *ret_element,
			   struct err *err)
{
	const struct id_list list = {machine->drives[0].id,
				     sizeof(machine->drives[0]),
				     machine->drive_count};

	return check_ids(&list, ret_element, err);
}

static int check_net_ids(const struct machine *machine, unsigned *ret_element,
			 struct err *err)
{
	const struct id_list list = {machine->nets[0].id,
				     sizeof(machine->nets[0]),
				     machine->net_count};

	return check_ids(&list, ret_element, err);
}

static int check_one_root(const struct machine *machine, unsigned *ret_element,
			  struct err *err)
{
	const struct machine_drive *root = NULL;

	for (unsigned i = 0; i < machine->drive_count; i++) {
		const struct machine_drive *drive = &machine->drives[i];

		if (!drive->root)
			continue;
		*ret_element = i;
		if (root != NULL)
			return err_say(err, EINVAL,
				       "drive '%s' is the root already",
				       root->id);
		root = drive;
	}
	return 0;
}

/* It ends up in root=PARTUUID= on the kernel's command line. */
static int check_partuuid(const struct machine *machine, unsigned *ret_element,
			  struct err *err)
{
	for (unsigned i = 0; i < machine->drive_count; i++) {
		const struct machine_drive *drive = &machine->drives[i];
		const char *uuid = drive->partuuid;

		*ret_element = i;
		if (uuid[strspn(uuid, "0123456789abcdefABCDEF-")] != '\0')
			return err_say(err, EINVAL,
				       "'%s' is not hex digits and dashes",
				       uuid);
		if (uuid[0] != '\0' && !drive->root)
			return err_say(err, EINVAL,
				       "is for the root drive only (root = "
				       "yes)");
	}
	return 0;
}

static bool same_mac(const struct machine_net *a, const struct machine_net *b)
{
	static const uint8_t unset[6];

	return memcmp(a->mac, b->mac, 6) == 0 && memcmp(a->mac, unset, 6) != 0;
}

static int check_macs(const struct machine *machine, unsigned *ret_element,
		      struct err *err)
{
	for (unsigned i = 0; i < machine->net_count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (!same_mac(&machine->nets[i], &machine->nets[k]))
				continue;
			*ret_element = i;
			return err_say(err, EINVAL, "net '%s' has it already",
				       machine->nets[k].id);
		}
	}
	return 0;
}

static int check_device_count(const struct machine *machine,
			      unsigned *ret_element, struct err *err)
{
	unsigned count = machine->drive_count + machine->net_count +
			 (machine->entropy.enabled ? 1 : 0);

	*ret_element = 0;
	if (count <= MACHINE_VIRTIO_MAX)
		return 0;
	return err_say(err, EINVAL,
		       "%u drives, nets and other devices; %d fit (entropy "
		       "counts: [entropy] enabled = no)",
		       count, MACHINE_VIRTIO_MAX);
}

static const struct machine_rule rules[] = {
	{NULL, "id", check_id},
	{"machine", "smt", check_smt},
	{"machine", "huge_pages", check_huge_pages},
	{"drive", "id", check_drive_ids},
	{"net", "id", check_net_ids},
	{"drive", "root", check_one_root},
	{"drive", "partuuid", check_partuuid},
	{"net", "mac", check_macs},
	{"machine", NULL, check_device_count},
};

const struct machine_rule *machine_rule_at(unsigned index)
{
	return index < ARRAY_LEN(rules) ? &rules[index] : NULL;
}

/* "drive 'rootfs' root": the object and the key a rule is about. */
static void name_rule(const struct machine_rule *rule,
		      const struct machine *machine, unsigned element,
		      struct err *err)
{
	const char *key = rule->key == NULL ? "" : rule->key;
	const char *gap = rule->key == NULL ? "" : " ";

	if (rule->section == NULL)
		(void)err_in(err, "%s", key);
	else if (strcmp(rule->section, "drive") == 0)
		(void)err_in(err, "drive '%s'%s%s", machine->drives[element].id,
			     gap, key);
	else if (strcmp(rule->section, "net") == 0)
		(void)err_in(err, "net '%s'%s%s", machine->nets[element].id,
			     gap, key);
	else
		(void)err_in(err, "%s%s%s", rule->section, gap, key);
}

int machine_check(const struct machine *machine, struct err *err)
{
	for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
		unsigned element = 0;
		int r = rules[i].check(machine, &element, err);

		if (r == 0)
			continue;
		if (err != NULL)
			name_rule(&rules[i], machine, element, err);
		return r;
	}
	return 0;
}
