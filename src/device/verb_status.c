/* `piccolo status`: what the agent says of the device, as a table or as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "device/agent_status.h"
#include "device/verbs.h"

/* -- for people ------------------------------------------------------------------------------------------ */

/* Texts of strangers (the hub's, a module's) are escaped before a terminal sees them. */
static void say(const char *title, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const char *title, const char *format, ...)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096), safe = PIC_BUF_INIT(16384);
	va_list arguments;

	va_start(arguments, format);
	pic_buf_vformat(&text, format, arguments);
	va_end(arguments);
	pic_text_escape(pic_buf_text(&text), text.size, false, &safe);
	printf("%-11s %s\n", title, pic_buf_text(&safe));
}

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static long long number_of(const struct pic_json *object, const char *key)
{
	long long number = 0;

	pic_json_integer(pic_json_get(object, key), &number);
	return number;
}

static void age_of(const char *time, char out[PIC_TIME_TEXT])
{
	int64_t then;

	snprintf(out, PIC_TIME_TEXT, "-");
	if (pic_time_parse(time, &then) == 0 && pic_clock_wall_ms() >= then)
		pic_duration_age(pic_clock_wall_ms() - then, out);
}

static void say_hub(const struct pic_json *root)
{
	const char *hub = text_of(root, "hub"), *problem = text_of(root, "problem");
	const char *connection = text_of(root, "connection"),
		   *contact = text_of(root, "last-contact");
	const char *device = text_of(root, "device");
	char age[PIC_TIME_TEXT];

	age_of(contact, age);
	if (text_of(root, "file")[0])
		say("file", "%s", text_of(root, "file"));
	else if (!hub[0] && strcmp(connection, "none") == 0)
		say("hub",
		    "not joined; `piccoloctl enroll %s` at the hub prints the line to run here",
		    *device ? device : "NAME");
	else if (!hub[0])
		say("hub", "none (%s)", connection);
	else if (contact[0])
		say("hub", "%s, %s, last contact %s ago", hub, connection, age);
	else
		say("hub", "%s, %s", hub, connection);
	if (problem[0])
		say("", "%s: %s", text_of(root, "reason"), problem);
}

static void say_document(const struct pic_json *root)
{
	if (!text_of(root, "epoch")[0])
		say("document", "none yet");
	else if (text_of(root, "file")[0])
		say("document", "revision %lld", number_of(root, "revision"));
	else
		say("document", "revision %lld, epoch %.8s, removed through %lld",
		    number_of(root, "revision"), text_of(root, "epoch"),
		    number_of(root, "removed-through"));
	if (text_of(root, "message")[0])
		say("", "%s", text_of(root, "message"));
}

static void print_workloads(const struct pic_json *components)
{
	static const char *const titles[] = { "INSTANCE/COMPONENT", "TYPE",  "PHASE",
					      "RESTARTS",	    "SINCE", "REASON" };
	struct pic_table *table = pic_table_new(PIC_COUNT(titles), titles);

	for (size_t i = 0; table && i < pic_json_count(components); i++) {
		const struct pic_json *component = pic_json_at(components, i);
		char name[160], restarts[32], since[PIC_TIME_TEXT];

		snprintf(name, sizeof(name), "%.63s/%.63s", text_of(component, "instance"),
			 text_of(component, "component"));
		snprintf(restarts, sizeof(restarts), "%lld", number_of(component, "restarts"));
		age_of(text_of(component, "since"), since);
		pic_table_row(table, (const char *const[]){ name, text_of(component, "type"),
							    text_of(component, "phase"), restarts,
							    since, text_of(component, "reason") });
	}
	if (table)
		pic_table_print(table, stdout);
	pic_table_free(table);
}

