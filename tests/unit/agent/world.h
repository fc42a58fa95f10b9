/*
 * A small model of a device and its hub, for the property test of the plan: random documents, a ledger,
 * a store, downloads, workloads that end, a supervisor that fails. It carries out what the plan says
 * and checks each step against rules of its own, which share no code with the plan.
 */
#ifndef PIC_TESTS_AGENT_WORLD_H
#define PIC_TESTS_AGENT_WORLD_H

#include "agent/plan/plan.h"

#define WORLD_NAMES 8	/* names that documents use */
#define WORLD_FOREIGN 2 /* names that run but no document ever uses */
#define WORLD_DIGESTS 7
#define WORLD_DEPENDENCIES 2
#define WORLD_APPROVALS 3
#define WORLD_BINDINGS (WORLD_NAMES * WORLD_APPROVALS)

/* What the bytes of an artifact are like. */
enum {
	DIGEST_DAMAGED = 5, /* can be downloaded, is not admitted */
	DIGEST_LOST = 6,    /* every download fails */
};

/* What a spec does. */
enum {
	SPEC_SERVES,
	SPEC_CANNOT_RUN, /* ends at once with PIC_END_INVALID */
	SPEC_ENDS,	 /* ends at once with status 0 */
	SPEC_SERVES_TOO,
	SPEC_COUNT,
};

struct world {
	uint64_t random;
	const char *violation; /* the first rule that was broken, or NULL */
	uint32_t broken;
	bool quiet; /* nothing fails or crashes any more */
	bool file_mode;
	int64_t now;

	struct pic_acceptance acceptance;
	struct pic_document *document, *kept;
	int64_t best_removed_through;
	bool must_stay[WORLD_NAMES]; /* was in an accepted document and not removed since */

	struct pic_plan_component components[2 * WORLD_NAMES];
	char dependencies[2 * WORLD_NAMES][WORLD_DEPENDENCIES][PIC_NAME_MAX + 1];
	size_t component_count;

	struct pic_plan_removed removed[WORLD_NAMES];
	bool logs[WORLD_NAMES + WORLD_FOREIGN]; /* files that lie about until a STOP */

	struct pic_plan_entry entries[WORLD_NAMES + WORLD_FOREIGN];
	size_t entry_count;
	bool will_start[WORLD_NAMES + WORLD_FOREIGN]; /* how a busy START ends */

	struct pic_plan_artifact artifacts[WORLD_DIGESTS];
	size_t artifact_count;
	bool stored[WORLD_DIGESTS];
	struct pic_binding bindings[WORLD_BINDINGS];
	size_t binding_count;
	unsigned char admitted[WORLD_NAMES]
			      [PIC_DIGEST_SIZE]; /* the spec digest that an ADMIT step found good */
	uint32_t ends_in_a_row[WORLD_NAMES];
};

void world_begin(struct world *world, uint64_t seed, uint32_t broken);
void world_end(struct world *world);
/* The hub offers something; the world checks what acceptance does with it. */
void world_offer(struct world *world);
/* One round: plan, check, carry out, let time pass. Answers false when the plan had nothing to do. */
bool world_round(struct world *world);
/* All that can be reached is reached. */
bool world_is_settled(const struct world *world);
/* Plans twice without doing anything: equal, and nothing to do. */
void world_check_idempotence(struct world *world);
uint64_t world_below(struct world *world, uint64_t bound);

#endif
