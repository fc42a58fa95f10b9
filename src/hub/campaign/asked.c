/*
 * What a listed address is asked about. Its yes may come hours later and counts for what the patch stages
 * that may follow would have brought to devices when it was asked, not for what stands there by then: a
 * digest of it is written down before the request goes out, and compared when the approval is granted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/digest.h"
#include "hub/campaign/patch.h"
#include "hub/campaign/provider.h"
#include "hub/expression/expression.h"

#define ITEMS_TEXT_MAX (256 * 1024)

int pic_asked_digest(const struct pic_json *items, char out[PIC_SHA256_TEXT])
{
	static const char *const keys[] = { "target", "instance", "component", "type",
					    "sha256", "terms",	  "grants" };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(ITEMS_TEXT_MAX);
	PIC_JSON struct pic_json *list = pic_json_new_array();
	struct pic_sha256 digest;

	/* the facts are read from the bytes: the digest of those says it all */
	for (size_t i = 0; i < pic_json_count(items); i++) {
		struct pic_json *one = pic_json_new_object();

		for (size_t k = 0; k < PIC_COUNT(keys); k++) {
			struct pic_json *value = pic_json_get(pic_json_at(items, i), keys[k]);

			pic_json_set(one, keys[k],
				     value ? pic_json_ref(value) : pic_json_new_null());
		}
		pic_json_append(list, one);
	}
	int r = pic_json_write(list, PIC_JSON_COMPACT, &text);
	if (r < 0)
		return r;
	pic_sha256_of(pic_buf_text(&text), text.size, &digest);
	pic_sha256_text(&digest, out);
	return 0;
}

/* The next patch stage that may follow and has not been looked at. */
struct search {
	const struct pic_json *campaign, *asked;
	const char *found;
};

static void follow(void *data, const char *name)
{
	struct search *search = data;

	pic_json_each(pic_json_get(search->campaign, "stages"), i)
		if (!search->found && strcmp(pic_json_key(i), name) == 0 &&
		    pic_stage_provider(pic_json_value(i)) == PIC_STAGE_PATCH &&
		    !pic_json_get(search->asked, name))
			search->found = pic_json_key(i);
}

struct look {
	struct pic_stage_job job; /* first */
	struct pic_json *memo;
	char stage[PIC_NAME_MAX + 1], url[256];
};

static void look_free(struct pic_stage_job *job)
{
	struct look *look = (struct look *)job;

	pic_json_unref(look->memo);
	free(look);
}

/* What cannot be worked out now, no answer can allow: "" is the digest of nothing. */
static void have_items(void *data, struct pic_json *items, const struct pic_error *why)
{
	PIC_JSON struct pic_json *owned = items;
	(void)owned;
	struct look *look = data;
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_WAITS, .until_ms = 1 };
	char digest[PIC_SHA256_TEXT] = "";

	if (items && pic_asked_digest(items, digest) < 0)
		*digest = '\0';
	outcome.memo = PIC_STEAL(look->memo);
	pic_json_set_text(pic_json_ensure_object(outcome.memo, "asked"), look->stage, digest);
	if (*digest)
		snprintf(outcome.text, sizeof(outcome.text), "asks %s", look->url);
	else
		snprintf(outcome.text, sizeof(outcome.text),
			 "asks %s; its answer cannot approve stage %s: %.80s", look->url,
			 look->stage, why ? why->text : "it is too large");
	pic_stage_answer(&look->job, &outcome);
}

static int changed_solution(const struct pic_stage_work *work, const char *stage,
			    struct pic_object **out, struct pic_error *err)
{
	PIC_JSON struct pic_json *config = NULL, *inputs = NULL;
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	const struct pic_object *solution = NULL;
	int r = pic_machine_stage(work->activation, stage, &config, &inputs, err);

	if (r == 0)
		r = pic_stage_patch_plan(work->hub, work->activation->space, inputs, &patch,
					 &solution, err);
	if (r < 0 || !solution)
		return r < 0 ? r : -EINVAL;
	return pic_object_new(out, PIC_KIND_SOLUTION,
			      pic_json_ref(patch.solution ? patch.solution : solution->json), err);
}

static void begin(struct pic_stage_work *work, const char *stage, const char *url,
		  struct pic_outcome *out)
{
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *changed = NULL;
	struct look *look = calloc(1, sizeof(*look));
	struct pic_error err = PIC_ERROR_INIT;

	if (!look) {
		pic_outcome_fail(out, 500, "no memory for an approval");
		return;
	}
	look->job.free = look_free;
	look->memo = work->place.memo ? pic_json_copy(work->place.memo) : pic_json_new_object();
	snprintf(look->stage, sizeof(look->stage), "%s", stage);
	/* without what may be a secret in it */
	snprintf(look->url, sizeof(look->url), "%.*s", (int)strcspn(url, "?#"), url);
	out->kind = PIC_OUTCOME_PENDING;
	pic_stage_job_start(&look->job, work);
	int r = changed_solution(work, stage, &changed, &err);
	if (r == 0)
		r = pic_approval_items(work->hub->approvals, changed, have_items, look, &err);
	if (r < 0)
		have_items(look, NULL, &err);
}

bool pic_asked_is_known(struct pic_stage_work *work, const char *url, struct pic_outcome *out)
{
	struct search search = { .campaign = work->place.campaign,
				 .asked = pic_json_get(work->place.memo, "asked") };

	pic_expression_branches(pic_json_text_or(pic_json_get(work->stage, "stageSelector"), ""),
				follow, &search, NULL);
	if (!search.found)
		return true;
	begin(work, search.found, url, out);
	return false;
}
