/*
 * A model of a small world for the property test: plain numbers that change at random, the objects they
 * stand for, and what should come of them by the rules, written down a second time and in another way
 * than the engine does it.
 *
 * Names are chosen to collide: instance "i" on target "t-t" and instance "i-t" on target "t" both want
 * the catalog "i-t-t".
 */
#ifndef PIC_TEST_HUB_ENGINE_MODEL_H
#define PIC_TEST_HUB_ENGINE_MODEL_H

#include "hub/engine_world.h"

#define MODEL_TARGETS 3
#define MODEL_SOLUTIONS 2
#define MODEL_INSTANCES 2
#define MODEL_COMPONENTS 4
#define MODEL_APPROVALS 6

enum model_bytes { MODEL_SHA, MODEL_URL, MODEL_NONE /* docker */, MODEL_BAD_TYPE, MODEL_KERNEL };
enum model_constraint { MODEL_ALWAYS, MODEL_ZONE_A, MODEL_ZONE_B, MODEL_BROKEN_CONSTRAINT };

struct model_component {
	bool exists;
	enum model_bytes bytes;
	enum model_constraint constraint;
	int value;
};

struct model_target {
	bool exists;
	int zone;	/* 0: the property is missing; 1: a, 2: b */
	bool odd_roles; /* has a binding, but not for docker */
	int generation;
};

struct model_solution {
	bool exists;
	int generation;
	struct model_component components[MODEL_COMPONENTS];
};

struct model_instance {
	bool exists;
	int uid, generation;
	int solution; /* number; MODEL_SOLUTIONS: one that never exists */
	int target;   /* number, or -1: by selector */
	int zone;     /* of the selector */
	bool inactive;
};

/* What is known about URL components of a solution, for one generation. */
struct model_resolution {
	int generation; /* 0: nothing */
	bool failed;
};

/* What somebody was asked for one component on one target. */
struct model_approval {
	bool exists;
	int id;
	enum pic_approval_phase phase;
	int64_t opens, ends;
	int instance, target, component;
	bool other_bytes;
	struct pic_approval_facts facts;
};

struct model {
	uint64_t random;
	struct model_target targets[MODEL_TARGETS];
	struct model_solution solutions[MODEL_SOLUTIONS];
	struct model_instance instances[MODEL_INSTANCES];
	struct model_resolution resolutions[MODEL_SOLUTIONS][MODEL_COMPONENTS];
	struct model_approval approvals[MODEL_APPROVALS];
	int last_approval;
	struct world world;
};

extern const char *const model_target_names[MODEL_TARGETS];
extern const char *const model_instance_names[MODEL_INSTANCES];

void model_begin(struct model *model, uint64_t seed, uint32_t broken);
void model_end(struct model *model);
unsigned model_pick(struct model *model, unsigned below);
/* One random change; the world follows. `what` gets its name, for messages. */
void model_change(struct model *model, const char **what);
/* Every device takes its document, does all of it and says so. */
void model_devices_obey(struct model *model);
void model_delete_instances(struct model *model);
void model_reconcile(struct model *model, int instance);

enum model_want {
	MODEL_NOT_WANTED,
	MODEL_WANTED,
	MODEL_HELD_WAITING,
	MODEL_HELD_STUCK,
	MODEL_HELD_OVER,
};
/* The rules. */
bool model_matches(const struct model *model, int instance, int target);
enum model_want model_wants(const struct model *model, int instance, int target, int component);
bool model_solution_exists(const struct model *model, int instance);
/* The component as it should be staged, in JSON. */
struct pic_json *model_staged(const struct model *model, int instance, int target, int component);
/* Whether the approval of that id, as a catalog has it, is open now. */
bool model_is_open(const struct model *model, const char *id);

#endif
