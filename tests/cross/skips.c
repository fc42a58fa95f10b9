/*
 * Linked into the unit tests of another machine (cmake/tests.cmake), in front of cmocka: the cases that skips.txt beside
 * this file names are reported as skipped, with the reason. PICCOLO_SKIPS names another file; empty, none is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX 256

int __real__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown);

static void skipped(void **state)
{
	(void)state;
	skip();
}

static int is_word(const char *line, const char *word)
{
	size_t end = strcspn(line, " \n");

	return strlen(word) == end && strncmp(line, word, end) == 0;
}

static char *next_word(char *line)
{
	line += strcspn(line, " \n");
	return line + strspn(line, " ");
}

/* A line is: program case reason. The case * is every one of the program. */
static size_t take_out(FILE *list, struct CMUnitTest *cases, size_t count)
{
	char line[512];
	size_t taken = 0;

	while (fgets(line, sizeof(line), list)) {
		char *test, *reason;

		if (*line == '#' || !is_word(line, program_invocation_short_name))
			continue;
		test = next_word(line);
		reason = next_word(test);
		for (size_t i = 0; i < count; i++) {
			if (!is_word(test, cases[i].name) && !is_word(test, "*"))
				continue;
			printf("skipped on this machine: %s: %s", cases[i].name, reason);
			cases[i].test_func = skipped;
			cases[i].setup_func = cases[i].teardown_func = NULL;
			taken++;
		}
	}
	return taken;
}

int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const char *path = getenv("PICCOLO_SKIPS");
	struct CMUnitTest cases[CASES_MAX];
	FILE *list;

	if (path && !*path)
		return __real__cmocka_run_group_tests(group, tests, count, setup, teardown);
	if (!path)
		path = PIC_TEST_SOURCE_DIR "/tests/cross/skips.txt";
	list = fopen(path, "re");
	if (!list || count > CASES_MAX) {
		fprintf(stderr, "%s: %s\n", path, list ? "too many cases" : strerror(errno));
		return 1;
	}
	memcpy(cases, tests, count * sizeof(*tests));
	if (take_out(list, cases, count) == count)
		setup = teardown = NULL;
	fclose(list);
	return __real__cmocka_run_group_tests(group, cases, count, setup, teardown);
}
