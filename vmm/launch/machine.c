/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/machine.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* Quiet, to the serial port, and a panic or a reboot ends the microVM at once
 * (reboot=k: by the keyboard controller, which the VMM has). */
#define CMDLINE_DEFAULT                                                        \
	"console=ttyS0 reboot=k panic=1 i8042.noaux i8042.nomux "              \
	"i8042.dumbkbd"

static const char *const irqchip_names[] = {"split", "full", NULL};
static const char *const pages_names[] = {"none", "transparent", "2M", NULL};
static const char *const cache_names[] = {"unsafe", "writeback", NULL};
static const char *const seccomp_names[] = {"on", "log", "off", NULL};

static const struct field board_fields[] = {
	{
		.name = "vcpus",
		.kind = FIELD_NUMBER,
		.offset = offsetof(struct machine_board, vcpus),
		.min = 1,
		.max = 32,
		.fallback = "1",
		.help = "virtual CPUs",
	},
	{
		.name = "memory",
		.kind = FIELD_SIZE,
		.offset = offsetof(struct machine_board, memory_bytes),
		.min = MIB(8),
		.max = GIB(255),
		.multiple_of = MIB(1),
		.fallback = "128M",
		.help = "guest memory",
	},
	{
		.name = "smt",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct machine_board, smt),
		.fallback = "no",
		.help = "show pairs of vCPUs as threads of one core",
	},
	{
		.name = "irqchip",
		.kind = FIELD_CHOICE,
		.offset = offsetof(struct machine_board, irqchip),
		.names = irqchip_names,
		.fallback = "split",
		.help = "interrupt controllers: IOAPIC in the VMM, or all in KVM",
	},
	{
		.name = "huge_pages",
		.kind = FIELD_CHOICE,
		.offset = offsetof(struct machine_board, huge_pages),
		.names = pages_names,
		.fallback = "none",
		.help = "pages under guest memory",
	},
};

static const struct field kernel_fields[] = {
	{
		.name = "cmdline",
		.kind = FIELD_STRING,
		.offset = offsetof(struct machine_kernel, cmdline),
		.size_bytes = sizeof(((struct machine_kernel *)0)->cmdline),
		.fallback = CMDLINE_DEFAULT,
		.help = "kernel command line; replaces the default",
	},
};

/* In the arrays row 0 is the id. */
static const struct field drive_fields[] = {
	{
		.name = "id",
		.kind = FIELD_STRING,
		.offset = offsetof(struct machine_drive, id),
		.size_bytes = sizeof(((struct machine_drive *)0)->id),
		.help = "name of the drive",
	},
	{
		.name = "root",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct machine_drive, root),
		.fallback = "no",
		.help = "holds the root file system; one drive at most",
	},
	{
		.name = "read_only",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct machine_drive, read_only),
		.fallback = "no",
		.help = "the guest cannot write",
	},
	{
		.name = "cache",
		.kind = FIELD_CHOICE,
		.offset = offsetof(struct machine_drive, cache),
		.names = cache_names,
		.fallback = "writeback",
		.help = "writeback: a flush by the guest reaches the disk",
	},
	{
		.name = "partuuid",
		.kind = FIELD_STRING,
		.offset = offsetof(struct machine_drive, partuuid),
		.size_bytes = sizeof(((struct machine_drive *)0)->partuuid),
		.help = "partition of the root drive that holds the root",
	},
};

/* virtio 1.2 §5.1.4.1: mtu at least 68. */
static const struct field net_fields[] = {
	{
		.name = "id",
		.kind = FIELD_STRING,
		.offset = offsetof(struct machine_net, id),
		.size_bytes = sizeof(((struct machine_net *)0)->id),
		.help = "name of the interface",
	},
	{
		.name = "mac",
		.kind = FIELD_MAC,
		.offset = offsetof(struct machine_net, mac),
		.help = "the guest's address; not set: the guest chooses",
	},
	{
		.name = "mtu",
		.kind = FIELD_NUMBER,
		.offset = offsetof(struct machine_net, mtu),
		.min = 68,
		.max = 65535,
		.fallback = "0",
		.help = "MTU that the guest is told; 0: it is told none",
	},
};

static const struct field entropy_fields[] = {
	{
		.name = "enabled",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct machine_entropy, enabled),
		.fallback = "yes",
		.help = "give the guest a virtio entropy device",
	},
};

static const struct field serial_fields[] = {
	{
		.name = "enabled",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct machine_serial, enabled),
		.fallback = "yes",
		.help = "connect the guest's serial port to stdin and stdout",
	},
};

static const struct field confine_fields[] = {
	{
		.name = "seccomp",
		.kind = FIELD_CHOICE,
		.offset = offsetof(struct machine_confine, seccomp),
		.names = seccomp_names,
		.fallback = "on",
		.help = "system call filters of the VMM",
	},
};

