#include "hub/engine/staged.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* Beyond this a revision is not one we gave out. */
#define REVISION_MAX (INT64_C(1) << 53)

void pic_staged_free(struct pic_staged *staged)
{
	for (size_t i = 0; i < staged->count; i++)
		pic_json_unref(staged->entries[i].json);
	free(staged->entries);
	*staged = (struct pic_staged){ .entries = NULL };
}

struct pic_staged_entry *pic_staged_find(const struct pic_staged *staged, const char *name)
{
	for (size_t i = 0; i < staged->count; i++)
		if (strcmp(staged->entries[i].name, name) == 0)
			return &staged->entries[i];
	return NULL;
}

int64_t pic_staged_highest(const struct pic_staged *staged)
{
	int64_t highest = 0;

	for (size_t i = 0; i < staged->count; i++)
		if (staged->entries[i].revision > highest)
			highest = staged->entries[i].revision;
	return highest;
}

/* Names, revision, digest and URL beside the properties. */
#define ENTRY_BYTES 512

size_t pic_staged_json_bytes(const struct pic_json *component)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(2 * PIC_DOCUMENT_SIZE_MAX);

	if (pic_json_write(component, PIC_JSON_COMPACT, &text) < 0 || text.failed)
		return 2 * PIC_DOCUMENT_SIZE_MAX;
	return text.size + ENTRY_BYTES;
}

size_t pic_staged_bytes(const struct pic_staged *staged)
{
	size_t bytes = 0;

	for (size_t i = 0; i < staged->count; i++)
		bytes += staged->entries[i].removed
				 ? ENTRY_BYTES
				 : pic_staged_json_bytes(staged->entries[i].json);
	return bytes;
}

static struct pic_staged_entry *append(struct pic_staged *staged, struct pic_json *json)
{
	struct pic_staged_entry *entries =
		reallocarray(staged->entries, staged->count + 1, sizeof(*entries));

	if (!entries)
		return NULL;
	staged->entries = entries;
	entries[staged->count] = (struct pic_staged_entry){
		.name = pic_json_get_text(json, "name"),
		.json = json,
	};
	return &entries[staged->count++];
}

int pic_staged_put(struct pic_staged *staged, struct pic_staged_entry *entry, struct pic_json *json,
		   bool hub_has_bytes, int64_t revision, struct pic_error *err)
{
	if (!entry)
		entry = append(staged, NULL);
	if (!entry)
		return pic_error_set(err, -ENOMEM, "no memory to stage a component");
	pic_json_unref(entry->json);
	entry->json = pic_json_ref(json);
	entry->name = pic_json_get_text(json, "name");
	entry->revision = revision;
	entry->removed = false;
	entry->hub_has_bytes = hub_has_bytes;
	return 0;
}

void pic_staged_drop(struct pic_staged *staged, size_t index)
{
	pic_json_unref(staged->entries[index].json);
	memmove(&staged->entries[index], &staged->entries[index + 1],
		(staged->count - index - 1) * sizeof(*staged->entries));
	staged->count--;
}

static int64_t read_revision(const struct pic_json *properties, const char *name)
{
	long long revision = 0;

	if (!pic_json_integer(pic_json_find(properties, "revisions", name, NULL), &revision))
		return 0;
	return revision > 0 && revision < REVISION_MAX ? revision : 0;
}

static bool read_artifact(const struct pic_json *properties, const char *name)
{
	const struct pic_json *list = pic_json_get(properties, "artifacts");

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *text = pic_json_text(pic_json_at(list, i));

		if (text && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

static int read_list(const struct pic_json *properties, const char *key, bool removed,
		     uint32_t broken, struct pic_staged *out)
{
	const struct pic_json *list = pic_json_get(properties, key);

	if (pic_json_type(list) != PIC_JSON_ARRAY)
		return 0;
	for (size_t i = 0; i < pic_json_count(list); i++) {
		struct pic_json *json = pic_json_at(list, i);
		const char *name = pic_json_get_text(json, "name");

		if (!name || !pic_name_is_valid(name, PIC_NAME_MAX))
			continue;
		struct pic_staged_entry *twice = pic_staged_find(out, name);

		if (twice && !(broken & PIC_ENGINE_RULE_CLEAN_LISTS)) {
			twice->revision = 0;
			continue;
		}
		struct pic_staged_entry *entry = append(out, pic_json_ref(json));

		if (!entry) {
			pic_json_unref(json);
			return -ENOMEM;
		}
		entry->removed = removed;
		entry->revision = read_revision(properties, name);
		entry->hub_has_bytes = read_artifact(properties, name);
	}
	return 0;
}

int pic_staged_read(const struct pic_object *catalog, uint32_t broken, struct pic_staged *out,
		    struct pic_error *err)
{
	const struct pic_json *properties = pic_json_get(pic_object_spec(catalog), "properties");
	struct pic_staged staged = { .entries = NULL };
	int r = read_list(properties, "components", false, broken, &staged);

	if (r == 0)
		r = read_list(properties, "removed-components", true, broken, &staged);
	if (r < 0) {
		pic_staged_free(&staged);
		return pic_error_set(err, r, "no memory to read the catalog %s", catalog->name);
	}
	*out = staged;
	return 0;
}
