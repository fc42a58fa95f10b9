/* get: lists and single objects, as table, YAML, JSON or names; -w follows changes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "ctl/ctl.h"

#define ACCEPT_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
#define WATCH_LINE_MAX (4 * 1024 * 1024)
#define FOREVER_MS (1000LL * 3600 * 24 * 365)

static bool is_table(const struct pic_ctl *ctl)
{
	return strcmp(ctl->output, "table") == 0 || strcmp(ctl->output, "wide") == 0;
}

static int build_path(struct pic_ctl *ctl, const struct pic_ctl_resource *resource, bool watch,
		      struct pic_buf *path, struct pic_error *err)
{
	const char *space = NULL;
	char mark = '?';
	int r = 0;

	if (!ctl->all_spaces)
		r = pic_ctl_space(ctl, &space, err);
	if (r == 0)
		r = pic_ctl_path(resource->kind, space, watch ? NULL : resource->name, path, err);
	if (r < 0)
		return r;
	if (watch) {
		pic_buf_text_add(path, "?watch=true");
		mark = '&';
		if (resource->name) {
			pic_buf_text_add(path, "&fieldSelector=metadata.name%3D");
			pic_percent_encode(resource->name, path);
		}
	}
	if (ctl->selector && (watch || !resource->name)) {
		pic_buf_format(path, "%clabelSelector=", mark);
		pic_percent_encode(ctl->selector, path);
	}
	return pic_buf_check(path, "the address", err);
}

struct watcher {
	struct pic_ctl *ctl;
	struct pic_buf line;
	bool titled;
};

static void watch_event(struct watcher *watcher, const char *text, size_t size)
{
	PIC_JSON struct pic_json *event = NULL;
	struct pic_json *object;

	if (pic_json_parse(&event, text, size, NULL) < 0)
		return; /* an empty keep-alive line */
	object = pic_json_get(event, "object");
	if (!is_table(watcher->ctl)) {
		if (strcmp(watcher->ctl->output, "yaml") == 0)
			puts("---");
		pic_ctl_print_value(object, watcher->ctl->output, NULL);
	} else {
		pic_ctl_print_table(object, strcmp(watcher->ctl->output, "wide") == 0,
				    watcher->ctl->all_spaces, NULL);
	}
	fflush(stdout);
}

static int watch_bytes(void *data, const void *bytes, size_t size)
{
	struct watcher *watcher = data;
	char *end;

	pic_buf_add(&watcher->line, bytes, size);
	if (watcher->line.failed)
		return -EFBIG;
	while (watcher->line.size && (end = memchr(watcher->line.data, '\n', watcher->line.size))) {
		const size_t length = (size_t)(end - watcher->line.data);

		watch_event(watcher, watcher->line.data, length);
		pic_buf_consume(&watcher->line, length + 1);
	}
	return 0;
}

static int watch(struct pic_ctl *ctl, const struct pic_ctl_resource *resource,
		 struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(4096);
	struct watcher watcher = { .ctl = ctl, .line = PIC_BUF_INIT(WATCH_LINE_MAX) };
	struct pic_ctl_call call = { .method = "GET",
				     .accept = is_table(ctl) ? ACCEPT_TABLE : NULL,
				     .timeout_ms = FOREVER_MS,
				     .receive = watch_bytes,
				     .data = &watcher };
	int r = build_path(ctl, resource, true, &path, err);

	if (r < 0)
		return r;
	call.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &call, &answer, err);
	pic_buf_free(&watcher.line);
	return r;
}

static int get(struct pic_ctl *ctl, const struct pic_ctl_resource *resource, bool several,
	       struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(4096);
	const struct pic_ctl_call call = { .method = "GET",
					   .accept = is_table(ctl) ? ACCEPT_TABLE : NULL };
	struct pic_ctl_call sent = call;
	int r = build_path(ctl, resource, false, &path, err);

	if (r < 0)
		return r;
	sent.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &sent, &answer, err);
	if (r < 0)
		return r;
	if (!is_table(ctl))
		return pic_ctl_print_value(answer.json, ctl->output, err);
	if (pic_json_count(pic_json_get(answer.json, "rows")) == 0) {
		fprintf(stderr, "no %s\n", resource->kind->plural);
		return 0;
	}
	pic_ctl_print_table(answer.json, strcmp(ctl->output, "wide") == 0, ctl->all_spaces,
			    several ? resource->kind->singular : NULL);
	return 0;
}

/* "targets,instances" or "instance tiny-app" or "instance/tiny-app". */
int pic_ctl_get(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FREE char *words = strdup(argv[0]);
	const bool several = strchr(argv[0], ',') != NULL;
	char *rest = words;
	int status = PIC_EXIT_OK;

	for (char *word; words && (word = strsep(&rest, ","));) {
		struct pic_ctl_resource resource;
		int r = pic_ctl_resource(word, argc > 1 ? argv[1] : NULL, &resource, &err);

		if (r == 0)
			r = ctl->watch ? watch(ctl, &resource, &err)
				       : get(ctl, &resource, several, &err);
		if (r < 0) {
			status = pic_ctl_fail(&err);
			if (pic_ctl_is_hopeless(&err))
				return status;
		}
	}
	return status;
}

int pic_ctl_events(void *program, int argc, char **argv)
{
	static char word[] = "events";
	char *arguments[] = { word, NULL };

	(void)argc;
	(void)argv;
	return pic_ctl_get(program, 1, arguments);
}

int pic_ctl_api_resources(void *program, int argc, char **argv)
{
	static const char *const titles[] = { "NAME", "GROUP", "KIND", "WHAT" };
	struct pic_table *table = pic_table_new(4, titles);

	(void)program;
	(void)argc;
	(void)argv;
	for (int k = 0; table && k < PIC_KIND_COUNT; k++) {
		const struct pic_kind_facts *facts = pic_kind_facts((enum pic_kind)k);

		if (!facts || !facts->group)
			continue;
		pic_table_row(table, (const char *const[]){
					     facts->plural, *facts->group ? facts->group : "core",
					     facts->name, facts->help ? facts->help : "" });
	}
	if (table)
		pic_table_print(table, stdout);
	pic_table_free(table);
	return PIC_EXIT_OK;
}