/* "1h59m", "12m", "40s": what is left, by the device's own wall clock on both sides. */
static void left_of(const char *time, char out[PIC_TIME_TEXT])
{
	int64_t end, seconds;

	out[0] = '\0';
	if (pic_time_parse(time, &end) < 0)
		return;
	seconds = (end - pic_clock_wall_ms()) / 1000;
	if (seconds >= 3600)
		snprintf(out, PIC_TIME_TEXT, "%lldh%02lldm", (long long)seconds / 3600,
			 (long long)seconds / 60 % 60);
	else if (seconds >= 60)
		snprintf(out, PIC_TIME_TEXT, "%lldm", (long long)seconds / 60);
	else if (seconds >= 0)
		snprintf(out, PIC_TIME_TEXT, "%llds", (long long)seconds);
}

/* What proves that it is there, and when it will be gone. */
static void say_evidence(const char *name, const struct pic_json *component)
{
	const struct pic_json *evidence = pic_json_get(component, "evidence");
	const char *text = text_of(evidence, "text");
	char left[PIC_TIME_TEXT];

	left_of(text_of(evidence, "ends-at"), left);
	if (text[0] && left[0])
		say(name, "%s; ends in %s", text, left);
	else if (left[0])
		say(name, "ends in %s", left);
	else if (text[0])
		say(name, "%s", text);
}

/* What a column has no room for. */
static void print_sentences(const struct pic_json *components)
{
	for (size_t i = 0; i < pic_json_count(components); i++) {
		const struct pic_json *component = pic_json_at(components, i);
		const char *message = text_of(component, "message");
		const char *last = text_of(component, "last-error");
		char name[160], age[PIC_TIME_TEXT];

		snprintf(name, sizeof(name), "%.63s/%.63s:", text_of(component, "instance"),
			 text_of(component, "component"));
		say_evidence(name, component);
		if (message[0])
			say(name, "%s", message);
		if (!last[0] || strcmp(last, message) == 0)
			continue;
		age_of(text_of(component, "last-error-at"), age);
		if (age[0] == '-')
			say(name, "last error: %s", last);
		else
			say(name, "last error, %s ago: %s", age, last);
	}
}

/* Of the machine, as `piccolo check` numbers them. */
static void print_problems(const struct pic_json *problems)
{
	for (size_t i = 0; i < pic_json_count(problems); i++) {
		const struct pic_json *problem = pic_json_at(problems, i);

		say(text_of(problem, "state"), "%s: %s", text_of(problem, "code"),
		    text_of(problem, "message"));
	}
}

static void print(const struct pic_json *root)
{
	const struct pic_json *components = pic_json_get(root, "components");

	say("device", "%s, piccolo %s", text_of(root, "device"),
	    text_of(pic_json_get(root, "agent"), "version"));
	say_hub(root);
	say_document(root);
	if (!pic_json_true(pic_json_find(root, "agent", "clock-set", NULL)))
		say("clock", "not set; dates of certificates are not checked until it is");
	if (!pic_json_true(pic_json_get(root, "supervisor")))
		say("supervisor", "away; what is shown is what was known last");
	print_problems(pic_json_get(root, "problems"));
	printf("\n");
	if (pic_json_count(components) == 0) {
		printf("no workloads\n");
		return;
	}
	print_workloads(components);
	print_sentences(components);
}

static int show(const struct pic_device_options *options, const struct pic_buf *answer,
		struct pic_error *err)
{
	PIC_JSON struct pic_json *root = NULL;
	int r = pic_json_parse(&root, pic_buf_text(answer), answer->size, err);

	if (r < 0)
		return pic_error_wrap(err, r, "the agent's answer");
	if (strcmp(options->output, "json") == 0)
		fwrite(pic_buf_text(answer), 1, answer->size, stdout);
	else
		print(root);
	return 0;
}

int pic_verb_status(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	PIC_BUF struct pic_buf answer = PIC_BUF_INIT(PIC_AGENT_STATUS_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_device_agent_status(options->run_dir, &answer, &err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = show(options, &answer, &err);
	return r < 0 ? pic_device_complain(r, &err) : PIC_EXIT_OK;
}
