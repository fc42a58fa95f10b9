/*
 * The engine: objects in, staged catalogs and statuses out. Pure: no clock, no store, no disk.
 *
 * For one instance it answers what its catalogs should be, given its solution, all targets and the
 * catalogs that exist (they are the memory of what was staged):
 *   - targets matched by name and by selector (symphony-protocol.md 5.1), components by constraints;
 *   - one catalog "<instance>-<target>" per matched target, with clean lists: a name is in exactly one
 *     of `components` and `removed-components`; every entry keeps the document revision it got, in
 *     `revisions` beside the lists;
 *   - a changed property is a change (unlike the original);
 *   - a component that cannot be staged yet (its URL is not resolved) or as it is described (unknown type,
 *     bad expression) is held back alone: what was staged of it before stays, the others go on;
 *   - a missing solution stalls with a sentence and changes nothing: what is staged stays. The original
 *     takes a missing solution for an empty one and removes everything; here absence never removes;
 *   - a component that reaches into a kernel (ebpf) is staged only while an approval for exactly it is open:
 *     target, name, bytes, hooks, now. Its entry then carries {"approval":{"id"}}; when the approval ends or
 *     is revoked, the entry moves to removed, the component is shown as Expired and the instance is not
 *     Ready; the solution stays;
 *   - a deleted or inactive instance, or a target that no longer matches, moves everything to removed;
 *   - a removed entry goes when the device has reported removed-through its revision, or at once when no
 *     device is enrolled for the target; a catalog without entries goes too.
 *
 * What a target runs on its own account (its spec.components) is an instance too, called
 * "target-runtime-<target>", with the target as its owner and its solution.
 *
 * On the device workloads are named by instance and component; an instance outside of the namespace
 * "default" is called "<instance>.<namespace>" there. Names of instances have no dots, so this is unique.
 */
#ifndef PIC_HUB_ENGINE_ENGINE_H
#define PIC_HUB_ENGINE_ENGINE_H

#include "crypto/digest.h"
#include "protocol/document.h"
#include "protocol/report.h"
#include "symphony/object.h"

#define PIC_ENGINE_RUNTIME_PREFIX "target-runtime-"
#define PIC_ENGINE_REASON_MAX 48
#define PIC_ENGINE_MESSAGE_MAX 400
/* So long a new instance waits quietly for what it names: the files of an application come in any order. */
#define PIC_ENGINE_SETTLE_MS 3000

/* Annotation of a Terminating catalog that a user has deleted: the faces do not show it any more. */
#define PIC_ENGINE_HIDDEN "piccolo/hidden"

/* The rules, as bits, so that a property test can break each on purpose and must notice. Production
 * code passes 0. */
enum pic_engine_rule {
	PIC_ENGINE_RULE_SOLUTION_MISSING_KEEPS = 1 << 0,
	PIC_ENGINE_RULE_HELD_KEEPS = 1 << 1,
	PIC_ENGINE_RULE_CLEAN_LISTS = 1 << 2,
	PIC_ENGINE_RULE_REVISION_GROWS = 1 << 3,
	PIC_ENGINE_RULE_UNCHANGED_KEEPS_REVISION = 1 << 4,
	PIC_ENGINE_RULE_REMOVED_WAITS_FOR_DEVICE = 1 << 5,
	PIC_ENGINE_RULE_FOREIGN_IS_UNTOUCHED = 1 << 6,
	PIC_ENGINE_RULE_UNMATCHED_IS_REMOVED = 1 << 7,
	PIC_ENGINE_RULE_READY_NEEDS_REPORT = 1 << 8,
	PIC_ENGINE_RULE_PROPERTY_IS_CHANGE = 1 << 9,
	PIC_ENGINE_RULE_CONSTRAINTS_COUNT = 1 << 10,
	PIC_ENGINE_RULE_EMPTY_CATALOG_GOES = 1 << 11,
	PIC_ENGINE_RULE_TRANSITION_TIMES_STAY = 1 << 12,
	PIC_ENGINE_RULE_APPROVAL_IS_NEEDED = 1 << 13,
	PIC_ENGINE_RULE_APPROVAL_IS_FOR_THESE_BYTES = 1 << 14,
	PIC_ENGINE_RULE_APPROVAL_ENDS = 1 << 15,
	PIC_ENGINE_RULE_COUNT = 16,
};

struct pic_approval_facts; /* hub/approval/approval.h */

/* A URL that was resolved to bytes at apply time (kept with the solution's generation). */
struct pic_engine_resolution {
	const char *component;
	const char *url;
	struct pic_sha256 digest;
	int64_t generation;  /* of the solution */
	const char *failure; /* the sentence, or NULL */
};

