#include "hub/campaign/check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/spelling.h"
#include "hub/campaign/patch.h"
#include "hub/campaign/schedule.h"
#include "hub/campaign/stage.h"
#include "hub/engine/resolver.h"
#include "hub/expression/expression.h"
#include "symphony/findings.h"

#define STAGES_MAX 256

/* One stage under the eye. */
struct view {
	const struct pic_json *campaign, *stage;
	const char *name;
	struct pic_path path;
	struct pic_findings *out;
};

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

/* Which of the two members a setting stands in; "" when it is in neither. */
static const struct pic_json *setting(const struct view *view, const char *key,
				      struct pic_path *path)
{
	const struct pic_json *inputs = pic_json_get(view->stage, "inputs");
	const struct pic_json *config = pic_json_get(view->stage, "config");
	bool is_input = pic_json_type(pic_json_get(inputs, key)) > PIC_JSON_NULL;
	const struct pic_path part = pic_path_field(
		&view->path, is_input || !pic_json_get(config, key) ? "inputs" : "config");

	*path = pic_path_field(&part, key);
	return pic_stage_value(inputs, config, key);
}

static void unknown_stage(const struct view *view, const struct pic_path *path, const char *name)
{
	struct pic_spelling spelling = { .wanted = name };

	pic_json_each(pic_json_get(view->campaign, "stages"), i)
		pic_spelling_offer(&spelling, pic_json_key(i));
	pic_finding_add(view->out, PIC_FINDING_VALUE, path, "there is no stage \"%.63s\"%s%.63s%s",
			name, spelling.nearest ? ", did you mean \"" : "",
			spelling.nearest ? spelling.nearest : "", spelling.nearest ? "\"?" : "");
}

static void check_provider(const struct view *view)
{
	const char *name = text_of(view->stage, "provider");
	const struct pic_path path = pic_path_field(&view->path, "provider");
	struct pic_spelling spelling = { .wanted = name };

	if (!*name) {
		pic_finding_add(view->out, PIC_FINDING_REQUIRED, &path,
				"required value, for instance providers.stage.patch");
		return;
	}
	if (pic_stage_provider(view->stage) != PIC_STAGE_UNKNOWN)
		return;
	for (int i = PIC_STAGE_UNKNOWN + 1; i < PIC_STAGE_PROVIDER_COUNT; i++)
		pic_spelling_offer(&spelling, pic_stage_provider_name((enum pic_stage_provider)i));
	pic_finding_add(
		view->out, PIC_FINDING_VALUE, &path,
		"this hub has no provider \"%.60s\"%s%s%s; it has providers.stage.approval, "
		".patch, .http, .delay, .wait and .mock",
		name, spelling.nearest ? ", did you mean \"" : "",
		spelling.nearest ? spelling.nearest : "", spelling.nearest ? "\"?" : "");
}

static void check_branch(void *data, const char *text)
{
	const struct view *view = data;
	const struct pic_path path = pic_path_field(&view->path, "stageSelector");

	if (*text && !pic_stage_find(view->campaign, text))
		unknown_stage(view, &path, text);
}

static void check_selector(struct view *view)
{
	const struct pic_path path = pic_path_field(&view->path, "stageSelector");
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_expression_branches(text_of(view->stage, "stageSelector"), check_branch, view,
				    &err) < 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &path, "%.200s", err.text);
}

static bool takes_time(const struct pic_json *stage)
{
	enum pic_stage_provider provider = pic_stage_provider(stage);

	return provider != PIC_STAGE_PATCH && provider != PIC_STAGE_MOCK;
}

/* Plain selectors that lead back here with nothing on the way that takes time: it would run for ever. */
static void check_circle(const struct view *view)
{
	const struct pic_path path = pic_path_field(&view->path, "stageSelector");
	const struct pic_json *stage = view->stage;

	for (int steps = 0; stage && steps < STAGES_MAX; steps++) {
		const struct pic_json *selector = pic_json_get(stage, "stageSelector");

		if (takes_time(stage) || pic_json_get(stage, "window") ||
		    pic_stage_is_expression(selector))
			return;
		if (strcmp(pic_json_text_or(selector, ""), view->name) == 0) {
			pic_finding_add(
				view->out, PIC_FINDING_VALUE, &path,
				"stage %.63s leads to itself without an end or a pause: leave "
				"the selector empty to end here",
				view->name);
			return;
		}
		stage = pic_stage_find(view->campaign, pic_json_text_or(selector, ""));
	}
}

