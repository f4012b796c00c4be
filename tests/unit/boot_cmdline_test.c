/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_ram.h"

#include <errno.h>

#include "base/array.h"
#include "boot/cmdline.h"

static void all_parts_in_their_order(void **state)
{
	struct machine_drive drive = {.root = true, .read_only = true};
	struct boot_cmdline line;
	struct err err;

	(void)state;
	assert_int_equal(boot_cmdline_start(&line, "reboot=k panic=1", &err),
			 0);
	assert_int_equal(boot_cmdline_add_pci_off(&line, &err), 0);
	assert_int_equal(boot_cmdline_add_root(&line, &drive, &err), 0);
	assert_int_equal(
		boot_cmdline_add_virtio(&line, 0xc0001000, 4096, 5, &err), 0);
	assert_int_equal(
		boot_cmdline_add_virtio(&line, 0xc0002000, 4096, 6, &err), 0);
	assert_string_equal(line.text,
			    "reboot=k panic=1 pci=off root=/dev/vda ro "
			    "virtio_mmio.device=4K@0xc0001000:5 "
			    "virtio_mmio.device=4K@0xc0002000:6");
	assert_int_equal(line.len, strlen(line.text));
}

static void root_may_be_writable_and_by_partuuid(void **state)
{
	struct machine_drive drive = {.root = true};
	struct boot_cmdline line;
	struct err err;

	(void)state;
	assert_int_equal(boot_cmdline_start(&line, "", &err), 0);
	assert_int_equal(boot_cmdline_add_root(&line, &drive, &err), 0);
	assert_string_equal(line.text, "root=/dev/vda rw");
	(void)strcpy(drive.partuuid, "0eaa91a0-01");
	assert_int_equal(boot_cmdline_start(&line, "", &err), 0);
	assert_int_equal(boot_cmdline_add_root(&line, &drive, &err), 0);
	assert_string_equal(line.text, "root=PARTUUID=0eaa91a0-01 rw");
}

static void the_longest_partuuid_fits(void **state)
{
	struct machine_drive drive = {.root = true, .read_only = true};
	struct boot_cmdline line;
	struct err err;

	(void)state;
	memset(drive.partuuid, 'a', sizeof(drive.partuuid) - 1);
	assert_int_equal(boot_cmdline_start(&line, "", &err), 0);
	assert_int_equal(boot_cmdline_add_root(&line, &drive, &err), 0);
	assert_int_equal(line.len, strlen("root=PARTUUID= ro") + 63);
}

struct addition {
	const char *given;
	const char *pci_off;
	const char *root;
};

static const struct addition additions[] = {
	{"", "pci=off", "root=/dev/vda rw"},
	{"pci=off", "pci=off", "pci=off root=/dev/vda rw"},
	{"a pci=off b", "a pci=off b", "a pci=off b root=/dev/vda rw"},
	{"a root=/dev/sda1", "a root=/dev/sda1 pci=off", "a root=/dev/sda1"},
	{"root= x", "root= x pci=off", "root= x"},
	/* alike, but not it */
	{"xpci=off", "xpci=off pci=off", "xpci=off root=/dev/vda rw"},
	{"pci=offx", "pci=offx pci=off", "pci=offx root=/dev/vda rw"},
	{"nfsroot=x", "nfsroot=x pci=off", "nfsroot=x root=/dev/vda rw"},
	{"a=\"b pci=off root=c\"", "a=\"b pci=off root=c\" pci=off",
	 "a=\"b pci=off root=c\" root=/dev/vda rw"},
	{"a\tpci=off\nroot=x", "a\tpci=off\nroot=x", "a\tpci=off\nroot=x"},
	/* words for init stay behind "--" and are not looked at */
	{"a -- b", "a pci=off -- b", "a root=/dev/vda rw -- b"},
	{"a -- pci=off root=x", "a pci=off -- pci=off root=x",
	 "a root=/dev/vda rw -- pci=off root=x"},
	{"a  --  b", "a  pci=off --  b", "a  root=/dev/vda rw --  b"},
	{"-- b", "pci=off -- b", "root=/dev/vda rw -- b"},
	{"--", "pci=off --", "root=/dev/vda rw --"},
	{"a --b c", "a --b c pci=off", "a --b c root=/dev/vda rw"},
	{"a \"x -- y\"", "a \"x -- y\" pci=off",
	 "a \"x -- y\" root=/dev/vda rw"},
};

