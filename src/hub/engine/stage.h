/*
 * What one target should have: the solution's components that its constraints let through, with their
 * expressions evaluated and their bytes known by digest. Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_STAGE_H
#define PIC_HUB_ENGINE_STAGE_H

#include "hub/engine/engine.h"

enum pic_wanted_state {
	PIC_WANTED_READY,   /* `json` is to be staged */
	PIC_WANTED_WAITING, /* for its URL to be resolved, or for an approval */
	PIC_WANTED_OVER,    /* its approval has ended: not staged again */
	PIC_WANTED_STUCK,   /* cannot be staged as it is described */
};

struct pic_wanted {
	const char *name; /* lent from the solution */
	enum pic_wanted_state state;
	struct pic_json *json; /* READY: owned */
	bool hub_has_bytes;    /* READY: the hub resolved its URL and keeps the artifact */
	char reason[PIC_ENGINE_REASON_MAX];
	char message[PIC_ENGINE_MESSAGE_MAX];
};

struct pic_wanted_list {
	struct pic_wanted *items; /* names are unique */
	size_t count;
	/* something wrong with the list itself, in the first one's words; "" when there is nothing */
	char reason[PIC_ENGINE_REASON_MAX];
	char message[PIC_ENGINE_MESSAGE_MAX];
};

/* What is needed of URLs goes to `output`. */
int pic_stage(const struct pic_engine_input *input, const struct pic_object *target,
	      struct pic_wanted_list *out, struct pic_engine_output *output, struct pic_error *err);
void pic_wanted_list_free(struct pic_wanted_list *list);
/* It is not to be staged as things are: why, in a word and in a sentence. */
void pic_wanted_hold(struct pic_wanted *wanted, enum pic_wanted_state state, const char *reason,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
