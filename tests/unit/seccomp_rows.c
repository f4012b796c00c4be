/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_rows.h"

#include <ctype.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof(*(array)))
#define X32_BIT    0x40000000
#define WORDS_MAX  16
#define BLANKS     " \t\n"
#define HIGH_HALF  0xffffffff00000000ULL

struct abi {
	const char *name;
	enum policy_arch arch;
	bool foreign;
	uint32_t audit;
	uint32_t names; /* libseccomp's token for the numbers */
	int bits;       /* added to the number */
};

static const struct abi abis[] = {
	{"x86_64", POLICY_X86_64, false, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64,
	 0},
	{"aarch64", POLICY_AARCH64, false, AUDIT_ARCH_AARCH64,
	 SCMP_ARCH_AARCH64, 0},
	{"i386", POLICY_X86_64, true, AUDIT_ARCH_I386, SCMP_ARCH_X86, 0},
	{"x32", POLICY_X86_64, true, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64,
	 X32_BIT},
	{"arm", POLICY_AARCH64, true, AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0},
};

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {
	{"ALLOW", SECCOMP_RET_ALLOW},
	{"KILL", SECCOMP_RET_KILL_PROCESS},
	{"TRAP", SECCOMP_RET_TRAP},
	{"LOG", SECCOMP_RET_LOG},
};

const char *seccomp_action_name(uint32_t action)
{
	for (size_t i = 0; i < LEN(actions); i++) {
		if (actions[i].action == action)
			return actions[i].name;
	}
	return "?";
}

static bool parse_number(const char *text, uint64_t *ret_value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret_value = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0';
}

/* word is cut at each '|'. */
static bool parse_arg(const struct policy_set *set, enum policy_arch arch,
		      char *word, uint64_t *ret_value)
{
	uint64_t all = 0;
	char *rest = word;
	const char *name;

	if (strcmp(word, "_") == 0) {
		*ret_value = 0;
		return true;
	}
	if (*rest == '^') {
		all = HIGH_HALF;
		rest++;
	}
	while ((name = strsep(&rest, "|")) != NULL) {
		uint64_t value;

		if (!parse_number(name, &value) &&
		    !policy_constant_find(set, name, strlen(name), arch,
					  &value))
			return false;
		all |= value;
	}
	*ret_value = all;
	return true;
}

static bool parse_syscall(const struct abi *abi, const char *word, int *ret_nr)
{
	uint64_t number;
	int nr;

	if (parse_number(word, &number)) {
		*ret_nr = (int)number;
		return true;
	}
	nr = seccomp_syscall_resolve_name_arch(abi->names, word);
	*ret_nr = nr | abi->bits;
	return nr >= 0;
}

static bool parse_verdict(char *const *words, size_t count,
			  struct seccomp_row *row)
{
	if (count < 2 || count > 3 || strcmp(words[0], "->") != 0)
		return false;
	row->nolive = count == 3;
	if (row->nolive && strcmp(words[2], "nolive") != 0)
		return false;
	for (size_t i = 0; i < LEN(actions); i++) {
		if (strcmp(actions[i].name, words[1]) != 0)
			continue;
		row->action = actions[i].action;
		return true;
	}
	return false;
}

static bool parse_thread(const struct policy_set *set, const char *word,
			 struct seccomp_row *row)
{
	size_t len = strcspn(word, "+");

	row->log = strcmp(word + len, "+log") == 0;
	if (len >= sizeof(row->thread) || (word[len] != '\0' && !row->log))
		return false;
	memcpy(row->thread, word, len);
	row->thread[len] = '\0';
	return policy_set_find(set, row->thread) != NULL;
}

/* words: thread, arch, syscall, arguments, "->", verdict. Each is kept whole,
 * because a row for every architecture is read twice. */
static bool parse_row(const struct policy_set *set, const struct abi *abi,
		      char *const *words, size_t count, struct seccomp_row *row)
{
	size_t at = 3;

	if (!parse_thread(set, words[0], row) ||
	    !parse_syscall(abi, words[2], &row->data.nr))
		return false;
	for (; at < count && strcmp(words[at], "->") != 0; at++) {
		char word[256];

		if (at - 3 >= POLICY_ARGS || strlen(words[at]) >= sizeof(word))
			return false;
		memcpy(word, words[at], strlen(words[at]) + 1);
		if (!parse_arg(set, abi->arch, word,
			       (uint64_t *)&row->data.args[at - 3]))
			return false;
	}
	row->arch = abi->arch;
	row->foreign = abi->foreign;
	row->data.arch = abi->audit;
	return parse_verdict(words + at, count - at, row);
}

static bool visit_line(const struct policy_set *set, char *text,
		       const struct seccomp_row *start, seccomp_row_fn visit,
		       void *arg, int *rows)
{
	char *words[WORDS_MAX];
	size_t count = 0;
	bool known = false;

	for (char *w = strtok(text, BLANKS); w != NULL && count < WORDS_MAX;
	     w = strtok(NULL, BLANKS))
		words[count++] = w;
	if (count == 0)
		return true;
	for (size_t i = 0; count > 3 && i < LEN(abis); i++) {
		struct seccomp_row row = *start;
		bool all = strcmp(words[1], "*") == 0 && !abis[i].foreign;

		if (!all && strcmp(words[1], abis[i].name) != 0)
			continue;
		known = true;
		if (!parse_row(set, &abis[i], words, count, &row))
			return false;
		visit(&row, arg);
		(*rows)++;
	}
	return known;
}

int seccomp_rows_visit(const struct policy_set *set, const char *path,
		       seccomp_row_fn visit, void *arg)
{
	struct seccomp_row start = {.file = path};
	FILE *in = fopen(path, "re");
	char text[512];
	int wrong = 0;
	int rows = 0;

	if (in == NULL) {
		int error = errno;

		(void)fprintf(stderr, "%s: %s\n", path, strerror(error));
		return -error;
	}
	while (fgets(text, sizeof(text), in) != NULL) {
		start.line++;
		text[strcspn(text, "#")] = '\0';
		if (visit_line(set, text, &start, visit, arg, &rows))
			continue;
		(void)fprintf(stderr, "%s:%u: not a row\n", path, start.line);
		wrong++;
	}
	(void)fclose(in);
	return wrong > 0 ? -EINVAL : rows;
}

static int load_file(struct policy_set *set, const char *path)
{
	static char text[POLICY_FILE_MAX];
	FILE *in = fopen(path, "re");
	size_t len;

	if (in == NULL) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -EINVAL;
	}
	len = fread(text, 1, sizeof(text), in);
	(void)fclose(in);
	return policy_set_add(set, path, text, len);
}

int seccomp_policies_load(struct policy_set *set)
{
	static const char *const paths[] = {
		"profiles/seccomp/constants",
		"profiles/seccomp/launch.policy",
		"profiles/seccomp/loop.policy",
		"profiles/seccomp/vcpu.policy",
	};

	for (size_t i = 0; i < LEN(paths); i++) {
		if (load_file(set, paths[i]) < 0)
			return -EINVAL;
	}
	if (policy_set_resolve(set) < 0)
		return -EINVAL;
	policy_set_check(set);
	return policy_set_print_errors(set, stderr) == 0 ? 0 : -EINVAL;
}
