/* The properties of a wasm component, and the spec against policy. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "admission/policy.h"
#include "workload/wasm/runner.h"

static int parse(const char *json, struct pic_wasm_spec *spec, struct pic_error *err)
{
	struct pic_json *object = NULL;
	int r;

	assert_int_equal(pic_json_parse(&object, json, strlen(json), err), 0);
	r = pic_driver_find("wasm")->parse(object, spec, err);
	pic_json_unref(object);
	return r;
}

static void has_defaults(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasm_spec spec;

	(void)state;
	assert_int_equal(parse("{}", &spec, &err), 0);
	assert_int_equal(spec.version, 1);
	assert_int_equal(spec.memory_max, 64 * 1024 * 1024);
	assert_int_equal(spec.restart, 0);
	assert_int_equal(
		spec.folder_count + spec.listen_count + spec.connect_count + spec.text_size, 0);
	assert_int_equal(pic_wasm_spec_validate(&spec, &err), 0);
	assert_true(sizeof(spec) <= PIC_SPEC_MAX);
}

static void reads_everything(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasm_spec spec, again;
	const char *json =
		"{\"wasm.url\":\"http://x/y.wasm\",\"wasm.sha256\":\"00\",\"wasm.runtime\":\"wasmedge\",\"other\":5,"
		"\"wasm.dir\":\"/:/sys/kernel/debug/tracing /data:/srv/data/:rw '/with blank:/srv/a b' /same\","
		"\"wasm.args\":\"one 'two words' three\\\"x y\\\"z ''\",\"wasm.env\":\"A=1 B='b c' EMPTY=\","
		"\"wasm.listen\":\"0.0.0.0:8085 tcp:[::1]:9000-9010 udp:5000\",\"wasm.connect\":\"10.0.0.0/8:443\","
		"\"wasm.memory\":\"128M\",\"wasm.restart\":\"on-failure\"}";
	const char *at;

	(void)state;
	assert_int_equal(parse(json, &spec, &err), 0);
	assert_int_equal(spec.folder_count, 4);
	assert_string_equal(spec.folders[0].guest, "/");
	assert_true(spec.folders[0].trace);
	assert_string_equal(spec.folders[1].host, "/srv/data");
	assert_true(spec.folders[1].writable);
	assert_false(spec.folders[1].trace);
	assert_string_equal(spec.folders[2].guest, "/with blank");
	assert_string_equal(spec.folders[2].host, "/srv/a b");
	assert_false(spec.folders[2].writable);
	assert_string_equal(spec.folders[3].guest, "/same");
	assert_string_equal(spec.folders[3].host, "/same");
	assert_int_equal(spec.argument_count, 4);
	assert_int_equal(spec.environment_count, 3);
	at = spec.text;
	for (const char **word = (const char *[]){ "one", "two words", "threex yz", "", "A=1",
						   "B=b c", "EMPTY=", NULL };
	     *word; word++) {
		assert_string_equal(at, *word);
		at += strlen(at) + 1;
	}
	assert_ptr_equal(at, spec.text + spec.text_size);
	assert_int_equal(spec.listen_count, 3);
	assert_int_equal(spec.listen[0].first, 8085);
	assert_int_equal(spec.listen[1].network.family, 6);
	assert_int_equal(spec.listen[1].last, 9010);
	assert_int_equal(spec.listen[2].transport, PIC_UDP);
	assert_int_equal(spec.connect[0].network.bits, 8);
	assert_int_equal(spec.memory_max, 128 * 1024 * 1024);
	assert_int_equal(spec.restart, 1);
	assert_int_equal(pic_wasm_spec_validate(&spec, &err), 0);
	/* the same properties are the same bytes: a spec is digested */
	memset(&again, 0xaa, sizeof(again));
	assert_int_equal(parse(json, &again, &err), 0);
	assert_memory_equal(&spec, &again, sizeof(spec));
}

