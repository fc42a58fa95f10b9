/* Inside of the model of a device (world.h): what its three files share. */
#ifndef PIC_TESTS_AGENT_WORLD_PARTS_H
#define PIC_TESTS_AGENT_WORLD_PARTS_H

#include "agent/world.h"

#define FAIL(world, text) \
	do { \
		if (!(world)->violation) \
			(world)->violation = (text); \
	} while (0)

bool world_chance(struct world *world, unsigned percent);
void world_name_set(struct pic_workload_name *name, size_t index);
size_t world_name_index(const struct pic_workload_name *name);
void world_digest_set(unsigned char out[PIC_DIGEST_SIZE], unsigned number);
/* "What was asked for" of the model: digest and spec. */
void world_spec_set(unsigned char out[PIC_DIGEST_SIZE], unsigned digest, unsigned spec);
struct pic_plan_entry *world_entry(struct world *world, const struct pic_workload_name *name);
struct pic_plan_component *world_component(struct world *world,
					   const struct pic_workload_name *name);
struct pic_plan_artifact *world_artifact(struct world *world, unsigned digest);
struct pic_plan_artifact *world_artifact_make(struct world *world, unsigned digest);
bool world_entry_lives(const struct pic_plan_entry *entry);
bool world_spec_equals(const struct pic_plan_entry *entry,
		       const struct pic_plan_component *component);
struct pic_binding *world_binding(struct world *world, const struct pic_workload_name *name,
				  unsigned approval);
/* The same spec, by the same approval where one is needed. */
bool world_as_wanted(const struct pic_plan_entry *entry,
		     const struct pic_plan_component *component);
bool world_is_permitted(struct world *world, const struct pic_plan_component *component);
/* Components anew from the documents in force; what was learned stays. */
void world_build(struct world *world);

/* The rules; each marks the world when it is broken. */
bool world_is_removed(const struct world *world, const struct pic_workload_name *name);
bool world_dependency_runs(struct world *world, const struct pic_plan_component *component,
			   size_t i);
void world_check_dependencies(struct world *world, const struct pic_plan *plan);
void world_check_step(struct world *world, const struct pic_step *step);
void world_check_statuses(struct world *world, const struct pic_plan *plan);

void world_input(const struct world *world, struct pic_plan_input *input);
/* Something is under way whose end will change the plan. */
bool world_is_busy(const struct world *world);

#endif
