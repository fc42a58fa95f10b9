/* apply -f: makes the objects of the files exist as they are written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

#define MANAGER "piccoloctl"

static int revision_of(const struct pic_json *object, char out[32])
{
	const char *text =
		pic_json_text(pic_json_find(object, "metadata", "resourceVersion", NULL));

	snprintf(out, 32, "%s", text ? text : "");
	return text ? 0 : -ENOENT;
}

static const char *outcome(int status, const char *before, const char *after)
{
	if (status == 201)
		return "created";
	return strcmp(before, after) == 0 ? "unchanged" : "configured";
}

static int apply_one(struct pic_ctl *ctl, const struct pic_ctl_input *input, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer old = { 0 };
	PIC_ANSWER struct pic_ctl_answer new = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(4 * 1024 * 1024);
	const char *space =
		pic_json_text(pic_json_find(input->object, "metadata", "namespace", NULL));
	char before[32], after[32];
	struct pic_ctl_call call = { .method = "GET" };
	int r = 0;

	if (!space)
		r = pic_ctl_space(ctl, &space, err);
	if (r == 0)
		r = pic_ctl_path(input->kind, space, input->name, &path, err);
	if (r < 0)
		return r;
	call.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &call, &old, err);
	if (r < 0 && r != -ENOENT)
		return r;
	revision_of(old.json, before);
	pic_buf_format(&path, "?fieldManager=" MANAGER "&force=true&fieldValidation=Strict%s",
		       ctl->dry_run ? "&dryRun=All" : "");
	r = pic_json_write(input->object, PIC_JSON_COMPACT, &body);
	if (r < 0)
		return pic_error_set(err, r, "%s: the object is too large", input->where);
	call = (struct pic_ctl_call){ .method = "PATCH",
				      .path = pic_buf_text(&path),
				      .content_type = "application/apply-patch+yaml",
				      .body = body.data,
				      .body_size = body.size };
	r = pic_ctl_call(ctl, &call, &new, err);
	if (r < 0)
		return r;
	revision_of(new.json, after);
	if (strcmp(ctl->output, "table") != 0 && strcmp(ctl->output, "wide") != 0)
		return pic_ctl_print_value(new.json, ctl->output, err);
	printf("%s/%s %s%s\n", input->kind->singular, input->name,
	       outcome(new.status, before, after), ctl->dry_run ? " (dry run)" : "");
	return 0;
}

int pic_ctl_apply(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_CLEANUP(pic_ctl_inputs_free) struct pic_ctl_inputs inputs = { 0 };
	int status = PIC_EXIT_OK;

	(void)argc;
	(void)argv;
	/* All files are read and checked before the first object is sent: nothing half applied. */
	if (pic_ctl_inputs_read(&ctl->files, &inputs, &err) < 0)
		return pic_ctl_fail(&err);
	for (size_t i = 0; i < inputs.count; i++) {
		if (apply_one(ctl, &inputs.items[i], &err) < 0) {
			if (!pic_ctl_is_hopeless(&err))
				pic_error_wrap(&err, err.code, "%s: %s/%s", inputs.items[i].where,
					       inputs.items[i].kind->singular,
					       inputs.items[i].name);
			status = pic_ctl_fail(&err);
			if (pic_ctl_is_hopeless(&err))
				return status;
		}
	}
	return status;
}
