/* GET of one object and of collections. */
#include "hub/kube_api/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "hub/kube_api/filter.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/table.h"

#define TOKEN_MAX 1024
#define EVENTS_STEP 128

/* Where a page begins and ends. */
struct page {
	long long limit; /* 0: no end */
	char space[PIC_OBJECT_NAME_MAX + 1], name[PIC_OBJECT_NAME_MAX + 1];
	struct pic_object start; /* only space and name are set: a place in the order */
	bool starts_later;
};

void pic_kube_get(const struct pic_kube_request *request, const struct pic_kube_world *world,
		  struct pic_kube_answer *answer)
{
	const struct pic_kube_path *path = &request->path;
	const struct pic_object *object =
		pic_kube_find(world, path->facts->kind, path->space, path->name);

	if (!pic_kube_is_visible(object)) {
		pic_kube_fail_not_found(answer, pic_kube_subject(request));
		return;
	}
	PIC_JSON struct pic_json *json = pic_kube_present(object);
	if (!pic_kube_wants_table(request)) {
		pic_kube_answer_json(answer, 200, PIC_STEAL(json));
		return;
	}
	struct pic_json *table = pic_kube_table_new(path->facts, object->revision);
	pic_kube_table_add(table, path->facts, json, pic_kube_include(request), request->now_ms);
	pic_kube_answer_json(answer, 200, table);
}

/* The token is "space/name" of the last object of the page before. */
static bool read_token(const char *token, struct page *page)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(TOKEN_MAX);

	if (pic_base64_decode(token, strlen(token), &key) < 0)
		return false;
	const char *text = pic_buf_text(&key);
	const char *slash = strchr(text, '/');
	if (!slash || strlen(text) != key.size || (size_t)(slash - text) >= sizeof(page->space) ||
	    strlen(slash + 1) >= sizeof(page->name))
		return false;
	snprintf(page->space, sizeof(page->space), "%.*s", (int)(slash - text), text);
	snprintf(page->name, sizeof(page->name), "%s", slash + 1);
	page->start = (struct pic_object){ .space = page->space, .name = page->name };
	page->starts_later = true;
	return true;
}

static bool read_page(const struct pic_kube_request *request, struct page *page,
		      struct pic_kube_answer *answer)
{
	const char *limit = pic_kube_query(request, "limit");
	const char *token = pic_kube_query(request, "continue");

	*page = (struct page){ 0 };
	if (*limit && pic_integer_parse(limit, 0, INT32_MAX, &page->limit) < 0) {
		pic_kube_fail_bad(answer, "limit must be a number, not \"%.40s\"", limit);
		return false;
	}
	if (*token && !read_token(token, page)) {
		pic_kube_fail_bad(answer, "continue is no token of this server");
		return false;
	}
	return true;
}

static struct pic_object *next_match(const struct pic_kube_world *world,
				     const struct pic_kube_filter *filter,
				     const struct pic_object *after)
{
	const char *space = *filter->space ? filter->space : NULL;
	struct pic_object *object = world->next(world->data, filter->kind, space, after);

	while (object && !pic_kube_filter_match(filter, object))
		object = world->next(world->data, filter->kind, space, object);
	return object;
}

/* Either form of a list while it is made: text for objects, a tree for a Table. */
struct output {
	const struct pic_kube_request *request;
	struct pic_json *table;
	struct pic_buf *items;
	size_t count;
};

static void add(struct output *out, const struct pic_object *object)
{
	PIC_JSON struct pic_json *json = pic_kube_present(object);

	if (out->table) {
		pic_kube_table_add(out->table, out->request->path.facts, json,
				   pic_kube_include(out->request), out->request->now_ms);
	} else {
		if (out->count)
			pic_buf_char(out->items, ',');
		pic_json_write(json, PIC_JSON_COMPACT, out->items);
	}
	out->count++;
}

/* Adds the page's objects; *last is the last one when there are more behind it. */
static void add_page(const struct pic_kube_world *world, const struct pic_kube_filter *filter,
		     const struct page *page, struct output *out, const struct pic_object **last)
{
	struct pic_object *object =
		next_match(world, filter, page->starts_later ? &page->start : NULL);

	*last = NULL;
	while (object) {
		struct pic_object *next = next_match(world, filter, object);
		add(out, object);
		if (next && page->limit && out->count >= (size_t)page->limit) {
			*last = object;
			return;
		}
		object = next;
	}
}