static void words_are_added_once_and_in_the_right_place(void **state)
{
	struct machine_drive drive = {.root = true};
	struct boot_cmdline line;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
		(void)boot_cmdline_start(&line, additions[i].given, &err);
		assert_int_equal(boot_cmdline_add_pci_off(&line, &err), 0);
		assert_string_equal(line.text, additions[i].pci_off);
		(void)boot_cmdline_start(&line, additions[i].given, &err);
		assert_int_equal(boot_cmdline_add_root(&line, &drive, &err), 0);
		assert_string_equal(line.text, additions[i].root);
	}
}

static void several_additions_keep_clear_of_init(void **state)
{
	struct boot_cmdline line;
	struct err err;

	(void)state;
	(void)boot_cmdline_start(&line, "a -- b", &err);
	(void)boot_cmdline_add_pci_off(&line, &err);
	(void)boot_cmdline_add_virtio(&line, 0xc0001000, 4096, 5, &err);
	assert_string_equal(
		line.text, "a pci=off virtio_mmio.device=4K@0xc0001000:5 -- b");
	/* and what was added is seen */
	(void)boot_cmdline_add_pci_off(&line, &err);
	assert_null(strstr(strstr(line.text, "pci=off") + 1, "pci=off"));
}

static void too_long_is_refused_by_name(void **state)
{
	char given[MACHINE_CMDLINE_MAX + 1];
	struct boot_cmdline line;
	struct err err;

	(void)state;
	memset(given, 'x', sizeof(given));
	given[MACHINE_CMDLINE_MAX] = '\0';
	assert_int_equal(boot_cmdline_start(&line, given, &err), -E2BIG);
	assert_string_equal(
		err.msg, "kernel command line: 2048 bytes: 2047 at the most");

	given[MACHINE_CMDLINE_MAX - 1] = '\0';
	assert_int_equal(boot_cmdline_start(&line, given, &err), 0);
	assert_int_equal(boot_cmdline_add_pci_off(&line, &err), -E2BIG);
	assert_string_equal(err.msg, "kernel command line: no room for "
				     "'pci=off': 2047 bytes at the most, all "
				     "parts included");
	assert_string_equal(line.text, given);

	/* exactly full, then one byte less room */
	given[MACHINE_CMDLINE_MAX - 1 - 8] = '\0';
	assert_int_equal(boot_cmdline_start(&line, given, &err), 0);
	assert_int_equal(boot_cmdline_add_pci_off(&line, &err), 0);
	assert_int_equal(strlen(line.text), MACHINE_CMDLINE_MAX - 1);
	given[MACHINE_CMDLINE_MAX - 1 - 8] = 'x';
	given[MACHINE_CMDLINE_MAX - 1 - 7] = '\0';
	assert_int_equal(boot_cmdline_start(&line, given, &err), 0);
	assert_int_equal(boot_cmdline_add_pci_off(&line, &err), -E2BIG);
}

static void is_written_with_its_nul(void **state)
{
	struct guest_memory memory = ram_create(1 * MIB);
	struct boot_cmdline line;
	struct err err;
	char got[8];

	(void)state;
	(void)boot_cmdline_start(&line, "quiet", &err);
	assert_int_equal(guest_write(&memory, 0x20000, "XXXXXXXX", 8), 0);
	assert_int_equal(boot_cmdline_write(&line, &memory, 0x20000, &err), 0);
	ram_read(&memory, 0x20000, got, sizeof(got));
	assert_memory_equal(got, "quiet\0XX", 8);
	assert_int_equal(boot_cmdline_write(&line, &memory, MIB - 5, &err),
			 -EFAULT);
	guest_memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts_in_their_order),
		cmocka_unit_test(root_may_be_writable_and_by_partuuid),
		cmocka_unit_test(the_longest_partuuid_fits),
		cmocka_unit_test(words_are_added_once_and_in_the_right_place),
		cmocka_unit_test(several_additions_keep_clear_of_init),
		cmocka_unit_test(too_long_is_refused_by_name),
		cmocka_unit_test(is_written_with_its_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