static void check_times(const struct view *view)
{
	const struct pic_path schedule = pic_path_field(&view->path, "schedule");
	const struct pic_path window = pic_path_field(&view->path, "window");
	const struct pic_path retry = pic_path_field(&view->path, "retry");
	const struct pic_path interval = pic_path_field(&retry, "interval");
	const struct pic_json *pause = pic_json_get(pic_json_get(view->stage, "retry"), "interval");
	struct pic_stage_window read;
	struct pic_error err = PIC_ERROR_INIT;
	int64_t ms;

	if (pic_schedule_parse(pic_json_get(view->stage, "schedule"), &ms, &err) < 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &schedule, "%.200s", err.text);
	if (pic_stage_window(view->stage, &read, &err) < 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &window, "%.200s", err.text);
	else if (read.given && pic_stage_provider(view->stage) != PIC_STAGE_PATCH)
		pic_finding_add(
			view->out, PIC_FINDING_VALUE, &window,
			"only a stage with providers.stage.patch has something to take back");
	if (pic_json_type(pause) > PIC_JSON_NULL && pic_stage_duration(pause, &ms, &err) < 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &interval, "%.200s", err.text);
}

/* What the later era has and we do not must not be taken for done. */
static void check_foreign(const struct view *view)
{
	static const char *const fields[] = { "contexts", "proxy", "tasks" };

	for (size_t i = 0; i < PIC_COUNT(fields); i++) {
		const struct pic_json *value = pic_json_get(view->stage, fields[i]);
		const struct pic_path path = pic_path_field(&view->path, fields[i]);
		const char *text = pic_json_text(value);

		if (pic_json_count(value) > 0 || (text && *text))
			pic_finding_add(view->out, PIC_FINDING_VALUE, &path,
					"this hub runs each stage once and itself: leave it out");
	}
}

static void check_approval(const struct view *view)
{
	struct pic_path path;
	const struct pic_json *approves = setting(view, "approves", &path);
	const char *name = text_of(approves, "stage");
	const struct pic_path below = pic_path_field(&path, "stage");
	const struct pic_json *stage = pic_stage_find(view->campaign, name);
	struct pic_error err = PIC_ERROR_INIT;
	int64_t ms;

	if (!*name)
		pic_finding_add(view->out, PIC_FINDING_REQUIRED, &below,
				"required value: the patch stage that is to be approved");
	else if (!stage)
		unknown_stage(view, &below, name);
	else if (pic_stage_provider(stage) != PIC_STAGE_PATCH)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &below,
				"stage %.63s is no patch: an approval is for what a patch changes",
				name);
	const struct pic_json *expires = setting(view, "expires", &path);
	if (pic_json_type(expires) > PIC_JSON_NULL && !pic_stage_is_expression(expires) &&
	    (pic_stage_duration(expires, &ms, &err) < 0 || ms == 0))
		pic_finding_add(view->out, PIC_FINDING_VALUE, &path,
				"must be a time span such as 24h");
	const struct pic_json *approvers = setting(view, "approvers", &path);
	if (pic_json_type(approvers) > PIC_JSON_NULL &&
	    pic_json_type(approvers) != PIC_JSON_ARRAY && !pic_stage_is_expression(approvers))
		pic_finding_add(view->out, PIC_FINDING_TYPE, &path,
				"must be a list of mail addresses");
}

static bool has_expression(const struct pic_json *value)
{
	if (pic_stage_is_expression(value))
		return true;
	for (size_t i = 0; pic_json_type(value) == PIC_JSON_ARRAY && i < pic_json_count(value); i++)
		if (has_expression(pic_json_at(value, i)))
			return true;
	if (pic_json_type(value) == PIC_JSON_OBJECT)
		pic_json_each(value, k)
			if (has_expression(pic_json_value(k)))
				return true;
	return false;
}

/* As far as it is written out; the rest is found when the stage runs. */
static void check_patch(const struct view *view)
{
	const struct pic_path path = pic_path_field(&view->path, "inputs");
	const struct pic_json *inputs = pic_json_get(view->stage, "inputs");
	PIC_JSON struct pic_json *empty = pic_json_new_object();
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	struct pic_patch_names names;
	struct pic_error err = PIC_ERROR_INIT;

	if (has_expression(inputs))
		return;
	int r = pic_patch_names(inputs, &names, &err);
	if (r == 0 && !*names.catalog && !*text_of(inputs, "component"))
		r = pic_patch_make(empty, inputs, NULL, &patch, &err);
	if (r < 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &path, "%.200s", err.text);
}

static bool is_web_address(const char *url)
{
	return pic_text_starts(url, "http://") || pic_text_starts(url, "https://");
}

static void check_http(const struct view *view)
{
	struct pic_path path;
	const struct pic_json *url = setting(view, "url", &path);

	if (!pic_json_text(url) || !*pic_json_text(url))
		pic_finding_add(view->out, PIC_FINDING_REQUIRED, &path,
				"required value: the address that is asked");
	else if (!pic_stage_is_expression(url) && !is_web_address(pic_json_text(url)))
		pic_finding_add(view->out, PIC_FINDING_VALUE, &path,
				"must begin with http:// or https://");
	else if (!pic_stage_is_expression(url) && pic_resolver_denies(pic_json_text(url)))
		pic_finding_add(view->out, PIC_FINDING_VALUE, &path,
				"is not asked: its address is link-local or unreadable");
	const struct pic_json *codes = setting(view, "successCodes", &path);
	if (pic_json_type(codes) > PIC_JSON_NULL && pic_json_type(codes) != PIC_JSON_ARRAY &&
	    !pic_stage_is_expression(codes))
		pic_finding_add(view->out, PIC_FINDING_TYPE, &path, "must be a list of numbers");
}

