#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ignition/check.h"
#include "ignition/schema.h"

#define KEY_MAX 64 /* of a partition, whose label has at most 36 bytes */

/* One merge; without memory its result is not whole. */
struct merging {
	bool starved;
};

static struct pic_json *merge_objects(struct merging *merging, const struct pic_ignition_row *table,
				      const struct pic_json *parent, const struct pic_json *child);

static bool is_partitions(const struct pic_ignition_row *row)
{
	return row->type == PIC_IGNITION_LIST && strcmp(row->name, "partitions") == 0;
}

/* What names an entry of a list; "" for an entry that nothing is the same as. */
static const char *key_of(const struct pic_ignition_row *row, const struct pic_json *entry,
			  char room[KEY_MAX])
{
	long long number;

	if (row->type == PIC_IGNITION_TEXTS)
		return row->repeats ? "" : pic_json_text_or(entry, "");
	if (row->key)
		return pic_ignition_text(entry, row->key);
	if (!is_partitions(row))
		return "";
	if (pic_json_integer(pic_json_get(entry, "number"), &number) && number != 0)
		snprintf(room, KEY_MAX, "number:%lld", number);
	else if (*pic_ignition_text(entry, "label"))
		snprintf(room, KEY_MAX, "label:%s", pic_ignition_text(entry, "label"));
	else
		return "";
	return room;
}

/* The entries of a list by what names them. */
struct named {
	const struct pic_json *list;
	struct pic_ignition_index index;
	char (*rooms)[KEY_MAX]; /* of partitions, whose keys are made */
};

static void named_free(struct named *named)
{
	pic_ignition_index_free(&named->index);
	free(named->rooms);
}
#define NAMED PIC_CLEANUP(named_free)

