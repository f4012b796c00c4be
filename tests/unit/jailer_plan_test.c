/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration comes to, without doing any of it: numbers, names,
 * files to write. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "jailer/cgroup.h"
#include "jailer/identity.h"
#include "jailer/jail.h"
#include "jailer/steps.h"
#include "jailer/tap.h"
#include "launch/exit_status.h"

static struct kiln_config config;
static struct plan plan;
static struct err err;
static int status;

/* A machine with everything once, as its parser would leave it. */
static int make_config(void **state)
{
	(void)state;
	config_default(&config);
	(void)strcpy(config.machine.id, "web");
	(void)strcpy(config.kernel.image, "/k");
	config.machine.drive_count = 1;
	(void)strcpy(config.machine.drives[0].id, "root");
	(void)strcpy(config.drives[0].path, "/d");
	config.machine.net_count = 1;
	(void)strcpy(config.machine.nets[0].id, "eth0");
	(void)strcpy(config.nets[0].tap, "auto");
	(void)strcpy(config.jail.user, "4000");
	err = (struct err){0};
	status = 0;
	return 0;
}

static int make_plan(void)
{
	return plan_make(&config, "/bin/vmm", &plan, &status, &err);
}

static void roles_have_numbers_without_gaps(void **state)
{
	static const char *const roles[] = {
		"kvm",    "kernel",     "drive:root",  "net:eth0",
		"status", "console-in", "console-out",
	};

	(void)state;
	if (geteuid() != 0)
		config.jail.user[0] = '\0';
	assert_int_equal(make_plan(), 0);
	assert_int_equal(plan.handoff.fd_count, ARRAY_LEN(roles));
	for (unsigned i = 0; i < ARRAY_LEN(roles); i++) {
		assert_string_equal(plan.handoff.fds[i].role, roles[i]);
		assert_int_equal(plan.handoff.fds[i].fd, (int)i + 3);
	}
	assert_int_equal(plan.launch_fd, ARRAY_LEN(roles) + 3);
}

static void names_of_taps_fit_and_differ(void **state)
{
	char a[IFNAMSIZ], b[IFNAMSIZ];

	(void)state;
	tap_name("web", 0, a);
	assert_string_equal(a, "kiln-web-0");
	tap_name("a-0", 0, a);
	tap_name("a", 0, b);
	assert_string_not_equal(a, b);
	tap_name("averyveryverylongname1", 0, a);
	tap_name("averyveryverylongname2", 0, b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), IFNAMSIZ - 1);
	tap_name("averyveryverylongname1", 7, b);
	assert_string_not_equal(a, b);
}

static void addresses_belong_to_taps_that_kiln_makes(void **state)
{
	(void)state;
	(void)strcpy(config.nets[0].tap, "tap0");
	(void)strcpy(config.nets[0].address, "10.0.0.1/8");
	plan = (struct plan){.config = &config, .launch_fd = 3};
	assert_int_equal(step_taps.plan(&plan, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "tap0"));
}

static void limits_become_files(void **state)
{
	(void)state;
	plan = (struct plan){.config = &config};
	config.cgroup.cpu_percent = 150;
	config.cgroup.memory_bytes = 300U << 20;
	config.cgroup.pids = 9;
	config.cgroup.raw_count = 1;
	(void)strcpy(config.cgroup.raw[0].name, "cpu.weight");
	(void)strcpy(config.cgroup.raw[0].value, "50");
	(void)step_cgroup.plan(&plan, &err); /* the host may have no cgroup */
	assert_true(plan.cgroup.required);
	assert_int_equal(plan.cgroup.write_count, 5);
	assert_string_equal(plan.cgroup.writes[0].file, "cpu.max");
	assert_string_equal(plan.cgroup.writes[0].value, "150000 100000");
	assert_string_equal(plan.cgroup.writes[1].file, "memory.max");
	assert_string_equal(plan.cgroup.writes[1].value, "314572800");
	assert_string_equal(plan.cgroup.writes[2].file, "memory.oom.group");
	assert_string_equal(plan.cgroup.writes[3].value, "9");
	assert_string_equal(plan.cgroup.writes[4].value, "50");
	/* Each controller once. */
	assert_int_equal(plan.cgroup.controller_count, 3);
}