static int by_revision(const void *a, const void *b)
{
	const struct pic_object *one = *(const struct pic_object *const *)a;
	const struct pic_object *other = *(const struct pic_object *const *)b;

	return (one->revision > other->revision) - (one->revision < other->revision);
}

/* Events are a story: what happened last stands last, when all of it fits on one page. false: it does not, or
 * there is no memory to sort it. */
static bool add_in_time_order(const struct pic_kube_world *world,
			      const struct pic_kube_filter *filter, const struct page *page,
			      struct output *out)
{
	PIC_FREE const struct pic_object **found = NULL;
	size_t count = 0, room = 0;

	for (struct pic_object *object = next_match(world, filter, NULL); object;
	     object = next_match(world, filter, object)) {
		const struct pic_object **grown = found;

		if (page->limit && count >= (size_t)page->limit)
			return false;
		if (count == room)
			grown = reallocarray(found, room + EVENTS_STEP, sizeof(*found));
		if (!grown)
			return false;
		room += count == room ? EVENTS_STEP : 0;
		found = grown;
		found[count++] = object;
	}
	if (count > 0)
		qsort(found, count, sizeof(*found), by_revision);
	for (size_t i = 0; i < count; i++)
		add(out, found[i]);
	return true;
}

static void write_token(const struct pic_object *last, struct pic_buf *out)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(TOKEN_MAX);

	pic_buf_format(&key, "%s/%s", last->space, last->name);
	pic_base64url_encode(key.data, key.size, out);
}

static void answer_table(const struct pic_object *last, struct output *out,
			 struct pic_kube_answer *answer)
{
	PIC_BUF struct pic_buf token = PIC_BUF_INIT(TOKEN_MAX);

	if (last) {
		write_token(last, &token);
		pic_json_set_text(pic_json_ensure_object(out->table, "metadata"), "continue",
				  pic_buf_text(&token));
	}
	pic_kube_answer_json(answer, 200, PIC_STEAL(out->table));
}

static void answer_objects(const struct pic_kind_facts *facts, int64_t revision,
			   const struct pic_object *last, const struct output *out,
			   struct pic_kube_answer *answer)
{
	struct pic_buf *body = &answer->body;

	pic_buf_clear(body);
	pic_buf_format(
		body,
		"{\"kind\":\"%sList\",\"apiVersion\":\"%s%s%s\",\"metadata\":{\"resourceVersion\":\"%" PRId64
		"\"",
		facts->name, facts->group, *facts->group ? "/" : "", facts->version, revision);
	if (last) {
		pic_buf_text_add(body, ",\"continue\":\"");
		write_token(last, body);
		pic_buf_char(body, '"');
	}
	pic_buf_text_add(body, "},\"items\":[");
	pic_buf_add(body, out->items->data, out->items->size);
	pic_buf_text_add(body, "]}\n");
	answer->status = 200;
	answer->content_type = "application/json";
	if (body->failed || out->items->failed)
		pic_kube_fail_memory(answer);
}

void pic_kube_list(const struct pic_kube_request *request, const struct pic_kube_world *world,
		   int64_t revision, struct pic_kube_answer *answer)
{
	PIC_KUBE_FILTER struct pic_kube_filter filter = { 0 };
	PIC_BUF struct pic_buf items = PIC_BUF_INIT(PIC_KUBE_BODY_MAX);
	struct output out = { .request = request, .items = &items };
	const struct pic_object *last = NULL;
	struct page page;

	if (!pic_kube_filter_read(request, &filter, answer) || !read_page(request, &page, answer))
		return;
	if (pic_kube_wants_table(request))
		out.table = pic_kube_table_new(request->path.facts, revision);
	if (filter.kind != PIC_KIND_EVENT || page.starts_later ||
	    !add_in_time_order(world, &filter, &page, &out))
		add_page(world, &filter, &page, &out, &last);
	if (out.table)
		answer_table(last, &out, answer);
	else
		answer_objects(request->path.facts, revision, last, &out, answer);
}
