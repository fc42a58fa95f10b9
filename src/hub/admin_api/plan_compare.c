#include "hub/admin_api/plan.h"

#include <string.h>

#define DETAIL_MAX 512
#define VALUE_MAX 60

static struct pic_json *components_of(const struct pic_json *catalog)
{
	return pic_json_find(catalog, "spec", "properties", "components", NULL);
}

static const struct pic_json *find(const struct pic_json *list, const char *name)
{
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *other = pic_json_get_text(pic_json_at(list, i), "name");

		if (other && strcmp(other, name) == 0)
			return pic_json_at(list, i);
	}
	return NULL;
}

static void add(struct pic_json *changes, const char *device, const char *instance,
		const char *component, const char *action, const char *detail)
{
	struct pic_json *change = pic_json_new_object();

	pic_json_set_text(change, "device", device);
	pic_json_set_text(change, "instance", instance);
	pic_json_set_text(change, "component", component);
	pic_json_set_text(change, "action", action);
	pic_json_set_text(change, "detail", detail);
	pic_json_append(changes, change);
}

static void add_value(const struct pic_json *value, struct pic_buf *out)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024 * 1024);

	if (!value) {
		pic_buf_text_add(out, "nothing");
		return;
	}
	if (pic_json_text(value))
		pic_buf_text_add(&text, pic_json_text(value));
	else
		pic_json_write(value, PIC_JSON_COMPACT, &text);
	pic_buf_format(out, text.size > VALUE_MAX ? "%.*s..." : "%.*s", VALUE_MAX,
		       pic_buf_text(&text));
}

/* "wasm.args: a -> b"; a list of differences, as far as it fits. */
static void add_difference(const char *key, const struct pic_json *before,
			   const struct pic_json *after, struct pic_buf *out)
{
	if (out->size > DETAIL_MAX - 4 * VALUE_MAX)
		return;
	pic_buf_format(out, "%s%.80s: ", out->size ? ", " : "", key);
	add_value(before, out);
	pic_buf_text_add(out, " -> ");
	add_value(after, out);
}

static void describe(const struct pic_json *before, const struct pic_json *after,
		     struct pic_buf *out)
{
	const struct pic_json *old = pic_json_get(before, "properties");
	const struct pic_json *new = pic_json_get(after, "properties");

	if (!pic_json_equal(pic_json_get(before, "type"), pic_json_get(after, "type")))
		add_difference("type", pic_json_get(before, "type"), pic_json_get(after, "type"),
			       out);
	pic_json_each(new, i) {
		const struct pic_json *was = pic_json_get(old, pic_json_key(i));

		if (!was || !pic_json_equal(was, pic_json_value(i)))
			add_difference(pic_json_key(i), was, pic_json_value(i), out);
	}
	pic_json_each(old, k) {
		if (!pic_json_get(new, pic_json_key(k)))
			add_difference(pic_json_key(k), pic_json_value(k), NULL, out);
	}
}

void pic_plan_compare(const struct pic_json *before, const struct pic_json *after,
		      const char *device, const char *instance, struct pic_json *changes)
{
	const struct pic_json *old = components_of(before), *new = components_of(after);

	for (size_t i = 0; i < pic_json_count(new); i++) {
		const struct pic_json *component = pic_json_at(new, i);
		const char *name = pic_json_text_or(pic_json_get(component, "name"), "");
		const struct pic_json *was = find(old, name);
		PIC_BUF struct pic_buf detail = PIC_BUF_INIT(DETAIL_MAX);

		if (!was) {
			add(changes, device, instance, name, "start",
			    pic_json_text_or(pic_json_get(component, "type"), ""));
		} else if (!pic_json_equal(was, component)) {
			describe(was, component, &detail);
			add(changes, device, instance, name, "change", pic_buf_text(&detail));
		}
	}
	for (size_t i = 0; i < pic_json_count(old); i++) {
		const char *name = pic_json_text_or(pic_json_get(pic_json_at(old, i), "name"), "");

		if (!find(new, name))
			add(changes, device, instance, name, "remove", "");
	}
}