/* Each error names its property and says what is wrong; the spec stays as it was. */
static void names_what_is_wrong(void **state)
{
	static const struct {
		const char *json, *says, *too;
	} cases[] = {
		{ "{\"wasm.lisen\":\"8085\"}", "wasm.lisen:", "did you mean wasm.listen" },
		{ "{\"wasm.zzzzzz\":\"1\"}", "wasm.zzzzzz:", "no such property" },
		{ "{\"wasm.memory\":64}", "wasm.memory:", "must be a text" },
		{ "{\"wasm.url\":null}", "wasm.url:", "must be a text" },
		{ "{\"wasm.dir\":[\"/a\"]}", "wasm.dir:", "must be a text" },
		{ "{\"wasm.memory\":\"lots\"}", "wasm.memory:", "64M" },
		{ "{\"wasm.memory\":\"1k\"}", "wasm.memory:", "between" },
		{ "{\"wasm.memory\":\"4G\"}", "wasm.memory:", "between" },
		{ "{\"wasm.listen\":\"eighty\"}", "wasm.listen:", "eighty" },
		{ "{\"wasm.listen\":\"70000\"}", "wasm.listen:", "70000" },
		{ "{\"wasm.listen\":\"1 2 3 4 5 6 7 8 9\"}", "wasm.listen:", "more than 8" },
		{ "{\"wasm.connect\":\"10.0.0.0/40:1\"}", "wasm.connect:", "10.0.0.0/40" },
		{ "{\"wasm.restart\":\"sometimes\"}", "wasm.restart:", "on-failure" },
		{ "{\"wasm.env\":\"NOVALUE\"}", "wasm.env:", "NAME=VALUE" },
		{ "{\"wasm.env\":\"=x\"}", "wasm.env:", "NAME=VALUE" },
		{ "{\"wasm.args\":\"'open\"}", "wasm.args:", "quote" },
		{ "{\"wasm.dir\":\"/a:relative\"}", "wasm.dir:", "not absolute" },
		{ "{\"wasm.dir\":\"/a:/srv/../etc\"}", "wasm.dir:", "goes up" },
		{ "{\"wasm.dir\":\"/a:/b:wx\"}", "wasm.dir:", "rw" },
		{ "{\"wasm.dir\":\":/b\"}", "wasm.dir:", "empty" },
		{ "{\"wasm.dir\":\"/:/sys/kernel/tracing:rw\"}", "wasm.dir:", "only be read" },
		{ "{\"wasm.dir\":\"/1 /2 /3 /4 /5 /6 /7 /8 /9\"}", "wasm.dir:", "more than 8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_error err = PIC_ERROR_INIT;
		struct pic_wasm_spec spec = { .version = 77 };

		assert_true(parse(cases[i].json, &spec, &err) < 0);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, cases[i].too))
			fail_msg("%s: said \"%s\"", cases[i].json, err.text);
		assert_int_equal(spec.version, 77);
	}
}

static void limits_texts(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasm_spec spec;
	char *word = malloc(5000);

	(void)state;
	memset(word, 'a', 4999);
	word[4999] = '\0';
	pic_wasm_spec_init(&spec);
	assert_int_equal(pic_wasm_spec_argument(&spec, word, &err), -E2BIG);
	word[4095] = '\0';
	assert_int_equal(pic_wasm_spec_argument(&spec, word, &err), 0);
	assert_int_equal(pic_wasm_spec_argument(&spec, "", &err), -E2BIG);
	assert_int_equal(spec.argument_count, 1);
	assert_int_equal(pic_wasm_spec_validate(&spec, &err), 0);
	free(word);
}

static void policy_of(const char *text, struct pic_policy *policy)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_policy_parse(policy, text, strlen(text), "policy.conf", &err) < 0)
		fail_msg("%s", err.text);
}

#define POLICY \
	"allow wasm\nusers 1900000000-1900000009\nlisten tcp 8000-8999\n" \
	"connect tcp 443 to 10.0.0.0/8\nfolder /srv/data read-only\nmemory-max 64M\n"