static const struct machine_section sections[] = {
	{
		.name = "machine",
		.fields = board_fields,
		.field_count = ARRAY_LEN(board_fields),
		.offset = offsetof(struct machine, board),
		.help = "processors and memory",
	},
	{
		.name = "kernel",
		.fields = kernel_fields,
		.field_count = ARRAY_LEN(kernel_fields),
		.offset = offsetof(struct machine, kernel),
		.help = "what is booted",
	},
	{
		.name = "drive",
		.fields = drive_fields,
		.field_count = ARRAY_LEN(drive_fields),
		.offset = offsetof(struct machine, drives),
		.stride_bytes = sizeof(struct machine_drive),
		.count_offset = offsetof(struct machine, drive_count),
		.max = MACHINE_DRIVES_MAX,
		.help = "a block device",
	},
	{
		.name = "net",
		.fields = net_fields,
		.field_count = ARRAY_LEN(net_fields),
		.offset = offsetof(struct machine, nets),
		.stride_bytes = sizeof(struct machine_net),
		.count_offset = offsetof(struct machine, net_count),
		.max = MACHINE_NETS_MAX,
		.help = "a network interface",
	},
	{
		.name = "entropy",
		.fields = entropy_fields,
		.field_count = ARRAY_LEN(entropy_fields),
		.offset = offsetof(struct machine, entropy),
		.help = "random numbers for the guest",
	},
	{
		.name = "serial",
		.fields = serial_fields,
		.field_count = ARRAY_LEN(serial_fields),
		.offset = offsetof(struct machine, serial),
		.help = "the guest's console",
	},
	{
		.name = "confine",
		.fields = confine_fields,
		.field_count = ARRAY_LEN(confine_fields),
		.offset = offsetof(struct machine, confine),
		.help = "how the VMM confines itself",
	},
};

const struct machine_section *machine_section_at(unsigned index)
{
	return index < ARRAY_LEN(sections) ? &sections[index] : NULL;
}

static void *object_at(const struct machine_section *section,
		       struct machine *machine, unsigned element)
{
	return (char *)machine + section->offset +
	       element * section->stride_bytes;
}

static const void *object_at_const(const struct machine_section *section,
				   const struct machine *machine,
				   unsigned element)
{
	return (const char *)machine + section->offset +
	       element * section->stride_bytes;
}

static unsigned *count_of(const struct machine_section *section,
			  struct machine *machine)
{
	return (unsigned *)(void *)((char *)machine + section->count_offset);
}

static unsigned count_of_const(const struct machine_section *section,
			       const struct machine *machine)
{
	unsigned count;

	memcpy(&count, (const char *)machine + section->count_offset,
	       sizeof(count));
	return count;
}

void machine_default(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	for (unsigned i = 0; i < ARRAY_LEN(sections); i++) {
		if (sections[i].stride_bytes != 0)
			continue;
		for (size_t k = 0; k < sections[i].field_count; k++)
			field_default(&sections[i].fields[k],
				      object_at(&sections[i], machine, 0));
	}
}

/* ---- JSON ---------------------------------------------------------------- */

static int decode_array(const struct machine_section *section,
			struct machine *machine, const struct json *json,
			uint32_t token, struct err *err)
{
	const struct json_token *t = &json->tokens[token];
	unsigned *count = count_of(section, machine);
	unsigned at;

	if (t->kind != JSON_ARRAY)
		return err_say(err, EINVAL, "expected an array, found %s",
			       json_kind_name(t->kind));
	for (uint32_t i = token + 1; i < t->next; i = json->tokens[i].next) {
		at = *count;
		if (at >= section->max)
			return err_say(err, E2BIG, "more than %u",
				       section->max);
		int r = field_decode_object(
			section->fields, section->field_count,
			object_at(section, machine, at), json, i, err);
		if (r < 0) {
			(void)err_in(err, "[%u]", at);
			return r;
		}
		*count = at + 1;
	}
	return 0;
}

static int decode_section(const struct machine_section *section,
			  struct machine *machine, const struct json *json,
			  uint32_t token, struct err *err)
{
	int r;

	if (section->stride_bytes != 0)
		r = decode_array(section, machine, json, token, err);
	else
		r = field_decode_object(section->fields, section->field_count,
					object_at(section, machine, 0), json,
					token, err);
	if (r < 0)
		(void)err_in(err, "%s", section->name);
	return r;
}

static int decode_id(struct machine *machine, const struct json *json,
		     uint32_t token, struct err *err)
{
	if (json_get_string(json, token, machine->id, sizeof(machine->id)) == 0)
		return 0;
	return err_say(err, EINVAL, "id: expected text of at most %d bytes",
		       MACHINE_ID_MAX);
}

static int decode_member(struct machine *machine, const struct json *json,
			 uint32_t key, struct err *err)
{
	char name[48] = "...";

	if (json_key_is(json, key, "id"))
		return decode_id(machine, json, key + 1, err);
	for (unsigned i = 0; i < ARRAY_LEN(sections); i++) {
		if (json_key_is(json, key, sections[i].name))
			return decode_section(&sections[i], machine, json,
					      key + 1, err);
	}
	(void)json_get_string(json, key, name, sizeof(name));
	return err_say(err, EINVAL, "unknown member '%s'", name);
}

int machine_decode(struct machine *ret_machine, const struct json *json,
		   uint32_t token, struct err *err)
{
	const struct json_token *t = &json->tokens[token];

	machine_default(ret_machine);
	if (t->kind != JSON_OBJECT)
		return err_say(err, EINVAL, "expected an object, found %s",
			       json_kind_name(t->kind));
	for (uint32_t key = token + 1; key < t->next;
	     key = json->tokens[key + 1].next) {
		int r = decode_member(ret_machine, json, key, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void encode_array(const struct machine_section *section,
			 const struct machine *machine,
			 struct json_writer *writer)
{
	unsigned count = count_of_const(section, machine);

	json_open(writer, section->name, '[');
	for (unsigned i = 0; i < count; i++)
		field_encode_object(section->fields, section->field_count,
				    object_at_const(section, machine, i), NULL,
				    writer);
	json_close(writer, ']');
}

void machine_encode(const struct machine *machine, struct json_writer *writer)
{
	json_put_string(writer, "id", machine->id);
	for (unsigned i = 0; i < ARRAY_LEN(sections); i++) {
		const struct machine_section *section = &sections[i];

		if (section->stride_bytes != 0)
			encode_array(section, machine, writer);
		else
			field_encode_object(
				section->fields, section->field_count,
				object_at_const(section, machine, 0),
				section->name, writer);
	}
}
