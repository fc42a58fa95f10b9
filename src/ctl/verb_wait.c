/* wait --for=condition=Ready|delete KIND/NAME: follows the object until it is so or time is up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/ctl.h"

#define LINE_MAX_BYTES (4 * 1024 * 1024)

struct waiter {
	const char *condition; /* NULL: wait for deletion */
	struct pic_buf line;
	bool met;
	char last[PIC_ERROR_TEXT]; /* what the condition said last */
};

static void look_at(struct waiter *waiter, const struct pic_json *object)
{
	struct pic_json *conditions = pic_json_find(object, "status", "conditions", NULL);

	for (size_t i = 0; waiter->condition && i < pic_json_count(conditions); i++) {
		struct pic_json *condition = pic_json_at(conditions, i);
		const char *type = pic_json_text_or(pic_json_get(condition, "type"), "");
		const char *status = pic_json_text_or(pic_json_get(condition, "status"), "");

		if (strcasecmp(type, waiter->condition) != 0)
			continue;
		waiter->met = strcmp(status, "True") == 0;
		snprintf(waiter->last, sizeof(waiter->last), "%s: %s",
			 pic_json_text_or(pic_json_get(condition, "reason"), status),
			 pic_json_text_or(pic_json_get(condition, "message"), ""));
	}
}

static int on_bytes(void *data, const void *bytes, size_t size)
{
	struct waiter *waiter = data;
	char *end;

	pic_buf_add(&waiter->line, bytes, size);
	if (waiter->line.failed)
		return -EFBIG;
	while (waiter->line.size && (end = memchr(waiter->line.data, '\n', waiter->line.size))) {
		PIC_JSON struct pic_json *event = NULL;
		const size_t length = (size_t)(end - waiter->line.data);

		if (pic_json_parse(&event, waiter->line.data, length, NULL) == 0) {
			const char *type = pic_json_text_or(pic_json_get(event, "type"), "");

			if (strcmp(type, "DELETED") == 0 && !waiter->condition)
				waiter->met = true;
			else if (strcmp(type, "DELETED") != 0)
				look_at(waiter, pic_json_get(event, "object"));
		}
		pic_buf_consume(&waiter->line, length + 1);
	}
	return waiter->met ? -ECANCELED : 0;
}

static int follow(struct pic_ctl *ctl, const struct pic_ctl_resource *resource, const char *space,
		  struct waiter *waiter, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer one = { 0 };
	PIC_ANSWER struct pic_ctl_answer stream = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	struct pic_ctl_call call = { .method = "GET" };
	int r = pic_ctl_path(resource->kind, space, resource->name, &path, err);

	if (r < 0)
		return r;
	call.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &call, &one, err);
	if (r == -ENOENT && !waiter->condition) {
		waiter->met = true;
		return 0;
	}
	if (r < 0)
		return r;
	look_at(waiter, one.json);
	if (waiter->met)
		return 0;
	pic_buf_clear(&path);
	pic_ctl_path(resource->kind, space, NULL, &path, err);
	pic_buf_text_add(&path, "?watch=true&resourceVersion=");
	pic_percent_encode(
		pic_json_text_or(pic_json_find(one.json, "metadata", "resourceVersion", NULL), "0"),
		&path);
	pic_buf_text_add(&path, "&fieldSelector=metadata.name%3D");
	pic_percent_encode(resource->name, &path);
	call = (struct pic_ctl_call){ .method = "GET",
				      .path = pic_buf_text(&path),
				      .timeout_ms = ctl->timeout_ms,
				      .receive = on_bytes,
				      .data = waiter };
	r = pic_ctl_call(ctl, &call, &stream, err);
	if (waiter->met)
		return 0;
	return pic_error_set(err, -ETIMEDOUT, "%s/%s: not %s after the time given; last: %s",
			     resource->kind->singular, resource->name,
			     waiter->condition ? waiter->condition : "deleted",
			     *waiter->last ? waiter->last : "no such condition");
}

int pic_ctl_wait(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ctl_resource resource;
	struct waiter waiter = { .line = PIC_BUF_INIT(LINE_MAX_BYTES) };
	const char *space;
	int r;

	if (pic_text_starts(ctl->wait_for, "condition="))
		waiter.condition = ctl->wait_for + strlen("condition=");
	else if (strcmp(ctl->wait_for, "delete") != 0) {
		pic_error_set(&err, PIC_CTL_USAGE,
			      "--for %s is not known; condition=NAME and delete are",
			      ctl->wait_for);
		return pic_ctl_fail(&err);
	}
	r = pic_ctl_object(argc, argv, &resource, &err);
	if (r == 0)
		r = pic_ctl_space(ctl, &space, &err);
	if (r == 0)
		r = follow(ctl, &resource, space, &waiter, &err);
	pic_buf_free(&waiter.line);
	if (r < 0)
		return pic_ctl_fail(&err);
	printf("%s/%s %s\n", resource.kind->singular, resource.name,
	       waiter.condition ? "condition met" : "deleted");
	return PIC_EXIT_OK;
}
