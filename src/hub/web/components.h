/*
 * The components of a device as a page shows them: what the device said last, beside what was asked of it and
 * never reached it (held back, not delivered yet). Pure but for reading the store.
 */
#ifndef PIC_HUB_WEB_COMPONENTS_H
#define PIC_HUB_WEB_COMPONENTS_H

#include "hub/hub.h"

#define PIC_WEB_COMPONENTS_MAX 1024

struct pic_web_component {
	char instance[PIC_NAME_MAX + 1]; /* as on the device */
	const char *name;
	const char *type;
	const char *phase, *reason, *message; /* the engine's, where it has a say */
	const struct pic_json *report;	      /* the device's own words, or NULL */
	const struct pic_json *part;	      /* of the instance's status, or NULL */
};

struct pic_web_components {
	struct pic_web_component *items;
	size_t count, capacity;
	bool is_cut;	 /* there are more */
	bool is_starved; /* no memory for more */
};

/* Texts are lent from the store's objects: until its next change. -ENOMEM. */
int pic_web_components_of(struct pic_store *store, const struct pic_object *device,
			  struct pic_web_components *out, struct pic_error *err);
void pic_web_components_free(struct pic_web_components *components);
const struct pic_web_component *pic_web_components_find(const struct pic_web_components *components,
							const char *instance, const char *name);

/* "good", "busy", "bad", "calm" or "ask": pic_page_badge's tone. */
const char *pic_web_tone(const struct pic_web_component *component);
/* A field of the report, else of the instance's status ("last-error" there is "lastError"); or NULL. */
const char *pic_web_component_text(const struct pic_web_component *component, const char *key,
				   const char *status_key);
const struct pic_json *pic_web_component_evidence(const struct pic_web_component *component);

#endif