static void asks_policy(void **state)
{
	static const struct {
		const char *json, *property;
	} refused[] = {
		{ "{\"wasm.listen\":\"80\"}", "wasm.listen" },
		{ "{\"wasm.listen\":\"8000-9000\"}", "wasm.listen" },
		{ "{\"wasm.listen\":\"udp:8000\"}", "wasm.listen" },
		{ "{\"wasm.connect\":\"443\"}", "wasm.connect" },
		{ "{\"wasm.connect\":\"10.0.0.1:80\"}", "wasm.connect" },
		{ "{\"wasm.dir\":\"/d:/srv/data:rw\"}", "wasm.dir" },
		{ "{\"wasm.dir\":\"/d:/srv\"}", "wasm.dir" },
		{ "{\"wasm.dir\":\"/d:/srv/data2\"}", "wasm.dir" },
		{ "{\"wasm.memory\":\"65M\"}", "wasm.memory" },
	};
	const struct pic_driver *driver = pic_driver_find("wasm");
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_policy policy;
	struct pic_wasm_spec spec;

	(void)state;
	policy_of(POLICY, &policy);
	assert_int_equal(
		parse("{\"wasm.listen\":\"127.0.0.1:8085\",\"wasm.connect\":\"10.1.0.0/16:443\","
		      "\"wasm.dir\":\"/d:/srv/data/sub /:/sys/kernel/tracing\"}",
		      &spec, &err),
		0);
	assert_int_equal(driver->check(&spec, &policy, &err), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(parse(refused[i].json, &spec, &err), 0);
		err = (struct pic_error)PIC_ERROR_INIT;
		if (driver->check(&spec, &policy, &err) != -EPERM ||
		    !strstr(err.text, refused[i].property))
			fail_msg("%s: %d %s", refused[i].json, err.code, err.text);
	}
	policy_of("users 1900000000-1900000009\n", &policy);
	assert_int_equal(parse("{}", &spec, &err), 0);
	assert_int_equal(driver->check(&spec, &policy, &err), -EPERM);
}

/* The bytes may come from anybody. */
static void believes_no_spec(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasm_spec good, spec;
	struct pic_policy policy;

	(void)state;
	policy_of(POLICY, &policy);
	assert_int_equal(
		parse("{\"wasm.args\":\"a b\",\"wasm.env\":\"C=d\",\"wasm.dir\":\"/d:/srv/data\",\"wasm.listen\":\"8085\"}",
		      &good, &err),
		0);
	assert_int_equal(pic_wasm_check_spec(&good, &policy, &err), 0);
#define DAMAGED(change) \
	do { \
		spec = good; \
		change; \
		assert_int_equal(pic_wasm_check_spec(&spec, &policy, &err), -EINVAL); \
	} while (0)
	DAMAGED(spec.version = 2);
	DAMAGED(spec.restart = 3);
	DAMAGED(spec.folder_count = 9);
	DAMAGED(spec.listen_count = 0xffffffff);
	DAMAGED(spec.connect_count = 9);
	DAMAGED(memset(spec.folders[0].guest, 'x', sizeof(spec.folders[0].guest)));
	DAMAGED(memset(spec.folders[0].host, 'x', sizeof(spec.folders[0].host)));
	DAMAGED(strcpy(spec.folders[0].host, "/srv/data/../../etc"));
	DAMAGED(strcpy(spec.folders[0].host, "/srv/data/.."));
	DAMAGED(strcpy(spec.folders[0].host, "srv"));
	DAMAGED(spec.folders[0].guest[0] = '\0');
	DAMAGED(memset(&spec.folders[0].writable, 2, 1));
	DAMAGED(spec.folders[0].trace = true; spec.folders[0].writable = true);
	DAMAGED(spec.listen[0].transport = 1);
	DAMAGED(spec.listen[0].last = 1);
	DAMAGED(spec.listen[0].network.family = 5);
	DAMAGED(spec.listen[0].network.family = 4; spec.listen[0].network.bits = 33);
	DAMAGED(spec.argument_count = 3);
	DAMAGED(spec.environment_count = 0);
	DAMAGED(spec.argument_count = 0xffffffff; spec.environment_count = 4);
	DAMAGED(spec.text_size = sizeof(spec.text) + 1);
	DAMAGED(spec.text_size--);
	DAMAGED(spec.text[1] = 'x');
	/* two dots that are no way up */
	spec = good;
	strcpy(spec.folders[0].host, "/srv/data/..hidden");
	assert_int_equal(pic_wasm_check_spec(&spec, &policy, &err), 0);
	/* random bytes: an answer, and no harm */
	srand(4);
	for (int i = 0; i < 20000; i++) {
		spec = good;
		for (int n = rand() % 8; n >= 0; n--)
			((unsigned char *)&spec)[(size_t)rand() % sizeof(spec)] =
				(unsigned char)rand();
		(void)pic_wasm_check_spec(&spec, &policy, &err);
	}
}

