/*
 * The engine: objects in, staged catalogs and statuses out. Pure: no clock, no store, no disk.
 *
 * For one instance it answers what its catalogs should be, given its solution, all targets and the
 * catalogs that exist (they are the memory of what was staged):
 *   - targets matched by name and by selector (symphony-protocol.md 5.1), components by constraints;
 *   - one catalog "<instance>-<target>" per matched target, with clean lists: a name is in exactly one
 *     of `components` and `removed-components`; every removed entry keeps the document revision it got;
 *   - a changed property is a change (unlike the original);
 *   - a component whose URL is not resolved yet is held back, the instance is Reconciling;
 *   - a missing solution, an unmatched target, an unknown type stalls with a sentence and stages nothing
 *     new: what is staged stays (absence never removes);
 *   - a deleted instance, or a target that no longer matches, moves everything to removed.
 */
#ifndef PIC_HUB_ENGINE_ENGINE_H
#define PIC_HUB_ENGINE_ENGINE_H

#include "crypto/digest.h"
#include "protocol/document.h"
#include "protocol/report.h"
#include "symphony/object.h"

/* A URL that was resolved to bytes at apply time (kept with the solution's generation). */
struct pic_engine_resolution {
	const char *component;
	const char *url;
	struct pic_sha256 digest;
	int64_t generation; /* of the solution */
	const char *failure; /* the sentence, or NULL */
};

/* One device as far as the engine needs it. */
struct pic_engine_device {
	const char *target;
	const char *epoch;
	int64_t revision;	 /* of its document */
	int64_t removed_through; /* last report */
	const struct pic_report *report; /* or NULL */
};

struct pic_engine_input {
	const struct pic_object *instance; /* its last state, also when `deleted` */
	bool deleted;
	const struct pic_object *solution; /* NULL: missing */
	const struct pic_object *const *targets;
	size_t target_count;
	const struct pic_object *const *catalogs; /* those that belong to this instance */
	size_t catalog_count;
	const struct pic_engine_device *devices;
	size_t device_count;
	const struct pic_engine_resolution *resolutions;
	size_t resolution_count;
};

/* What to write. JSON trees are kube's form; the caller owns them. */
struct pic_engine_output {
	struct pic_json **catalogs; /* to put; a document of the device in `catalog target` changes with them */
	size_t catalog_count;
	char **forget;		    /* names of catalogs that are done and go away */
	size_t forget_count;
	struct pic_json *instance_status; /* status of the instance, NULL when deleted */
};

int pic_engine_reconcile(const struct pic_engine_input *input, struct pic_engine_output *out,
			 struct pic_error *err);
void pic_engine_output_free(struct pic_engine_output *output);

/* The document of one device out of its catalogs: components and removed, sorted by name. The revision
 * of the result is the highest revision of its entries and of `device`. */
int pic_engine_document(const struct pic_engine_device *device,
			const struct pic_object *const *catalogs, size_t catalog_count,
			int64_t issued_at_ms, struct pic_document **out, struct pic_error *err);

#endif
