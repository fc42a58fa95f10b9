/* plan -f: what would change on which device, before it is applied. Nothing is stored. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "ctl/ctl.h"

static int ask(struct pic_ctl *ctl, const struct pic_ctl_inputs *inputs,
	       struct pic_ctl_answer *answer, struct pic_error *err)
{
	PIC_JSON struct pic_json *list = pic_json_new_array();
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(8 * 1024 * 1024);
	struct pic_ctl_call call = { .method = "POST", .path = "/piccolo/v1/plan" };
	int r;

	for (size_t i = 0; i < inputs->count; i++)
		pic_json_append(list, pic_json_ref(inputs->items[i].object));
	r = pic_json_write(list, PIC_JSON_COMPACT, &body);
	if (r < 0)
		return pic_error_set(err, r, "the objects are too large");
	call.body = body.data;
	call.body_size = body.size;
	return pic_ctl_call(ctl, &call, answer, err);
}

int pic_ctl_plan(void *program, int argc, char **argv)
{
	static const char *const titles[] = { "DEVICE", "INSTANCE/COMPONENT", "ACTION", "DETAIL" };
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_CLEANUP(pic_ctl_inputs_free) struct pic_ctl_inputs inputs = { 0 };
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	struct pic_json *changes;
	struct pic_table *table;

	(void)argc;
	(void)argv;
	if (pic_ctl_inputs_read(&ctl->files, &inputs, &err) < 0 ||
	    ask(ctl, &inputs, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (strcmp(ctl->output, "table") != 0 && strcmp(ctl->output, "wide") != 0)
		return pic_ctl_print_value(answer.json, ctl->output, &err) < 0 ? pic_ctl_fail(&err)
									       : PIC_EXIT_OK;
	changes = pic_json_get(answer.json, "changes");
	if (pic_json_count(changes) == 0) {
		puts("nothing would change on any device");
		return PIC_EXIT_OK;
	}
	table = pic_table_new(PIC_COUNT(titles), titles);
	for (size_t i = 0; table && i < pic_json_count(changes); i++) {
		struct pic_json *change = pic_json_at(changes, i);
		PIC_BUF struct pic_buf name = PIC_BUF_INIT(1024);

		pic_buf_format(&name, "%s/%s",
			       pic_json_text_or(pic_json_get(change, "instance"), ""),
			       pic_json_text_or(pic_json_get(change, "component"), ""));
		pic_table_row(table,
			      (const char *const[]){
				      pic_json_text_or(pic_json_get(change, "device"), ""),
				      pic_buf_text(&name),
				      pic_json_text_or(pic_json_get(change, "action"), ""),
				      pic_json_text_or(pic_json_get(change, "detail"), "") });
	}
	if (table)
		pic_table_print(table, stdout);
	pic_table_free(table);
	return PIC_EXIT_OK;
}
