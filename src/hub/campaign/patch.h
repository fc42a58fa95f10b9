/*
 * What a patch stage makes of a solution (symphony-protocol.md 7.6), and how it is taken back. Pure.
 *
 * Inputs: objectType, objectName, patchSource (inline, catalog, catalogversion), patchContent, patchAction
 * (add, remove), component, property, subKey, dedupKey. Every form changes exactly one component, so what it
 * was and what it became is all that the way back needs.
 *
 * Where the original stays silent or crashes we say what is wrong: another objectType, a component or
 * property that is missing. A catalog without `component` is the component itself.
 */
#ifndef PIC_HUB_CAMPAIGN_PATCH_H
#define PIC_HUB_CAMPAIGN_PATCH_H

#include "base/json.h"
#include "base/text.h"

struct pic_patch {
	struct pic_json
		*solution; /* the object as it will be, kube's form, owned; NULL: nothing changes */
	char component[PIC_OBJECT_NAME_MAX + 1];
	struct pic_json *former,
		*put; /* the component before and after, owned; NULL: it is not there */
};
void pic_patch_free(struct pic_patch *patch);
#define PIC_PATCH PIC_CLEANUP(pic_patch_free)

/* Names of what the inputs are about: the solution, and the catalog ("" for inline). -EINVAL. */
struct pic_patch_names {
	char solution[PIC_OBJECT_NAME_MAX + 1];
	char catalog[PIC_OBJECT_NAME_MAX + 1];
};
int pic_patch_names(const struct pic_json *inputs, struct pic_patch_names *out,
		    struct pic_error *err);
/* `content`: spec.properties of the catalog; NULL for inline. -EINVAL, -ENOENT (component, property). */
int pic_patch_make(const struct pic_json *solution, const struct pic_json *inputs,
		   const struct pic_json *content, struct pic_patch *out, struct pic_error *err);

/* The way back. A component that is not as the patch left it is a user's: it stays. */
enum pic_patch_undo {
	PIC_PATCH_UNDONE,
	PIC_PATCH_ALREADY,  /* it is as it was before */
	PIC_PATCH_NOT_OURS, /* somebody has changed or removed it meanwhile */
};
/* *out: the solution to write for UNDONE, owned. */
enum pic_patch_undo pic_patch_undo(const struct pic_json *solution, const char *component,
				   const struct pic_json *former, const struct pic_json *put,
				   struct pic_json **out);

#endif
