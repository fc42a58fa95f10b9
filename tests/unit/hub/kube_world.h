/* A world of a few objects, and requests on it, for the pure parts of kube_api. */
#ifndef PIC_TEST_HUB_KUBE_WORLD_H
#define PIC_TEST_HUB_KUBE_WORLD_H

#include "hub/kube_testing.h"

#include "base/clock.h"
#include "hub/kube_api/request.h"
#include "hub/kube_api/world.h"

#define WORLD_MAX 64

struct world {
	struct pic_object *objects[WORLD_MAX]; /* in order of (space, name) within a kind */
	size_t count;
	struct pic_kube_world face;
};

static inline struct pic_object *world_find(void *data, enum pic_kind kind, const char *space,
					    const char *name)
{
	struct world *world = data;

	for (size_t i = 0; i < world->count; i++) {
		struct pic_object *object = world->objects[i];
		if (object->kind == kind && strcmp(object->space, space) == 0 &&
		    strcmp(object->name, name) == 0)
			return object;
	}
	return NULL;
}

static inline int world_order(const struct pic_object *object, const struct pic_object *other)
{
	int order = strcmp(object->space, other->space);

	return order ? order : strcmp(object->name, other->name);
}

static inline struct pic_object *world_next(void *data, enum pic_kind kind, const char *space,
					    const struct pic_object *after)
{
	struct world *world = data;
	struct pic_object *best = NULL;

	for (size_t i = 0; i < world->count; i++) {
		struct pic_object *object = world->objects[i];
		if (object->kind != kind || (space && strcmp(object->space, space) != 0) ||
		    (after && world_order(object, after) <= 0))
			continue;
		if (!best || world_order(object, best) < 0)
			best = object;
	}
	return best;
}

static inline struct pic_object *world_add(struct world *world, enum pic_kind kind,
					   const char *json)
{
	struct pic_object *object = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	world->face =
		(struct pic_kube_world){ .find = world_find, .next = world_next, .data = world };
	if (pic_object_new(&object, kind, tree(json), &err) < 0)
		fail_msg("%s: %s", json, err.text);
	assert_true(world->count < WORLD_MAX);
	world->objects[world->count++] = object;
	return object;
}

/* With the namespace "default" and nothing else. */
static inline void world_init(struct world *world)
{
	*world = (struct world){ 0 };
	world_add(
		world, PIC_KIND_NAMESPACE,
		"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"default\","
		"\"uid\":\"ns\",\"resourceVersion\":\"1\",\"generation\":1},"
		"\"status\":{\"phase\":\"Active\"}}");
}

static inline void world_free(struct world *world)
{
	for (size_t i = 0; i < world->count; i++)
		pic_object_unref(world->objects[i]);
	world->count = 0;
}

#define WORLD PIC_CLEANUP(world_free) struct world

/* Query parameters as "name", "value", ..., NULL. */
static inline const char *query_get(const void *from, const char *name)
{
	for (const char *const *pair = from; pair && *pair; pair += 2)
		if (strcmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

#define QUERY(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline struct pic_kube_request request_of(const char *method, const char *path,
						 const char *const *query)
{
	struct pic_kube_request request = {
		.method = method,
		.content_type = "application/json",
		.accept = "application/json",
		.caller = "admin",
		.get = query_get,
		.from = query,
	};

	assert_int_equal(pic_time_parse("2026-11-24T14:00:00Z", &request.now_ms), 0);
	if (pic_kube_path_parse(path, &request.path) < 0)
		fail_msg("no such path: %s", path);
	return request;
}

static inline struct pic_kube_request request_with(const char *method, const char *path,
						   const char *const *query, const char *type,
						   const char *body)
{
	struct pic_kube_request request = request_of(method, path, query);

	request.content_type = type;
	request.body = (struct pic_view){ body, strlen(body) };
	return request;
}

static inline struct pic_json *answer_tree(const struct pic_kube_answer *answer)
{
	return tree(pic_buf_text((struct pic_buf *)&answer->body));
}

static inline void assert_at(const struct pic_json *value, const char *expected)
{
	if (!value || !pic_json_text(value) || strcmp(pic_json_text(value), expected) != 0) {
		PIC_FREE char *got = value ? text_of(value) : strdup("nothing");
		fail_msg("got %s, wanted \"%s\"", got, expected);
	}
}

#endif
