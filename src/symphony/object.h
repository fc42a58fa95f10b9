/*
 * An object as the hub keeps it: kube's form as one JSON tree
 *   {"apiVersion":..,"kind":..,"metadata":{name, namespace, uid, resourceVersion, generation, ...},
 *    "spec":{...},"status":{...}}
 * lossless: what the user wrote in spec and annotations stays as it was written. Objects in the store
 * are never changed in place: a change is a copy with the change in it. Reference-counted.
 */
#ifndef PIC_SYMPHONY_OBJECT_H
#define PIC_SYMPHONY_OBJECT_H

#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "symphony/kind.h"

struct pic_object {
	unsigned references;
	enum pic_kind kind;
	const char *
		space; /* metadata.namespace; "" for cluster-scoped and internal kinds; lent from json */
	const char *name;
	const char *uid;
	int64_t revision;      /* metadata.resourceVersion */
	int64_t generation;    /* metadata.generation */
	bool terminating;      /* metadata.deletionTimestamp is set */
	struct pic_json *json; /* read-only once the object exists */
};

/* Takes over `json`; its metadata must hold a name. */
int pic_object_new(struct pic_object **out, enum pic_kind kind, struct pic_json *json,
		   struct pic_error *err);
struct pic_object *pic_object_ref(struct pic_object *object);
void pic_object_unref(struct pic_object *object);
static inline void pic_object_unref_pointer(struct pic_object **object)
{
	pic_object_unref(*object);
	*object = NULL;
}
struct pic_json *pic_object_spec(const struct pic_object *object);
struct pic_json *pic_object_status(const struct pic_object *object);
const char *pic_object_annotation(const struct pic_object *object, const char *key);
/* A user deleted this catalog while its device had not let go of it: kept with this annotation as the
 * hub's memory of what is to be removed, shown by no face. The engine carries it along; users cannot set it. */
#define PIC_ANNOTATION_HIDDEN "piccolo/hidden"
static inline bool pic_object_is_hidden(const struct pic_object *object)
{
	return pic_object_annotation(object, PIC_ANNOTATION_HIDDEN) != NULL;
}

/* One thing wrong with user input; path is "spec.components[0].type". */
struct pic_finding {
	enum {
		PIC_FINDING_REQUIRED,
		PIC_FINDING_TYPE,
		PIC_FINDING_VALUE,
		PIC_FINDING_UNKNOWN
	} kind;
	char path[256];
	char text[256]; /* "Required value", "must be a text, not a number", ... */
};
struct pic_findings {
	struct pic_finding items[16];
	size_t count; /* more than 16 are counted, not kept */
};
/* Schema, names, references' syntax, known component types and their property names (wasm.*):
 * everything that can be said without other objects. UNKNOWN findings are warnings or errors as the
 * caller decides (kube's fieldValidation). */
void pic_object_validate(enum pic_kind kind, const struct pic_json *json, struct pic_findings *out);
/* Fills displayName and spec.name from metadata.name where the demo's era requires them. */
void pic_object_default(enum pic_kind kind, struct pic_json *json);

/* Symphony's wire shapes (symphony-protocol.md sections 3 and 11): E23 {id, spec, status} with the
 * later era's metadata beside it. */
struct pic_json *pic_object_to_symphony(const struct pic_object *object);
/* A POST body of either era -> kube's form for `name`; both bare spec and full state are accepted. */
int pic_object_from_symphony(enum pic_kind kind, const char *name, const struct pic_json *body,
			     struct pic_json **out, struct pic_error *err);

#endif