/* One target's device as far as the engine needs it; a target that is not listed has none. */
struct pic_engine_device {
	const char *target;
	const char *epoch;
	int64_t revision;	 /* of its document */
	int64_t removed_through; /* by the last report of this epoch; 0: none */
	size_t occupied; /* entries that other instances have on it: a document has a limit ... */
	size_t occupied_bytes; /* ... and their size in it */
	bool online;
	const struct pic_report *report; /* the last one, or NULL */
};

struct pic_engine_input {
	const char *space, *name; /* of the instance */
	const struct pic_object
		*owner; /* the instance, or the target of "target-runtime-..."; NULL: deleted */
	const struct pic_object
		*solution; /* NULL: missing; the target itself for its own components */
	const struct pic_object *const *targets; /* of the same namespace, in order */
	size_t target_count;
	const struct pic_object *const *catalogs; /* those that belong to this instance */
	size_t catalog_count;
	const struct pic_object *const
		*others; /* other catalogs whose name this instance could want */
	size_t other_count;
	const struct pic_engine_device *devices;
	size_t device_count;
	const struct pic_engine_resolution *resolutions;
	size_t resolution_count;
	/* for who asks for an approval: what needs one is staged as if it were given */
	bool supposes_approval;
	const struct pic_approval_facts *const
		*approvals; /* that name components of this instance */
	size_t approval_count;
	int64_t now_ms;	 /* for times in conditions, and for approvals */
	uint32_t broken; /* bits of enum pic_engine_rule a test has switched off */
};

/* A catalog to put, in kube's form. */
struct pic_engine_catalog {
	struct pic_json *json;
	const char *target; /* lent from json */
	int64_t revision; /* > 0: entries changed, the device's document is at least this one now */
};

/* A URL that has to be resolved before its component can be staged. */
struct pic_engine_need {
	char component[PIC_NAME_MAX + 1];
	char *url;
};

/* Something to tell the user about, for an Event object of the owner. */
struct pic_engine_note {
	bool warning;
	char reason[PIC_ENGINE_REASON_MAX];
	char message[PIC_ENGINE_MESSAGE_MAX];
};

/* What to write. Only what differs from what is there. */
struct pic_engine_output {
	struct pic_engine_catalog *catalogs;
	size_t catalog_count;
	char **forget; /* names of catalogs that are done and go away */
	size_t forget_count;
	struct pic_json *status; /* of the instance; NULL when it is deleted */
	struct pic_engine_need *needs;
	size_t need_count;
	struct pic_engine_note *notes;
	size_t note_count;
	/* when an approval opens or ends, or patience with what is missing does: look again then; INT64_MAX: never */
	int64_t next_ms;
};

/* -ENOMEM only; everything that is wrong with the objects is in the status. */
int pic_engine_reconcile(const struct pic_engine_input *input, struct pic_engine_output *out,
			 struct pic_error *err);
void pic_engine_output_free(struct pic_engine_output *output);

/* Status of a target out of its device and of the status of its own components (NULL: it has none). */
struct pic_engine_target_input {
	const struct pic_object *target;
	const struct pic_engine_device *device; /* NULL: not enrolled */
	const struct pic_json *own;
	const char *quarantine; /* why, or NULL */
	int64_t now_ms;
	uint32_t broken;
};
int pic_engine_target_status(const struct pic_engine_target_input *input, struct pic_json **out,
			     struct pic_error *err);

/* The document of one device out of its catalogs: components and removed, sorted by name. The revision
 * of the result is the highest revision of its entries and of `device`. Components whose bytes the hub
 * keeps get the URL "<public_url>/artifacts/<sha256>". Entries that no document may hold (names too
 * long for a device) are left out. */
int pic_engine_document(const struct pic_engine_device *device, const char *public_url,
			const struct pic_object *const *catalogs, size_t catalog_count,
			int64_t issued_at_ms, struct pic_document **out, struct pic_error *err);

/* Whose catalog it is: the instance's name in its namespace and the target, or false when it is not one
 * the engine staged. Names are lent from the catalog; *target too. */
struct pic_engine_owner {
	char instance[PIC_OBJECT_NAME_MAX + 1];
	const char *target;
};
bool pic_engine_catalog_owner(const struct pic_object *catalog, struct pic_engine_owner *out);
/* The instance's name on a device; false when it is too long for one. */
bool pic_engine_workload_instance(const char *space, const char *instance,
				  char out[PIC_NAME_MAX + 1]);

#endif
