/* Finding a route: the closest row wins, and no damaged or climbing path gets through. */
#include "base/check.h"

#include <errno.h>

#include "hub/route.h"

#define BOTH (PIC_LISTENER_TLS | PIC_LISTENER_PLAIN)

static const struct pic_route some[] = {
	{ "GET", "/healthz", PIC_ACCESS_OPEN, BOTH, NULL },
	{ "GET", "/a/{name}", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, NULL },
	{ "GET", "/a/registry", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, NULL },
	{ "POST", "/a/{name}", PIC_ACCESS_DEVICE, PIC_LISTENER_TLS, NULL },
	{ "GET", "/a/{name}/logs/{instance}/{component}", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS,
	  NULL },
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};
static const struct pic_route others[] = {
	{ "GET", "/apis/{rest...}", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, NULL },
	{ "GET", "/apis", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, NULL },
	{ "GET", "/apis/{group}", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, NULL },
	{ "GET", "/{rest...}", PIC_ACCESS_OPEN, PIC_LISTENER_PLAIN, NULL },
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};
static const struct pic_route *const tables[] = { some, others, NULL };

static struct pic_route_match match;

static int find(const char *method, const char *path)
{
	return pic_route_find(tables, method, path, PIC_LISTENER_TLS, &match);
}

static void assert_pattern(const char *method, const char *path, const char *pattern)
{
	assert_int_equal(find(method, path), 0);
	assert_string_equal(match.route->pattern, pattern);
}

static void the_closest_row_wins(void **state)
{
	(void)state;
	assert_pattern("GET", "/healthz", "/healthz");
	assert_pattern("HEAD", "/healthz", "/healthz");
	assert_pattern("GET", "/a/registry", "/a/registry");
	assert_pattern("GET", "/a/x", "/a/{name}");
	assert_pattern("POST", "/a/registry", "/a/{name}");
	assert_int_equal(match.route->access, PIC_ACCESS_DEVICE);
	assert_pattern("GET", "/apis", "/apis");
	assert_pattern("GET", "/apis/g", "/apis/{group}");
	assert_pattern("GET", "/apis/g/v1", "/apis/{rest...}");
	assert_pattern("GET", "/apis/", "/apis/{rest...}");
	assert_string_equal(match.captured[0], "");
}

static void segments_are_captured(void **state)
{
	(void)state;
	assert_int_equal(find("GET", "/a/tiny%2Dedge/logs/a%20b/c%2Fd"), 0);
	assert_int_equal(match.count, 3);
	assert_string_equal(match.captured[0], "tiny-edge");
	assert_string_equal(match.captured[1], "a b");
	assert_string_equal(match.captured[2], "c/d");
	assert_int_equal(find("GET", "/apis/g/v1/x"), 0);
	assert_int_equal(match.count, 1);
	assert_string_equal(match.captured[0], "g/v1/x");
}

static void what_is_wrong_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(find("GET", "/nothing"), -EPERM); /* only on the plain listener */
	assert_int_equal(find("DELETE", "/a/x"), -ENOTSUP);
	assert_int_equal(find("GET", "/a/x/logs"), -EPERM);
	assert_int_equal(find("GET", "/a/"), -EPERM);
	assert_int_equal(find("GET", "nothing"), -ENOENT);
	assert_int_equal(find("HEAD", "/apis/x/y"), 0);
	assert_int_equal(find("get", "/healthz"), -ENOTSUP);
	assert_int_equal(pic_route_find(tables, "GET", "/a/x", PIC_LISTENER_PLAIN, &match), 0);
	assert_string_equal(match.route->pattern, "/{rest...}");
}

static void bad_paths_stop_here(void **state)
{
	static const char *const paths[] = { "/a/%zz",	    "/a/%",	   "/a/%00", "/a/%0a",
					     "/a/%7f",	    "/a/%2e%2e",   "/a/..",  "/a/.",
					     "/apis/g/%2F", "/apis/g/%2fx" };
	char longer[3 * PIC_ROUTE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(paths); i++)
		assert_int_equal(find("GET", paths[i]), -EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "/a/", 3);
	assert_int_equal(find("GET", longer), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_closest_row_wins),
		cmocka_unit_test(segments_are_captured),
		cmocka_unit_test(what_is_wrong_is_told_apart),
		cmocka_unit_test(bad_paths_stop_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
