#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "protocol/ask.h"
#include "protocol/report.h"

#define SESSION "00112233445566778899aabbccddeeff"

static void fill(struct pic_report *report, struct pic_report_component *component)
{
	memset(report, 0, sizeof(*report));
	memset(component, 0, sizeof(*component));
	snprintf(report->device, sizeof(report->device), "box");
	snprintf(report->session, sizeof(report->session), SESSION);
	report->sequence = 3;
	snprintf(report->epoch, sizeof(report->epoch), SESSION);
	report->revision = 7;
	report->digest[0] = 0xab;
	report->removed_through = 6;
	snprintf(report->version, sizeof(report->version), "0.1.0");
	snprintf(report->boot, sizeof(report->boot), "boot-id");
	report->uptime_seconds = 12;
	report->clock_is_set = true;
	report->lease_max_seconds = 7200;
	snprintf(report->message, sizeof(report->message), "two\nlines \"quoted\"");
	snprintf(component->name.instance, sizeof(component->name.instance), "app");
	snprintf(component->name.component, sizeof(component->name.component), "web");
	snprintf(component->type, sizeof(component->type), "wasm");
	component->phase = PIC_PHASE_BACKOFF;
	snprintf(component->reason, sizeof(component->reason), "Ended");
	snprintf(component->message, sizeof(component->message), "it ended with status 3");
	component->since_ms = 1790000000000;
	component->restarts = 2;
	snprintf(component->last_error, sizeof(component->last_error), "it ended with status 3");
	component->last_error_ms = 1789999990000;
	component->orphaned = true;
	component->pid = 4711;
	component->user = 1900000001;
	component->memory_bytes = 123456;
	component->digest[31] = 0xcd;
	snprintf(component->evidence, sizeof(component->evidence), "program 12, link 7 on eth0");
	component->ends_at_ms = 1790000060000;
	report->components = component;
	report->component_count = 1;
}

static void comes_back_as_it_went(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	struct pic_report_component component;
	struct pic_report report, *back = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	fill(&report, &component);
	assert_int_equal(pic_report_write(&report, &text), 0);
	assert_int_equal(pic_report_parse(&back, text.data, text.size, &err), 0);
	assert_int_equal(back->component_count, 1);
	assert_memory_equal(back->components, &component, sizeof(component));
	pic_report_free(back);
}

static void head_comes_back(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	struct pic_report_component component;
	struct pic_report report, *back = NULL;

	(void)state;
	fill(&report, &component);
	assert_int_equal(pic_report_write(&report, &text), 0);
	assert_int_equal(pic_report_parse(&back, text.data, text.size, NULL), 0);
	report.components = back->components;
	assert_memory_equal(back, &report, sizeof(report));
	pic_report_free(back);
}

static void no_document_is_no_epoch(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	struct pic_report report = { .device = "box", .session = SESSION }, *back = NULL;

	(void)state;
	assert_int_equal(pic_report_write(&report, &text), 0);
	assert_null(strstr(text.data, "epoch"));
	assert_int_equal(pic_report_parse(&back, text.data, text.size, NULL), 0);
	assert_string_equal(back->epoch, "");
	pic_report_free(back);
}

static void a_long_sentence_is_cut_at_a_character(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	struct pic_report *back = NULL;

	(void)state;
	pic_buf_text_add(&text, "{\"protocol\":1,\"device\":\"box\",\"session\":\"" SESSION
				"\",\"sequence\":1,\"message\":\"");
	for (int i = 0; i < PIC_REPORT_TEXT_MAX; i++)
		pic_buf_text_add(&text, "ü");
	pic_buf_text_add(&text, "\"}");
	assert_int_equal(pic_report_parse(&back, text.data, text.size, NULL), 0);
	assert_int_equal(strlen(back->message), PIC_REPORT_TEXT_MAX - 2);
	pic_report_free(back);
}

/* Such a sentence must not be the end of all reports. */
static void half_a_character_is_escaped(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	struct pic_report report = { .device = "box",
				     .session = SESSION,
				     .message = "grün \xc3; on" };
	struct pic_report *back = NULL;

	(void)state;
	assert_int_equal(pic_report_write(&report, &text), 0);
	assert_int_equal(pic_report_parse(&back, text.data, text.size, NULL), 0);
	assert_string_equal(back->message, "grün \\xc3; on");
	pic_report_free(back);
}

