/* describe: one object for a person: what it is, its conditions, its components, its events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "symphony/yaml.h"

#define TEXT_MAX (4 * 1024 * 1024)

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static void print_head(const struct pic_json *object)
{
	struct pic_json *metadata = pic_json_get(object, "metadata");
	static const char *const keys[] = { "name", "namespace", "creationTimestamp",
					    "deletionTimestamp" };
	static const char *const titles[] = { "Name:       ", "Namespace:  ", "Created:    ",
					      "Terminating:" };

	printf("Kind:        %s (%s)\n", text_of(object, "kind"), text_of(object, "apiVersion"));
	for (size_t i = 0; i < PIC_COUNT(keys); i++) {
		if (!pic_json_get(metadata, keys[i]))
			continue;
		printf("%s ", titles[i]);
		pic_ctl_print_text(text_of(metadata, keys[i]));
	}
	pic_json_each(pic_json_get(metadata, "labels"), i) {
		printf("Label:       %s=", pic_json_key(i));
		pic_ctl_print_text(pic_json_text_or(pic_json_value(i), ""));
	}
}

static void print_yaml(const char *title, const struct pic_json *value)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(TEXT_MAX);
	char *line, *rest;

	if (!value || pic_yaml_write(value, &text) < 0)
		return;
	printf("%s:\n", title);
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n")))
		if (*line)
			printf("  %s\n", line);
}

/* A sentence stands on a line of its own: cut short it would lose what to do. */
static void print_sentence(const char *text)
{
	if (!*text)
		return;
	printf("    ");
	pic_ctl_print_text(text);
}

/* What an activation has gone through: why it asked somebody, and what went wrong. */
static void print_stages(const struct pic_json *list)
{
	if (pic_json_count(list) > 0)
		puts("Stages:");
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);
		const struct pic_json *outputs = pic_json_get(one, "outputs");
		PIC_BUF struct pic_buf line = PIC_BUF_INIT(TEXT_MAX);

		pic_buf_format(&line, "%s: %s", text_of(one, "stage"),
			       text_of(one, "statusMessage"));
		if (*text_of(outputs, "by"))
			pic_buf_format(&line, ", %s by %s", text_of(outputs, "decision"),
				       text_of(outputs, "by"));
		printf("  ");
		pic_ctl_print_text(pic_buf_text(&line));
		print_sentence(text_of(outputs, "reason"));
		print_sentence(text_of(one, "errorMessage"));
	}
}

/* What has no conditions says otherwise where it stands: an activation, an approval. */
static void print_progress(const struct pic_json *status)
{
	const char *phase = text_of(status, "phase"), *word = text_of(status, "statusMessage");

	if (*phase || *word) {
		printf("Status:      ");
		pic_ctl_print_text(*phase ? phase : word);
		print_sentence(text_of(status, "statusDetails"));
	}
	print_stages(pic_json_get(status, "stageHistory"));
}

static void print_conditions(const struct pic_json *status)
{
	struct pic_json *conditions = pic_json_get(status, "conditions");

	if (pic_json_count(conditions) > 0)
		puts("Conditions:");
	for (size_t i = 0; i < pic_json_count(conditions); i++) {
		struct pic_json *c = pic_json_at(conditions, i);

		printf("  %-12s %-6s ", text_of(c, "type"), text_of(c, "status"));
		pic_ctl_print_text(text_of(c, "reason"));
		print_sentence(text_of(c, "message"));
	}
}

static void print_last_error(const char *text, const char *time)
{
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(4096);
	char age[PIC_TIME_TEXT];
	int64_t at;

	pic_buf_text_add(&line, "last error");
	if (pic_time_parse(time, &at) == 0) {
		pic_duration_age(pic_clock_wall_ms() - at, age);
		pic_buf_format(&line, ", %s ago", age);
	}
	pic_buf_format(&line, ": %s", text);
	print_sentence(pic_buf_text(&line));
}

static void print_components(const struct pic_json *status)
{
	struct pic_json *components = pic_json_get(status, "components");

	if (pic_json_count(components) > 0)
		puts("Components:");
	for (size_t i = 0; i < pic_json_count(components); i++) {
		struct pic_json *c = pic_json_at(components, i);
		const char *last = text_of(c, "lastError");
		long long restarts = 0;

		pic_json_integer(pic_json_get(c, "restarts"), &restarts);
		printf("  %s on %s: %s (%s), restarts %lld\n", text_of(c, "name"),
		       text_of(c, "target"), text_of(c, "phase"), text_of(c, "reason"), restarts);
		print_sentence(text_of(c, "message"));
		if (*last && strcmp(last, text_of(c, "message")) != 0)
			print_last_error(last, text_of(c, "lastErrorAt"));
	}
}

static void print_events(const struct pic_json *list)
{
	struct pic_json *items = pic_json_get(list, "items");

	puts(pic_json_count(items) ? "Events:" : "Events:      none");
	for (size_t i = 0; i < pic_json_count(items); i++) {
		struct pic_json *event = pic_json_at(items, i);
		char age[PIC_TIME_TEXT] = "?";
		int64_t at;

		if (pic_time_parse(text_of(event, "lastTimestamp"), &at) == 0)
			pic_duration_age(pic_clock_wall_ms() - at, age);
		printf("  %-6s %-8s ", age, text_of(event, "type"));
		pic_ctl_print_text(text_of(event, "reason"));
		print_sentence(text_of(event, "message"));
	}
}

static int describe(struct pic_ctl *ctl, const struct pic_ctl_resource *resource, const char *space,
		    struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_ANSWER struct pic_ctl_answer events = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	struct pic_ctl_call call = { .method = "GET" };
	struct pic_json *status;
	int r = pic_ctl_path(resource->kind, space, resource->name, &path, err);

	if (r < 0)
		return r;
	call.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &call, &answer, err);
	if (r < 0)
		return r;
	status = pic_json_get(answer.json, "status");
	print_head(answer.json);
	print_yaml("Spec", pic_json_get(answer.json, "spec"));
	print_progress(status);
	print_conditions(status);
	print_components(status);
	pic_buf_clear(&path);
	pic_buf_text_add(&path, "/api/v1/namespaces/");
	pic_percent_encode(space, &path);
	pic_buf_text_add(&path, "/events?fieldSelector=involvedObject.uid%3D");
	pic_percent_encode(
		pic_json_text_or(pic_json_find(answer.json, "metadata", "uid", NULL), ""), &path);
	call.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &call, &events, err);
	if (r < 0)
		return r;
	print_events(events.json);
	return 0;
}

int pic_ctl_describe(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ctl_resource resource;
	const char *space;
	int r = pic_ctl_object(argc, argv, &resource, &err);

	if (r == 0)
		r = pic_ctl_space(ctl, &space, &err);
	if (r == 0)
		r = describe(ctl, &resource, space, &err);
	return r < 0 ? pic_ctl_fail(&err) : PIC_EXIT_OK;
}
