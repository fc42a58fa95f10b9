#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/engine/world.h"

struct cached {
	char *device;
	struct pic_json *json;	   /* what was parsed: the same tree means the same report */
	struct pic_report *report; /* NULL: it cannot be read */
};

struct pic_report_cache {
	struct cached *items; /* by device */
	size_t count, capacity;
};

struct pic_report_cache *pic_report_cache_new(void)
{
	return calloc(1, sizeof(struct pic_report_cache));
}

static void clear(struct cached *item)
{
	free(item->device);
	pic_json_unref(item->json);
	pic_report_free(item->report);
}

void pic_report_cache_free(struct pic_report_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->count; i++)
		clear(&cache->items[i]);
	free(cache->items);
	free(cache);
}

/* Where the device is or would be. */
static size_t place(const struct pic_report_cache *cache, const char *device, bool *found)
{
	size_t low = 0, high = cache->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(cache->items[middle].device, device);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

static struct cached *insert(struct pic_report_cache *cache, size_t index, const char *device)
{
	char *copy = strdup(device);

	if (copy && cache->count == cache->capacity) {
		size_t capacity = cache->capacity ? 2 * cache->capacity : 16;
		struct cached *items = reallocarray(cache->items, capacity, sizeof(*items));

		if (items) {
			cache->items = items;
			cache->capacity = capacity;
		}
	}
	if (!copy || cache->count == cache->capacity) {
		free(copy);
		return NULL;
	}
	memmove(&cache->items[index + 1], &cache->items[index],
		(cache->count - index) * sizeof(*cache->items));
	cache->count++;
	cache->items[index] = (struct cached){ .device = copy };
	return &cache->items[index];
}

static struct pic_report *parse(const struct pic_json *json)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	struct pic_report *report = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_write(json, PIC_JSON_COMPACT, &text) < 0 ||
	    pic_report_parse(&report, pic_buf_text(&text), text.size, &err) < 0)
		return NULL;
	return report;
}

const struct pic_report *pic_report_cache_get(struct pic_report_cache *cache,
					      const struct pic_object *device)
{
	struct pic_json *json = pic_json_get(pic_object_status(device), "report");
	bool found = false;
	size_t index = place(cache, device->name, &found);

	if (pic_json_type(json) != PIC_JSON_OBJECT)
		return NULL;
	struct cached *item = found ? &cache->items[index] : insert(cache, index, device->name);

	if (!item)
		return NULL;
	if (item->json != json) {
		pic_json_unref(item->json);
		pic_report_free(item->report);
		item->json = pic_json_ref(json);
		item->report = parse(json);
	}
	return item->report;
}

void pic_report_cache_forget(struct pic_report_cache *cache, const char *device)
{
	bool found = false;
	size_t index = place(cache, device, &found);

	if (!found)
		return;
	clear(&cache->items[index]);
	memmove(&cache->items[index], &cache->items[index + 1],
		(cache->count - index - 1) * sizeof(*cache->items));
	cache->count--;
}