static const struct {
	const char *members, *sentence;
} refused[] = {
	{ "\"components\":[{\"instance\":\"a\",\"component\":\"b\"}]",
	  "report.components[0].phase: is missing" },
	{ "\"components\":[{\"instance\":\"a\",\"component\":\"b\",\"phase\":\"Happy\"}]",
	  "report.components[0].phase: 'Happy' is not a phase" },
	{ "\"components\":[{\"instance\":\"a\",\"component\":\"b\",\"phase\":\"Failed\",\"evidence\":{\"pid\":-1}}]",
	  "report.components[0].evidence.pid: -1 is not between" },
	{ "\"components\":[{\"instance\":\"a\",\"component\":\"b\",\"phase\":\"Failed\",\"evidence\":7}]",
	  "report.components[0].evidence: an object is expected" },
	{ "\"epoch\":\"" SESSION "\"", "report.revision: is missing" },
	{ "\"epoch\":\"zz\"", "report.epoch: 32 lower-case" },
	{ "\"agent\":[]", "report.agent: an object is expected" },
	{ "\"components\":[{\"instance\":\"a\",\"component\":\"b\",\"phase\":\"Failed\",\"reason\":\"a\\u0007b\"}]",
	  "report.components[0].reason: control characters are not allowed" },
};

static void names_the_path_of_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(refused); i++) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
		struct pic_report *report = NULL;
		struct pic_error err = PIC_ERROR_INIT;

		pic_buf_format(
			&text,
			"{\"protocol\":1,\"device\":\"box\",\"session\":\"%s\",\"sequence\":1,%s}",
			SESSION, refused[i].members);
		assert_int_equal(pic_report_parse(&report, text.data, text.size, &err), -EINVAL);
		if (!strstr(err.text, refused[i].sentence))
			fail_msg("'%s' does not say '%s'", err.text, refused[i].sentence);
	}
}

static void phases_have_words(void **state)
{
	(void)state;
	for (enum pic_phase phase = PIC_PHASE_PENDING; phase <= PIC_PHASE_EXPIRED; phase++) {
		enum pic_phase back;

		assert_int_equal(pic_phase_parse(pic_phase_text(phase), &back), 0);
		assert_int_equal(back, phase);
	}
	assert_int_equal(pic_phase_parse("running", &(enum pic_phase){ 0 }), -EINVAL);
}

static int parse_ask(struct pic_ask *ask, const char *text, struct pic_error *err)
{
	PIC_JSON struct pic_json *value = NULL;

	assert_int_equal(pic_json_parse(&value, text, strlen(text), NULL), 0);
	return pic_ask_parse(ask, value, err);
}

static void asks_are_read(void **state)
{
	struct pic_ask ask = { .lines = -1 };
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(parse_ask(&ask,
				   "{\"id\":\"" SESSION
				   "\",\"kind\":\"logs\",\"seconds\":30,\"instance\":\"a\","
				   "\"component\":\"b\",\"lines\":7,\"after\":9,\"follow\":false}",
				   &err),
			 0);
	assert_int_equal(ask.kind, PIC_ASK_LOGS);
	assert_int_equal(ask.seconds, 30);
	assert_int_equal(ask.lines, 7);
	assert_int_equal(ask.after, 9);
	assert_string_equal(ask.name.component, "b");
	assert_int_equal(
		parse_ask(&ask, "{\"id\":\"" SESSION "\",\"kind\":\"dance\",\"seconds\":1}", &err),
		0);
	assert_int_equal(ask.kind, PIC_ASK_UNKNOWN);
	assert_int_equal(parse_ask(&ask, "{\"id\":\"" SESSION "\",\"kind\":\"logs\",\"seconds\":1}",
				   &err),
			 -EINVAL);
	assert_string_equal(err.text, "ask.instance: is missing");
	assert_int_equal(parse_ask(&ask, "{\"id\":\"../x\",\"kind\":\"scrape\",\"seconds\":1}",
				   &err),
			 -EINVAL);
	assert_int_equal(ask.kind, PIC_ASK_UNKNOWN);
}

static void asks_come_back(void **state)
{
	struct pic_ask ask = { .id = SESSION, .kind = PIC_ASK_LOGS, .seconds = 5, .lines = 3 },
		       back;
	PIC_JSON struct pic_json *value = NULL;

	(void)state;
	snprintf(ask.name.instance, sizeof(ask.name.instance), "a");
	snprintf(ask.name.component, sizeof(ask.name.component), "b");
	value = pic_ask_write(&ask);
	memset(&back, 0, sizeof(back));
	assert_int_equal(pic_ask_parse(&back, value, NULL), 0);
	assert_memory_equal(&back, &ask, sizeof(ask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_went),
		cmocka_unit_test(head_comes_back),
		cmocka_unit_test(no_document_is_no_epoch),
		cmocka_unit_test(a_long_sentence_is_cut_at_a_character),
		cmocka_unit_test(half_a_character_is_escaped),
		cmocka_unit_test(names_the_path_of_an_error),
		cmocka_unit_test(phases_have_words),
		cmocka_unit_test(asks_are_read),
		cmocka_unit_test(asks_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
