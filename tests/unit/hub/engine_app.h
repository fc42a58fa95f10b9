/*
 * The story's own world for tests of the engine: an instance "app" of a solution "s", a target "edge" with a
 * device, and what its status says.
 */
#ifndef PIC_TEST_HUB_ENGINE_APP_H
#define PIC_TEST_HUB_ENGINE_APP_H

#include <stdio.h>

#include "hub/engine_world.h"

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MODULE(name, more) \
	"{'name':'" name "','type':'wasm','properties':{'wasm.sha256':'" SHA "'" more "}}"

static inline void put_solution(struct world *world, int generation, const char *components)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "{'metadata':{'name':'s','uid':'us','generation':%d},'spec':{'components':[%s]}}",
		 generation, components);
	world_put_text(world, PIC_KIND_SOLUTION, text);
}

static inline void put_target(struct world *world, const char *name, const char *spec)
{
	char text[2048];

	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','generation':1},'spec':%s}", name,
		 spec);
	world_put_text(world, PIC_KIND_TARGET, text);
}

static inline void put_instance(struct world *world, const char *spec)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{'metadata':{'name':'app','uid':'ui','generation':1},'spec':%s}", spec);
	world_put_text(world, PIC_KIND_INSTANCE, text);
}

/* The story's own world: one target with a device, a solution with one module. */
static inline void begin(struct world *world)
{
	*world = (struct world){ .now_ms = 1795528800000 };
	put_target(world, "edge", "{'properties':{'location':'edge'}}");
	world_device(world, "edge");
	put_solution(world, 1, MODULE("m", ""));
	put_instance(world, "{'solution':'s','target':{'name':'edge'}}");
}

#define WORLD PIC_CLEANUP(world_free) struct world

static inline const char *condition(const struct world *world, const char *type, const char *field)
{
	const struct pic_object *object = world_get(world, PIC_KIND_INSTANCE, "app");
	const struct pic_json *list = pic_json_get(pic_object_status(object), "conditions");

	for (size_t i = 0; i < pic_json_count(list); i++)
		if (strcmp(pic_json_get_text(pic_json_at(list, i), "type"), type) == 0)
			return pic_json_get_text(pic_json_at(list, i), field);
	fail_msg("there is no condition %s", type);
	return NULL;
}

static inline void assert_stalled(const struct world *world, const char *reason,
				  const char *sentence)
{
	assert_string_equal(condition(world, "Stalled", "status"), "True");
	assert_string_equal(condition(world, "Stalled", "reason"), reason);
	assert_contains(condition(world, "Stalled", "message"), sentence);
	assert_string_equal(condition(world, "Ready", "status"), "False");
	assert_string_equal(pic_json_text(pic_json_find(
				    pic_object_status(world_get(world, PIC_KIND_INSTANCE, "app")),
				    "properties", "status", NULL)),
			    "Failed");
}

static inline bool noted(const struct world *world, const char *reason)
{
	for (size_t i = 0; i < world->last.note_count; i++)
		if (strcmp(world->last.notes[i].reason, reason) == 0)
			return true;
	return false;
}

#endif