static void a_parent_cannot_lead_out(void **state)
{
	char root[64];

	(void)state;
	cgroup_find_root(root, sizeof(root));
	if (root[0] == '\0') {
		print_message("no cgroup v2 here: nothing to lead out of\n");
		skip();
	}
	plan = (struct plan){.config = &config};
	(void)strcpy(config.cgroup.parent, "/a/../../etc");
	assert_int_equal(step_cgroup.plan(&plan, &err), -EINVAL);
	plan = (struct plan){.config = &config};
	(void)strcpy(config.cgroup.parent, "//a/b//");
	assert_int_equal(step_cgroup.plan(&plan, &err), 0);
	assert_string_equal(plan.cgroup.parent, "/a/b");
	assert_non_null(strstr(plan.cgroup.leaf, "/a/b/web"));
}

static void words_are_whole(void **state)
{
	(void)state;
	assert_true(cgroup_word_in("cpu memory pids", "memory"));
	assert_true(cgroup_word_in("cpu memory pids\n", "pids"));
	assert_true(cgroup_word_in("cpuset cpu", "cpu"));
	assert_false(cgroup_word_in("cpuset io", "cpu"));
	assert_false(cgroup_word_in("hugecpu", "cpu"));
	assert_false(cgroup_word_in("", "cpu"));
}

static void too_few_descriptors_are_refused(void **state)
{
	(void)state;
	plan = (struct plan){.config = &config};
	config.jail.rlimit_nofile = HANDOFF_FD_LIMIT - 1;
	assert_int_equal(step_limits.plan(&plan, &err), -EINVAL);
	config.jail.rlimit_nofile = HANDOFF_FD_LIMIT;
	assert_int_equal(step_limits.plan(&plan, &err), 0);
}

static void users_and_groups(void **state)
{
	static const char passwd[] = "root:x:0:0::/:/bin/sh\n"
				     "# no user\n"
				     "broken line\n"
				     "vm:x:4242:77::/:/bin/false\n";
	char path[] = "/tmp/kiln-passwd-XXXXXX";
	int fd = mkstemp(path);
	struct identity_user user = {1, 1};
	gid_t gid = 1;

	(void)state;
	assert_int_equal(write(fd, passwd, sizeof(passwd) - 1),
			 sizeof(passwd) - 1);
	(void)close(fd);
	assert_int_equal(identity_user(path, "vm", &user), 0);
	assert_int_equal(user.uid, 4242);
	assert_int_equal(user.gid, 77);
	/* A number takes its group from the file, or is its own. */
	assert_int_equal(identity_user(path, "4242", &user), 0);
	assert_int_equal(user.gid, 77);
	assert_int_equal(identity_user(path, "5", &user), 0);
	assert_int_equal(user.gid, 5);
	assert_int_equal(identity_user(path, "v", &user), -ENOENT);
	assert_int_equal(identity_user(path, "4294967295", &user), -EINVAL);
	assert_int_equal(identity_user(path, "99999999999999999999", &user),
			 -EINVAL);
	assert_int_equal(identity_user(path, "-1", &user), -ENOENT);
	assert_int_equal(identity_group("/dev/null", "12", &gid), 0);
	assert_int_equal(gid, 12);
	assert_int_equal(identity_group("/dev/null", "x", &gid), -ENOENT);
	assert_int_equal(unlink(path), 0);
}

static void every_step_can_be_explained(void **state)
{
	static char text[4 * HANDOFF_JSON_MAX];
	struct buf out;

	(void)state;
	if (geteuid() != 0)
		config.jail.user[0] = '\0';
	assert_int_equal(make_plan(), 0);
	for (unsigned i = 0; jail_step_at(i) != NULL; i++) {
		const struct jail_step *step = jail_step_at(i);

		assert_non_null(step->describe);
		assert_true(step->status >= EXIT_STATUS_NO_INPUT &&
			    step->status < EXIT_STATUS_SIGNAL);
		buf_init(&out, text, sizeof(text));
		step->describe(&plan, &out);
		assert_int_equal(buf_status(&out), 0);
		assert_true(out.len > 0 && text[out.len - 1] == '\n');
	}
}

int main(void)
{
#define CONFIGURED(test) cmocka_unit_test_setup(test, make_config)
	const struct CMUnitTest tests[] = {
		CONFIGURED(roles_have_numbers_without_gaps),
		CONFIGURED(names_of_taps_fit_and_differ),
		CONFIGURED(addresses_belong_to_taps_that_kiln_makes),
		CONFIGURED(limits_become_files),
		CONFIGURED(a_parent_cannot_lead_out),
		CONFIGURED(words_are_whole),
		CONFIGURED(too_few_descriptors_are_refused),
		CONFIGURED(users_and_groups),
		CONFIGURED(every_step_can_be_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
