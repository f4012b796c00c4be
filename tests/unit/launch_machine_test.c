/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/machine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

/* A full machine: every slot taken. */
static void fill(struct machine *machine)
{
	machine_default(machine);
	strcpy(machine->id, "web-1");
	machine->board.vcpus = 2;
	machine->board.smt = true;
	for (unsigned i = 0; i < 8; i++) {
		machine->drives[i].id[0] = (char)('a' + i);
		machine->drives[i].cache = CACHE_WRITEBACK;
		machine->nets[i].id[0] = (char)('a' + i);
		machine->nets[i].mac[0] = 2;
		machine->nets[i].mac[5] = (uint8_t)i;
	}
	machine->drive_count = 8;
	machine->net_count = 8;
	machine->drives[3].root = true;
	strcpy(machine->drives[3].partuuid, "0eaa91a0-01");
}

static void encode(const struct machine *machine, char *text, size_t size_bytes)
{
	struct buf out;
	struct json_writer writer = {.out = &out};

	buf_init(&out, text, size_bytes);
	json_open(&writer, NULL, '{');
	machine_encode(machine, &writer);
	json_close(&writer, '}');
	assert_int_equal(buf_status(&out), 0);
}

static int decode(const char *text, struct machine *ret, struct err *err)
{
	static struct json_token tokens[1024];
	struct json json = {.text = text,
			    .len = strlen(text),
			    .tokens = tokens,
			    .capacity = ARRAY_LEN(tokens)};
	int r = json_parse(&json, err);

	return r < 0 ? r : machine_decode(ret, &json, 0, err);
}

static void every_default_is_legal(void **state)
{
	struct machine machine;
	struct err err = {0};

	(void)state;
	machine_default(&machine);
	for (unsigned i = 0; machine_section_at(i) != NULL; i++) {
		const struct machine_section *section = machine_section_at(i);

		for (size_t k = 0; k < section->field_count; k++) {
			const struct field *field = &section->fields[k];
			char object[8192] = {0};

			if (field->fallback != NULL)
				assert_int_equal(field_set_text(field, object,
								field->fallback,
								&err),
						 0);
			assert_non_null(field->help);
		}
	}
	assert_int_equal(machine.board.vcpus, 1);
	assert_int_equal(machine.board.memory_bytes, 128 << 20);
	assert_int_equal(machine.board.irqchip, IRQCHIP_SPLIT);
	assert_true(machine.entropy.enabled);
	assert_true(machine.serial.enabled);
	assert_int_equal(machine.confine.seccomp, SECCOMP_ON);
	assert_string_equal(machine.kernel.cmdline,
			    "console=ttyS0 reboot=k panic=1 i8042.noaux "
			    "i8042.nomux i8042.dumbkbd");
}

static void a_machine_goes_round_through_json(void **state)
{
	static char text[32768];
	static char again[32768];
	struct machine machine;
	struct machine back = {0};
	struct err err = {0};

	(void)state;
	fill(&machine);
	encode(&machine, text, sizeof(text));
	assert_int_equal(decode(text, &back, &err), 0);
	assert_int_equal(machine_check(&back, &err), 0);
	assert_int_equal(back.drive_count, 8);
	assert_int_equal(back.net_count, 8);
	assert_true(back.drives[3].root);
	assert_memory_equal(&machine, &back, sizeof(machine));
	encode(&back, again, sizeof(again));
	assert_string_equal(text, again);
}

static void an_empty_object_is_the_default(void **state)
{
	struct machine machine;
	struct machine expected;
	struct err err;

	(void)state;
	machine_default(&expected);
	assert_int_equal(decode("{}", &machine, &err), 0);
	assert_memory_equal(&machine, &expected, sizeof(machine));
	assert_int_equal(machine_check(&machine, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "id: '' is not"));
}