static void wanted(const char *text, struct pic_policy_ports *out)
{
	assert_int_equal(pic_ports_parse(text, strlen(text), out, NULL), 0);
}

static void grants_sockets(void **state)
{
	const struct pic_driver *driver = pic_driver_find("wasm");
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_policy policy;
	struct pic_policy_ports ports;
	struct pic_wasm_spec spec;

	(void)state;
	policy_of(POLICY, &policy);
	assert_int_equal(parse("{}", &spec, &err), 0);
	wanted("127.0.0.1:8500", &ports);
	assert_int_equal(driver->grants(&spec, PIC_BROKER_LISTEN, &ports, &policy, &err), 0);
	assert_int_equal(driver->grants(&spec, PIC_BROKER_CONNECT, &ports, &policy, &err), -EPERM);
	assert_non_null(strstr(err.text, "wasm.connect"));
	wanted("127.0.0.1:80", &ports);
	assert_int_equal(driver->grants(&spec, PIC_BROKER_LISTEN, &ports, &policy, &err), -EPERM);
	assert_int_equal(parse("{\"wasm.listen\":\"127.0.0.1:8085\",\"wasm.connect\":\"443\"}",
			       &spec, &err),
			 0);
	wanted("127.0.0.1:8085", &ports);
	assert_int_equal(driver->grants(&spec, PIC_BROKER_LISTEN, &ports, &policy, &err), 0);
	wanted("127.0.0.1:8086", &ports); /* policy would, the declaration does not */
	assert_int_equal(driver->grants(&spec, PIC_BROKER_LISTEN, &ports, &policy, &err), -EPERM);
	assert_non_null(strstr(err.text, "wasm.listen"));
	wanted("0.0.0.0:8085", &ports);
	assert_int_equal(driver->grants(&spec, PIC_BROKER_LISTEN, &ports, &policy, &err), -EPERM);
	wanted("10.2.3.4:443", &ports);
	assert_int_equal(driver->grants(&spec, PIC_BROKER_CONNECT, &ports, &policy, &err), 0);
	wanted("11.2.3.4:443", &ports); /* the declaration would, policy does not */
	assert_int_equal(driver->grants(&spec, PIC_BROKER_CONNECT, &ports, &policy, &err), -EPERM);
}

static void is_in_the_table(void **state)
{
	(void)state;
	assert_null(pic_driver_find("nothing"));
	assert_string_equal(pic_driver_at(0)->type, "wasm");
	assert_string_equal(pic_driver_at(1)->type, "ebpf");
	assert_null(pic_driver_at(2));
	assert_null(pic_driver_at(1000));
	assert_int_equal(pic_driver_find("wasm")->spec_size, sizeof(struct pic_wasm_spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults),	       cmocka_unit_test(reads_everything),
		cmocka_unit_test(names_what_is_wrong), cmocka_unit_test(limits_texts),
		cmocka_unit_test(asks_policy),	       cmocka_unit_test(believes_no_spec),
		cmocka_unit_test(grants_sockets),      cmocka_unit_test(is_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
