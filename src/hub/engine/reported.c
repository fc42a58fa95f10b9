#include "hub/engine/reported.h"

#include <string.h>

#include "base/text.h"

#define VALUE_MAX (64 * 1024)

const struct pic_json *pic_reported_list(const struct pic_object *catalog)
{
	const struct pic_json *list =
		pic_json_get(pic_json_get(pic_object_spec(catalog), "properties"), "reported");

	return pic_json_type(list) == PIC_JSON_ARRAY ? list : NULL;
}

/* What this hub keeps goes out with an address of its own that ends in the digest (symphony_api/state.c). */
static bool is_same_artifact(const char *said, const struct pic_json *properties, const char *key)
{
	PIC_BUF struct pic_buf name = PIC_BUF_INIT(256);
	PIC_BUF struct pic_buf end = PIC_BUF_INIT(256);
	const char *digest;

	pic_buf_add(&name, key, strlen(key) - strlen("url"));
	pic_buf_text_add(&name, "sha256");
	digest = pic_json_get_text(properties, pic_buf_text(&name));
	pic_buf_format(&end, "/artifacts/%s", digest ? digest : "");
	return digest && pic_text_ends(said, pic_buf_text(&end));
}

/* Values go out as texts (symphony/shapes.c), so they come back as texts. */
static bool is_same_value(const struct pic_json *said, const struct pic_json *properties,
			  const char *key, const struct pic_json *wanted)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(VALUE_MAX);
	const char *out = pic_json_text(wanted), *back = pic_json_text(said);

	if (!back)
		return pic_json_equal(said, wanted);
	if (pic_text_ends(key, ".url") && is_same_artifact(back, properties, key))
		return true;
	if (!out && pic_json_write(wanted, PIC_JSON_COMPACT, &text) == 0)
		out = pic_buf_text(&text);
	return out && strcmp(out, back) == 0;
}

static bool is_same(const struct pic_json *said, const struct pic_json *wanted)
{
	const struct pic_json *properties = pic_json_get(wanted, "properties");

	if (strcmp(pic_json_text_or(pic_json_get(said, "type"), ""),
		   pic_json_text_or(pic_json_get(wanted, "type"), "")) != 0)
		return false;
	pic_json_each(properties, i)
		if (!is_same_value(pic_json_get(pic_json_get(said, "properties"), pic_json_key(i)),
				   properties, pic_json_key(i), pic_json_value(i)))
			return false;
	return true;
}

enum pic_reported pic_reported_find(const struct pic_json *list,
				    const struct pic_staged_entry *entry)
{
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *said = pic_json_at(list, i);

		if (strcmp(pic_json_text_or(pic_json_get(said, "name"), ""), entry->name) == 0)
			return is_same(said, entry->json) ? PIC_REPORTED_SAME : PIC_REPORTED_OTHER;
	}
	return PIC_REPORTED_NOTHING;
}
