/* Deletes. */
#include "hub/kube_api/remove.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "hub/kube_api/body.h"
#include "hub/kube_api/catalog_rules.h"
#include "hub/kube_api/present.h"

#define TOMBSTONE_MS (60 * 60 * 1000)

static void copy_text(char *to, size_t size, const struct pic_json *from)
{
	snprintf(to, size, "%s", pic_json_text_or(from, ""));
}

bool pic_kube_read_delete(const struct pic_kube_request *request,
			  struct pic_kube_delete_options *out, struct pic_kube_answer *answer)
{
	PIC_JSON struct pic_json *body = NULL;
	const char *query = pic_kube_query(request, "dryRun");

	*out = (struct pic_kube_delete_options){ .dry_run = *query != '\0' };
	if (!pic_kube_read_object(request, true, &body, answer))
		return false;
	const struct pic_json *dry = pic_json_get(body, "dryRun");
	const struct pic_json *preconditions = pic_json_get(body, "preconditions");
	copy_text(out->uid, sizeof(out->uid), pic_json_get(preconditions, "uid"));
	copy_text(out->version, sizeof(out->version),
		  pic_json_get(preconditions, "resourceVersion"));
	for (size_t i = 0; i < pic_json_count(dry); i++)
		query = pic_json_text_or(pic_json_at(dry, i), "?");
	out->dry_run |= pic_json_count(dry) > 0;
	if (!out->dry_run || strcmp(query, "All") == 0)
		return true;
	pic_kube_fail_bad(answer, "dryRun must be All, not \"%.40s\"", query);
	return false;
}

/* A catalog that is gone, or hidden, still answers success for an hour. */
static void answer_absent(const struct pic_kube_request *request,
			  const struct pic_kube_world *world, bool hidden,
			  struct pic_kube_answer *answer)
{
	const struct pic_kube_path *path = &request->path;
	const struct pic_object *tombstone =
		path->facts->kind == PIC_KIND_CATALOG
			? pic_kube_find(world, PIC_KIND_TOMBSTONE, path->space, path->name)
			: NULL;
	const char *since = pic_json_get_text(pic_object_spec(tombstone), "gone");
	int64_t then;

	if (hidden ||
	    (since && pic_time_parse(since, &then) == 0 && request->now_ms - then < TOMBSTONE_MS))
		pic_kube_deleted(answer, pic_kube_subject(request), NULL);
	else
		pic_kube_fail_not_found(answer, pic_kube_subject(request));
}

static enum pic_kube_removal hide(const struct pic_object *catalog, struct pic_json **put,
				  struct pic_kube_answer *answer)
{
	PIC_JSON struct pic_json *hidden = pic_json_copy(catalog->json);
	struct pic_json *annotations =
		pic_json_ensure_object(pic_json_get(hidden, "metadata"), "annotations");

	if (pic_json_set_text(annotations, PIC_ANNOTATION_HIDDEN, "true") < 0) {
		pic_kube_fail_memory(answer);
		return PIC_KUBE_REMOVAL_ANSWERED;
	}
	*put = PIC_STEAL(hidden);
	return PIC_KUBE_REMOVAL_PUT;
}

static enum pic_kube_removal refuse_catalog(const struct pic_object *catalog,
					    struct pic_kube_subject subject,
					    struct pic_kube_answer *answer)
{
	PIC_BUF struct pic_buf owner = PIC_BUF_INIT(1024);
	char resource[PIC_KUBE_RESOURCE_TEXT];

	pic_kube_catalog_owner(catalog->json, &owner);
	pic_kube_fail(answer, 409, "Conflict", subject,
		      "%s \"%s\" belongs to %s and goes with it: delete that instead",
		      pic_kube_resource(subject.facts, resource), subject.name,
		      pic_buf_text(&owner));
	return PIC_KUBE_REMOVAL_ANSWERED;
}

/* What is still asked or still allowed must be answered or taken back, not forgotten. True: it is refused. */
static bool refuse_approval(const struct pic_object *approval, struct pic_kube_subject subject,
			    struct pic_kube_answer *answer)
{
	const struct pic_json *status = pic_object_status(approval);
	const char *phase = pic_json_text_or(pic_json_get(status, "phase"), "Pending");

	if (strcmp(phase, "Approved") == 0)
		pic_kube_fail(answer, 409, "Conflict", subject,
			      "approval \"%s\" is in force until %s: piccoloctl revoke %s takes it "
			      "back, then it can be deleted",
			      approval->name,
			      pic_json_text_or(pic_json_get(status, "ends"), "its end"),
			      approval->name);
	else if (strcmp(phase, "Pending") == 0)
		pic_kube_fail(answer, 409, "Conflict", subject,
			      "approval \"%s\" is not finished: piccoloctl reject %s answers it, "
			      "then it can be deleted",
			      approval->name, approval->name);
	else
		return false;
	return true;
}

enum pic_kube_removal pic_kube_remove_object(const struct pic_kube_world *world,
					     const struct pic_object *object, struct pic_json **put,
					     struct pic_kube_answer *answer)
{
	const struct pic_kube_subject subject = { pic_kind_facts(object->kind), object->name };

	if (object->kind == PIC_KIND_NAMESPACE && strcmp(object->name, "default") == 0) {
		pic_kube_fail(
			answer, 403, NULL, subject,
			"namespaces \"default\" is forbidden: this namespace may not be deleted");
		return PIC_KUBE_REMOVAL_ANSWERED;
	}
	if (object->kind == PIC_KIND_APPROVAL && refuse_approval(object, subject, answer))
		return PIC_KUBE_REMOVAL_ANSWERED;
	if (object->kind == PIC_KIND_CATALOG) {
		switch (pic_kube_catalog_delete(world, object)) {
		case PIC_KUBE_CATALOG_REFUSE:
			return refuse_catalog(object, subject, answer);
		case PIC_KUBE_CATALOG_HIDE:
			pic_kube_deleted(answer, subject, object->uid);
			return hide(object, put, answer);
		case PIC_KUBE_CATALOG_REMOVE:
			break;
		}
	}
	pic_kube_deleted(answer, subject, object->uid);
	return PIC_KUBE_REMOVAL_DELETE;
}

enum pic_kube_removal pic_kube_remove(const struct pic_kube_request *request,
				      const struct pic_kube_world *world,
				      const struct pic_kube_delete_options *options,
				      struct pic_json **put, struct pic_kube_answer *answer)
{
	const struct pic_kube_path *path = &request->path;
	const struct pic_object *live =
		pic_kube_find(world, path->facts->kind, path->space, path->name);
	char version[24];

	if (!pic_kube_is_visible(live)) {
		answer_absent(request, world, live != NULL, answer);
		return PIC_KUBE_REMOVAL_ANSWERED;
	}
	snprintf(version, sizeof(version), "%lld", (long long)live->revision);
	if ((*options->uid && strcmp(options->uid, live->uid) != 0) ||
	    (*options->version && strcmp(options->version, version) != 0)) {
		pic_kube_fail_conflict(answer, pic_kube_subject(request));
		return PIC_KUBE_REMOVAL_ANSWERED;
	}
	PIC_JSON struct pic_json *hidden = NULL;
	enum pic_kube_removal removal = pic_kube_remove_object(world, live, &hidden, answer);
	if (options->dry_run)
		return PIC_KUBE_REMOVAL_ANSWERED;
	*put = PIC_STEAL(hidden);
	return removal;
}