static void check_delay(const struct view *view)
{
	struct pic_path path;
	const struct pic_json *delay = setting(view, "delay", &path);
	struct pic_error err = PIC_ERROR_INIT;
	int64_t ms;

	if (!pic_stage_is_expression(delay) && pic_stage_duration(delay, &ms, &err) < 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &path, "%.200s", err.text);
}

static void check_wait(const struct view *view)
{
	struct pic_path path;
	const struct pic_json *names = setting(view, "names", &path);

	if (pic_json_type(names) != PIC_JSON_ARRAY && !pic_stage_is_expression(names))
		pic_finding_add(view->out, PIC_FINDING_REQUIRED, &path,
				"required value: a list of names to wait for");
}

static void check_settings(const struct view *view)
{
	switch (pic_stage_provider(view->stage)) {
	case PIC_STAGE_APPROVAL:
		check_approval(view);
		return;
	case PIC_STAGE_PATCH:
		check_patch(view);
		return;
	case PIC_STAGE_HTTP:
		check_http(view);
		return;
	case PIC_STAGE_DELAY:
		check_delay(view);
		return;
	case PIC_STAGE_WAIT:
		check_wait(view);
		return;
	case PIC_STAGE_MOCK:
	case PIC_STAGE_UNKNOWN:
	case PIC_STAGE_PROVIDER_COUNT:
		return;
	}
}

static bool is_stage_name(const char *name)
{
	return *name && strlen(name) <= PIC_NAME_MAX &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
		       strlen(name);
}

static void check_stage(struct view *view)
{
	const struct pic_path name_path = pic_path_field(&view->path, "name");
	const char *name = text_of(view->stage, "name");

	if (!is_stage_name(view->name))
		pic_finding_add(
			view->out, PIC_FINDING_VALUE, &view->path,
			"the name of a stage must be at most %d letters, digits, -, _ and .",
			PIC_NAME_MAX);
	if (*name && strcmp(name, view->name) != 0)
		pic_finding_add(view->out, PIC_FINDING_VALUE, &name_path,
				"must be \"%.63s\", as the stage is called in stages", view->name);
	check_provider(view);
	check_selector(view);
	check_circle(view);
	check_times(view);
	check_foreign(view);
	check_settings(view);
}

static void check_campaign(const struct pic_json *spec, struct pic_findings *out)
{
	const struct pic_path root = pic_path_root("spec");
	const struct pic_path stages_path = pic_path_field(&root, "stages");
	const struct pic_path first_path = pic_path_field(&root, "firstStage");
	const struct pic_json *stages = pic_json_get(spec, "stages");
	const char *first = text_of(spec, "firstStage");
	struct view view = { .campaign = spec, .out = out, .path = stages_path };

	if (pic_json_count(stages) == 0) {
		pic_finding_add(out, PIC_FINDING_REQUIRED, &stages_path,
				"required value: the stages of the campaign");
		return;
	}
	if (pic_json_count(stages) > STAGES_MAX) {
		pic_finding_add(out, PIC_FINDING_VALUE, &stages_path,
				"must not be more than %d stages", STAGES_MAX);
		return;
	}
	if (!*first)
		pic_finding_add(out, PIC_FINDING_REQUIRED, &first_path,
				"required value: the stage that an activation begins with");
	else if (!pic_stage_find(spec, first))
		unknown_stage(&view, &first_path, first);
	pic_json_each(stages, i) {
		view.stage = pic_json_value(i);
		view.name = pic_json_key(i);
		view.path = pic_path_field(&stages_path, view.name);
		if (pic_json_type(view.stage) == PIC_JSON_OBJECT)
			check_stage(&view);
	}
}

static void check_activation(const struct pic_object *live, const struct pic_json *spec,
			     struct pic_findings *out)
{
	const struct pic_path root = pic_path_root("spec");
	const struct pic_path path = pic_path_field(&root, "campaign");

	if (!*text_of(spec, "campaign") && !*text_of(spec, "campaignversion"))
		pic_finding_add(out, PIC_FINDING_REQUIRED, &path,
				"required value: the name of the campaign to run");
	if (live && pic_json_find(live->json, "status", "run", "campaign", NULL) &&
	    !pic_json_equal(pic_object_spec(live), spec))
		pic_finding_add(out, PIC_FINDING_VALUE, &root,
				"an activation runs once and cannot be changed after it has begun: "
				"delete it, or make one of another name");
}

void pic_campaign_check(enum pic_kind kind, const struct pic_object *live,
			const struct pic_json *json, struct pic_findings *out)
{
	const struct pic_json *spec = pic_json_get(json, "spec");

	if (kind == PIC_KIND_CAMPAIGN)
		check_campaign(spec, out);
	if (kind == PIC_KIND_ACTIVATION)
		check_activation(live, spec, out);
}
