/* Store events to watch lines. */
#include "hub/kube_api/watch_event.h"

#include <inttypes.h>
#include <stdio.h>

#include "hub/kube_api/present.h"
#include "hub/kube_api/table.h"

static void write_line(const char *type, const struct pic_json *object, struct pic_buf *out)
{
	pic_buf_format(out, "{\"type\":\"%s\",\"object\":", type);
	if (pic_json_write(object, PIC_JSON_COMPACT, out) < 0)
		out->failed = true;
	pic_buf_text_add(out, "}\n");
}

/* Takes `object` over. */
static void write_object(const char *type, const struct pic_kube_watch_form *form,
			 struct pic_json *given, int64_t revision, int64_t now_ms,
			 struct pic_buf *out)
{
	PIC_JSON struct pic_json *object = given;
	PIC_JSON struct pic_json *table = NULL;

	if (form->table) {
		table = pic_kube_table_new(form->facts, revision);
		pic_kube_table_add(table, form->facts, object, form->include, now_ms);
	}
	write_line(type, form->table ? table : object, out);
}

bool pic_kube_watch_write(const struct pic_kube_filter *filter,
			  const struct pic_kube_watch_form *form, const struct pic_object *before,
			  const struct pic_object *after, int64_t revision, int64_t now_ms,
			  struct pic_buf *out)
{
	bool was = pic_kube_filter_match(filter, before);
	bool is = pic_kube_filter_match(filter, after);

	if (is)
		write_object(was ? "MODIFIED" : "ADDED", form, pic_kube_present(after), revision,
			     now_ms, out);
	else if (was)
		write_object("DELETED", form, pic_kube_present_at(before, revision), revision,
			     now_ms, out);
	return was || is;
}

void pic_kube_watch_write_initial(const struct pic_kube_watch_form *form,
				  const struct pic_object *object, int64_t now_ms,
				  struct pic_buf *out)
{
	write_object("ADDED", form, pic_kube_present(object), object->revision, now_ms, out);
}

void pic_kube_watch_write_bookmark(const struct pic_kube_watch_form *form, int64_t revision,
				   bool initial, struct pic_buf *out)
{
	PIC_JSON struct pic_json *object = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(object, "metadata");
	char text[128];

	snprintf(text, sizeof(text), "%s%s%s", form->facts->group, *form->facts->group ? "/" : "",
		 form->facts->version);
	pic_json_set_text(object, "kind", form->facts->name);
	pic_json_set_text(object, "apiVersion", text);
	snprintf(text, sizeof(text), "%" PRId64, revision);
	pic_json_set_text(metadata, "resourceVersion", text);
	pic_json_set(metadata, "creationTimestamp", pic_json_new_null());
	if (initial)
		pic_json_set_text(pic_json_ensure_object(metadata, "annotations"),
				  "k8s.io/initial-events-end", "true");
	write_line("BOOKMARK", object, out);
}
