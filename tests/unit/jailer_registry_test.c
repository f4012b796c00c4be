/* SPDX-License-Identifier: Apache-2.0 */
/* Entries below a directory of the test's own; two registries in one process
 * stand for two kilns, since flock() tells open files apart, not processes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "jailer/registry.h"

struct place {
	char parent[64];
	struct err err;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	(void)strcpy(place->parent, "/tmp/kiln-registry-XXXXXX");
	*state = place;
	return mkdtemp(place->parent) == NULL ? -1 : 0;
}

/* What is left of it is a failure: every test cleans up by releasing. */
static int remove_place(void **state)
{
	struct place *place = *state;
	char base[96];

	(void)snprintf(base, sizeof(base), "%s/kiln", place->parent);
	int r = rmdir(base) < 0 && errno != ENOENT ? -1 : rmdir(place->parent);
	free(place);
	return r;
}

static int claim(struct place *place, struct registry *registry)
{
	registry_init(registry);
	return registry_claim(registry, place->parent, "kiln", "web",
			      &place->err);
}

static bool exists(const struct place *place, const char *name)
{
	char path[160];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/kiln/web/%s", place->parent,
		       name);
	return lstat(path, &st) == 0;
}

static void a_claimed_id_is_busy_and_names_its_owner(void **state)
{
	struct place *place = *state;
	struct registry first, second;
	char pid[32];

	assert_int_equal(claim(place, &first), 0);
	assert_false(first.stale);
	assert_int_equal(registry_clear(&first, &place->err), 0);
	assert_int_equal(claim(place, &second), -EBUSY);
	(void)snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(place->err.msg, pid));
	assert_non_null(strstr(place->err.msg, "'web'"));
	/* The loser's release must not touch the winner's entry. */
	registry_release(&second);
	assert_true(exists(place, "pid"));
	registry_release(&first);
	assert_false(exists(place, "pid"));
}

static void an_entry_whose_lock_is_free_is_stale(void **state)
{
	struct place *place = *state;
	struct registry old, new;
	char text[64];

	assert_int_equal(claim(place, &old), 0);
	assert_int_equal(registry_clear(&old, &place->err), 0);
	assert_int_equal(registry_write(&old, "cgroup", "/a/b"), 0);
	/* As if killed: the kernel lets go of the lock, nobody of the files. */
	(void)close(old.lock_fd);
	(void)close(old.dir_fd);
	(void)close(old.base_fd);
	assert_int_equal(claim(place, &new), 0);
	assert_true(new.stale);
	assert_int_equal(registry_read(&new, "cgroup", text, sizeof(text)), 0);
	assert_string_equal(text, "/a/b");
	assert_int_equal(registry_clear(&new, &place->err), 0);
	assert_false(exists(place, "cgroup"));
	assert_true(exists(place, "pid"));
	registry_release(&new);
}

static void a_file_that_is_not_there_reads_as_empty(void **state)
{
	struct place *place = *state;
	struct registry registry;
	char text[4] = "abc";

	assert_int_equal(claim(place, &registry), 0);
	assert_int_equal(registry_read(&registry, "none", text, sizeof(text)),
			 0);
	assert_string_equal(text, "");
	assert_int_equal(registry_write(&registry, "long", "1234"), 0);
	assert_int_equal(registry_read(&registry, "long", text, sizeof(text)),
			 -E2BIG);
	assert_int_equal(registry_write(&registry, "long", "123"), 0);
	assert_int_equal(registry_read(&registry, "long", text, sizeof(text)),
			 0);
	assert_string_equal(text, "123");
	registry_release(&registry);
}

static void links_are_refused(void **state)
{
	struct place *place = *state;
	struct registry registry;
	char text[16];

	assert_int_equal(claim(place, &registry), 0);
	assert_int_equal(symlinkat("/etc/passwd", registry.dir_fd, "cgroup"),
			 0);
	assert_int_equal(registry_write(&registry, "cgroup", "x"), -ELOOP);
	assert_int_equal(registry_read(&registry, "cgroup", text, sizeof(text)),
			 -ELOOP);
	registry_release(&registry);
}

static void a_linked_entry_is_refused(void **state)
{
	struct place *place = *state;
	struct registry registry;
	char base[96], entry[128];

	(void)snprintf(base, sizeof(base), "%s/kiln", place->parent);
	(void)snprintf(entry, sizeof(entry), "%s/kiln/web", place->parent);
	assert_int_equal(mkdir(base, 0700), 0);
	assert_int_equal(symlink("/tmp", entry), 0);
	assert_int_equal(claim(place, &registry), -ENOTDIR);
	assert_int_equal(unlink(entry), 0);
}

static void a_linked_base_is_refused(void **state)
{
	struct place *place = *state;
	struct registry registry;
	char base[96];

	(void)snprintf(base, sizeof(base), "%s/kiln", place->parent);
	assert_int_equal(symlink("/tmp", base), 0);
	assert_int_equal(claim(place, &registry), -EPERM);
	assert_non_null(strstr(place->err.msg, "only uid"));
	assert_int_equal(unlink(base), 0);
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
	struct place *place = *state;
	struct registry registry;
	char base[96];

	(void)snprintf(base, sizeof(base), "%s/kiln", place->parent);
	assert_int_equal(mkdir(base, 0700), 0);
	assert_int_equal(chmod(base, 0770), 0);
	assert_int_equal(claim(place, &registry), -EPERM);
	assert_non_null(strstr(place->err.msg, "only uid"));
}

int main(void)
{
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, make_place, remove_place)
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_claimed_id_is_busy_and_names_its_owner),
		IN_PLACE(an_entry_whose_lock_is_free_is_stale),
		IN_PLACE(a_file_that_is_not_there_reads_as_empty),
		IN_PLACE(links_are_refused),
		IN_PLACE(a_linked_entry_is_refused),
		IN_PLACE(a_linked_base_is_refused),
		IN_PLACE(a_directory_that_others_can_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