static void bad_descriptions_are_refused_by_name(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"[]", "expected an object, found an array"},
		{"{\"vm\":{}}", "unknown member 'vm'"},
		{"{\"id\":1}", "id: expected text of at most 64 bytes"},
		{"{\"machine\":[]}",
		 "machine: expected an object, found an array"},
		{"{\"machine\":{\"vcpus\":33}}",
		 "machine: vcpus: '33' is not a whole number from 1 to 32"},
		{"{\"drive\":{}}", "drive: expected an array, found an object"},
		{"{\"drive\":[{},{\"path\":\"/x\"}]}",
		 "drive: [1]: unknown member 'path'"},
		{"{\"net\":[{},{},{},{},{},{},{},{},{}]}", "net: more than 8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct machine machine;
		struct err err = {0};

		assert_true(decode(rows[i].text, &machine, &err) < 0);
		assert_string_equal(err.msg, rows[i].says);
	}
}

static void set_id_path(struct machine *machine)
{
	strcpy(machine->id, "../x");
}

static void set_odd_smt(struct machine *machine)
{
	machine->board.vcpus = 3;
}

static void set_odd_huge(struct machine *machine)
{
	machine->board.memory_bytes = 129 << 20;
	machine->board.huge_pages = PAGES_HUGE;
}

static void set_same_drive(struct machine *machine)
{
	strcpy(machine->drives[7].id, "a");
}

static void set_bad_net(struct machine *machine)
{
	strcpy(machine->nets[7].id, ".x");
}

static void set_two_roots(struct machine *machine)
{
	machine->drives[7].root = true;
}

static void set_uuid_text(struct machine *machine)
{
	strcpy(machine->drives[3].partuuid, "x y");
}

static void set_uuid_place(struct machine *machine)
{
	strcpy(machine->drives[4].partuuid, "00-01");
}

static void set_same_mac(struct machine *machine)
{
	machine->nets[7].mac[5] = 1;
}

static void set_too_many(struct machine *machine)
{
	strcpy(machine->drives[8].id, "z");
	machine->drive_count = 9;
}

static void broken_rules_name_their_object(void **state)
{
	static const struct {
		void (*spoil)(struct machine *machine);
		const char *says;
	} rows[] = {
		{set_id_path, "id: '../x' is not"},
		{set_odd_smt,
		 "machine smt: needs 1 or an even number of vcpus, not 3"},
		{set_odd_huge, "machine huge_pages: needs memory in steps"},
		{set_same_drive, "drive 'a' id: 'a' occurs twice"},
		{set_bad_net, "net '.x' id: '.x' is not a name"},
		{set_two_roots,
		 "drive 'h' root: drive 'd' is the root already"},
		{set_uuid_text, "drive 'd' partuuid: 'x y' is not"},
		{set_uuid_place, "drive 'e' partuuid: is for the root drive"},
		{set_same_mac, "net 'h' mac: net 'b' has it already"},
		{set_too_many, "machine: 18 drives, nets and other devices; "
			       "17 fit"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct machine machine;
		struct err err = {0};

		fill(&machine);
		assert_int_equal(machine_check(&machine, &err), 0);
		rows[i].spoil(&machine);
		assert_int_equal(machine_check(&machine, &err), -EINVAL);
		assert_ptr_equal(strstr(err.msg, rows[i].says), err.msg);
		assert_int_equal(machine_check(&machine, NULL), -EINVAL);
	}
	assert_null(machine_rule_at(1000));
}

static void macs_not_set_may_repeat(void **state)
{
	struct machine machine;
	struct err err;

	(void)state;
	fill(&machine);
	memset(machine.nets[0].mac, 0, 6);
	memset(machine.nets[1].mac, 0, 6);
	assert_int_equal(machine_check(&machine, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_legal),
		cmocka_unit_test(a_machine_goes_round_through_json),
		cmocka_unit_test(an_empty_object_is_the_default),
		cmocka_unit_test(bad_descriptions_are_refused_by_name),
		cmocka_unit_test(broken_rules_name_their_object),
		cmocka_unit_test(macs_not_set_may_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