static void named_init(struct named *named, struct merging *merging,
		       const struct pic_ignition_row *row, const struct pic_json *list)
{
	const size_t count = pic_json_count(list);

	named->list = list;
	if (is_partitions(row) && count > 0)
		named->rooms = calloc(count, sizeof(*named->rooms));
	if ((is_partitions(row) && count > 0 && !named->rooms) ||
	    pic_ignition_index_init(&named->index, count) < 0) {
		merging->starved = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		pic_ignition_index_add(&named->index,
				       key_of(row, pic_json_at(list, i),
					      named->rooms ? named->rooms[i] : NULL),
				       i);
	pic_ignition_index_sort(&named->index);
}

static struct pic_json *find(const struct named *named, const char *key)
{
	const struct pic_ignition_entry *entry =
		*key ? pic_ignition_index_find(&named->index, key, strlen(key)) : NULL;

	return entry ? pic_json_at(named->list, entry->index) : NULL;
}

#define ELSEWHERE_MAX 2 /* files, directories and links share their paths */

struct elsewhere {
	struct named lists[ELSEWHERE_MAX];
	size_t count;
};

static void elsewhere_free(struct elsewhere *elsewhere)
{
	for (size_t i = 0; i < elsewhere->count; i++)
		named_free(&elsewhere->lists[i]);
}

/* The child's other lists of the same group. */
static void elsewhere_init(struct elsewhere *elsewhere, struct merging *merging,
			   const struct pic_ignition_row *table, const struct pic_ignition_row *row,
			   const struct pic_json *child)
{
	for (; row->group && table->name && elsewhere->count < ELSEWHERE_MAX; table++)
		if (table != row && table->group && strcmp(table->group, row->group) == 0)
			named_init(&elsewhere->lists[elsewhere->count++], merging, table,
				   pic_json_get(child, table->name));
}

/* A file in the child takes the place of a link of the same path in the parent. */
static bool is_elsewhere(const struct elsewhere *elsewhere, const char *key)
{
	for (size_t i = 0; i < elsewhere->count; i++)
		if (find(&elsewhere->lists[i], key))
			return true;
	return false;
}

/* A header without a value takes the parent's away. */
static bool removes(const struct pic_ignition_row *row, const struct pic_json *entry)
{
	return strcmp(row->name, "httpHeaders") == 0 &&
	       pic_json_type(pic_json_get(entry, "value")) != PIC_JSON_TEXT;
}

static void add_parents_entry(struct merging *merging, struct pic_json *out,
			      const struct pic_ignition_row *row, const struct pic_json *entry,
			      const struct pic_json *over)
{
	if (!over)
		pic_json_append(out, pic_json_copy(entry));
	else if (row->type == PIC_IGNITION_TEXTS)
		pic_json_append(out, pic_json_copy(over));
	else if (!removes(row, over))
		pic_json_append(out, merge_objects(merging, row->fields, entry, over));
}

static struct pic_json *merge_lists(struct merging *merging, const struct pic_ignition_row *table,
				    const struct pic_ignition_row *row,
				    const struct pic_json *parent, const struct pic_json *child)
{
	struct pic_json *out = pic_json_new_array();
	const struct pic_json *before = pic_json_get(parent, row->name);
	const struct pic_json *over = pic_json_get(child, row->name);
	NAMED struct named befores = { .list = NULL }, overs = { .list = NULL };
	PIC_CLEANUP(elsewhere_free) struct elsewhere others = { .count = 0 };
	char room[KEY_MAX];

	named_init(&befores, merging, row, before);
	named_init(&overs, merging, row, over);
	elsewhere_init(&others, merging, table, row, child);
	for (size_t i = 0; i < pic_json_count(before); i++) {
		const struct pic_json *entry = pic_json_at(before, i);
		const char *key = key_of(row, entry, room);

		if (!is_elsewhere(&others, key))
			add_parents_entry(merging, out, row, entry, find(&overs, key));
	}
	for (size_t i = 0; i < pic_json_count(over); i++) {
		const struct pic_json *entry = pic_json_at(over, i);

		if (!find(&befores, key_of(row, entry, room)))
			pic_json_append(out, pic_json_copy(entry));
	}
	return out;
}

static bool is_there(const struct pic_json *value)
{
	return value && pic_json_type(value) != PIC_JSON_NULL;
}

static bool is_list(const struct pic_ignition_row *row)
{
	return row && (row->type == PIC_IGNITION_LIST || row->type == PIC_IGNITION_TEXTS);
}

static struct pic_json *merge_members(struct merging *merging, const struct pic_ignition_row *table,
				      const struct pic_ignition_row *row,
				      const struct pic_json *parent, const struct pic_json *child,
				      const char *key)
{
	const struct pic_json *before = pic_json_get(parent, key), *over = pic_json_get(child, key);

	if (is_list(row))
		return merge_lists(merging, table, row, parent, child);
	if (!is_there(over))
		return pic_json_copy(before);
	if (row && row->type == PIC_IGNITION_OBJECT && is_there(before))
		return merge_objects(merging, row->fields, before, over);
	return pic_json_copy(over);
}

static struct pic_json *merge_objects(struct merging *merging, const struct pic_ignition_row *table,
				      const struct pic_json *parent, const struct pic_json *child)
{
	struct pic_json *out = pic_json_new_object();
	const struct pic_json *both[] = { parent, child };

	for (size_t i = 0; i < PIC_COUNT(both); i++) {
		pic_json_each(both[i], at) {
			const char *key = pic_json_key(at);

			if (!pic_json_get(out, key))
				pic_json_set(out, key,
					     merge_members(merging, table,
							   pic_ignition_row(table, key), parent,
							   child, key));
		}
	}
	return out;
}

static const char *version_of(const struct pic_json *config)
{
	return pic_ignition_text(pic_json_get(config, "ignition"), "version");
}

int pic_ignition_merge(const struct pic_json *parent, const struct pic_json *child,
		       struct pic_json **out, struct pic_error *err)
{
	const char *version = strcmp(version_of(parent), version_of(child)) > 0 ? version_of(parent)
										: version_of(child);
	struct merging merging = { false };
	struct pic_json *merged;

	if (*pic_ignition_text(pic_json_find(child, "ignition", "config", "replace", NULL),
			       "source"))
		return pic_error_set(
			err, -EINVAL,
			"ignition.config.replace: a config that is replaced by another "
			"cannot be merged; give that other one, or write merge");
	merged = merge_objects(&merging, pic_ignition_config, parent, child);
	if (!merged || merging.starved ||
	    pic_json_set_text(pic_json_get(merged, "ignition"), "version", version) < 0) {
		pic_json_unref(merged);
		return pic_error_set(err, -ENOMEM, "no memory to merge configs");
	}
	*out = merged;
	return 0;
}
