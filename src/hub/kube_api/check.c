/* Findings to causes and warnings. */
#include "hub/kube_api/check.h"

#include <string.h>

#include "base/clock.h"
#include "hub/campaign/check.h"
#include "hub/campaign/schedule.h"
#include "hub/campaign/stage.h"
#include "hub/kube_api/metadata.h"

static const char *cause_reason(const struct pic_finding *finding)
{
	switch (finding->kind) {
	case PIC_FINDING_REQUIRED:
		return "FieldValueRequired";
	case PIC_FINDING_TYPE:
		return "FieldValueTypeInvalid";
	case PIC_FINDING_VALUE:
	case PIC_FINDING_UNKNOWN:
		break;
	}
	return "FieldValueInvalid";
}

/* `unknown field "spec.componentz"`, and what it may have been meant to be. */
static void describe_unknown(const struct pic_finding *finding, struct pic_buf *out)
{
	const char *suggestion = strstr(finding->text, "did you mean");

	pic_buf_format(out, "unknown field \"%s\"%s%s%s", finding->path, suggestion ? " (" : "",
		       suggestion ? suggestion : "", suggestion ? ")" : "");
}

static size_t kept(const struct pic_findings *findings)
{
	return findings->count < PIC_COUNT(findings->items) ? findings->count
							    : PIC_COUNT(findings->items);
}

/* Under Strict all unknown fields go into one sentence. */
static bool refuse_unknown(const struct pic_kube_request *request,
			   const struct pic_findings *findings, struct pic_kube_answer *answer)
{
	const struct pic_kind_facts *facts = request->path.facts;
	PIC_BUF struct pic_buf list = PIC_BUF_INIT(16384);

	for (size_t i = 0; i < kept(findings); i++) {
		if (findings->items[i].kind != PIC_FINDING_UNKNOWN)
			continue;
		if (list.size)
			pic_buf_text_add(&list, ", ");
		describe_unknown(&findings->items[i], &list);
	}
	if (list.size == 0)
		return true;
	pic_kube_fail(answer, 400, NULL, (struct pic_kube_subject){ 0 },
		      "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
		      facts->name, facts->version, facts->name, pic_buf_text(&list));
	return false;
}

static void warn_unknown(const struct pic_findings *findings, struct pic_kube_answer *answer)
{
	for (size_t i = 0; i < kept(findings); i++) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024);
		if (findings->items[i].kind != PIC_FINDING_UNKNOWN)
			continue;
		describe_unknown(&findings->items[i], &text);
		pic_kube_answer_warn(answer, "%s", pic_buf_text(&text));
	}
}

static void add_causes(const struct pic_findings *findings, struct pic_json *causes)
{
	for (size_t i = 0; i < kept(findings); i++) {
		const struct pic_finding *finding = &findings->items[i];
		if (finding->kind != PIC_FINDING_UNKNOWN)
			pic_kube_cause(causes, cause_reason(finding), finding->path, "%s",
				       finding->text);
	}
}

bool pic_kube_check(const struct pic_kube_request *request, enum pic_kube_validation validation,
		    const struct pic_object *live, const struct pic_json *wanted,
		    struct pic_kube_answer *answer)
{
	struct pic_findings findings = { 0 };
	PIC_JSON struct pic_json *causes = pic_json_new_array();
	const char *name = pic_json_text_or(pic_json_find(wanted, "metadata", "name", NULL), "");
	const struct pic_kube_subject subject = { request->path.facts, name };

	pic_object_validate(request->path.facts->kind, wanted, &findings);
	pic_campaign_check(request->path.facts->kind, live, wanted, &findings);
	if (validation == PIC_KUBE_STRICT && !refuse_unknown(request, &findings, answer))
		return false;
	if (validation == PIC_KUBE_WARN)
		warn_unknown(&findings, answer);
	add_causes(&findings, causes);
	pic_kube_check_metadata(wanted, causes);
	if (pic_json_count(causes) == 0) {
		/* what was not kept may have been more than unknown fields */
		if (findings.count <= PIC_COUNT(findings.items))
			return true;
		pic_kube_cause(causes, "FieldValueInvalid", "metadata",
			       "more than %zu fields are wrong; correct the first ones",
			       PIC_COUNT(findings.items));
	}
	pic_kube_fail_invalid(answer, subject, PIC_STEAL(causes));
	return false;
}

static bool fits(const char *pattern, const char *text)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '*' || *pattern == '%')
			return true; /* a hint need not be exact: not warning is right */
		if (*pattern != *text)
			return false;
	}
	return !*text;
}

static bool has_properties(const struct pic_object *target, const struct pic_json *selector)
{
	const struct pic_json *properties = pic_json_get(pic_object_spec(target), "properties");

	pic_json_each(selector, i) {
		const char *value = pic_json_get_text(properties, pic_json_key(i));
		if (!value || !fits(pic_json_text_or(pic_json_value(i), ""), value))
			return false;
	}
	return true;
}

static void hint_selector(const struct pic_kube_world *world, const char *space,
			  const struct pic_json *selector, struct pic_kube_answer *answer)
{
	struct pic_object *target = NULL;

	while ((target = world->next(world->data, PIC_KIND_TARGET, space, target)))
		if (has_properties(target, selector))
			return;
	pic_kube_answer_warn(answer,
			     "no target has the properties that spec.target.selector asks for; "
			     "the instance waits for one");
}

static void hint_instance(const struct pic_kube_world *world, const char *space,
			  const struct pic_json *spec, struct pic_kube_answer *answer)
{
	const char *solution = pic_json_get_text(spec, "solution");
	const struct pic_json *target = pic_json_get(spec, "target");
	const char *name = pic_json_get_text(target, "name");
	const struct pic_json *selector = pic_json_get(target, "selector");

	/* "name:version" and the later era's names are resolved by the engine */
	if (solution && *solution && !strchr(solution, ':') &&
	    !pic_kube_find(world, PIC_KIND_SOLUTION, space, solution))
		pic_kube_answer_warn(
			answer, "there is no solution \"%s\"; the instance waits for it", solution);
	if (name && *name && !strchr(name, ':') &&
	    !pic_kube_find(world, PIC_KIND_TARGET, space, name))
		pic_kube_answer_warn(answer, "there is no target \"%s\"; the instance waits for it",
				     name);
	else if ((!name || !*name) && pic_json_count(selector))
		hint_selector(world, space, selector, answer);
}

static void hint_activation(const struct pic_kube_world *world, const char *space,
			    const struct pic_json *wanted, struct pic_kube_answer *answer)
{
	const struct pic_json *spec = pic_json_get(wanted, "spec");
	const char *reference = pic_json_get_text(spec, "campaign");
	char name[PIC_OBJECT_NAME_MAX + 1];

	if (!reference || !*reference)
		reference = pic_json_get_text(spec, "campaignversion");
	if (pic_stage_object_name(reference, name) &&
	    !pic_kube_find(world, PIC_KIND_CAMPAIGN, space, name))
		pic_kube_answer_warn(
			answer, "there is no campaign \"%s\"; the activation waits for it", name);
}

static bool is_past(const struct pic_kube_world *world, int64_t ms)
{
	return ms > 0 && world->now && ms <= world->now();
}

/* What is no mistake for a campaign that has run, and mostly one for a new one. */
static void hint_campaign(const struct pic_kube_world *world, const struct pic_json *spec,
			  struct pic_kube_answer *answer)
{
	const struct pic_json *stages = pic_json_get(spec, "stages");

	pic_json_each(stages, i) {
		const struct pic_json *stage = pic_json_value(i);
		struct pic_stage_window window;
		char time[PIC_TIME_TEXT];
		int64_t ms;

		if (pic_schedule_parse(pic_json_get(stage, "schedule"), &ms, NULL) == 0 &&
		    is_past(world, ms)) {
			pic_time_format(ms, time);
			pic_kube_answer_warn(answer,
					     "spec.stages.%.63s.schedule, %s, is in the past; the "
					     "stage starts as soon as it is its turn",
					     pic_json_key(i), time);
		}
		if (pic_stage_window(stage, &window, NULL) == 0 && window.given &&
		    is_past(world, window.closes_ms)) {
			pic_time_format(window.closes_ms, time);
			pic_kube_answer_warn(answer,
					     "spec.stages.%.63s.window closed at %s, in the past; "
					     "the stage will fail",
					     pic_json_key(i), time);
		}
	}
}

void pic_kube_hint(const struct pic_kube_world *world, enum pic_kind kind, const char *space,
		   const struct pic_json *wanted, struct pic_kube_answer *answer)
{
	if (kind == PIC_KIND_INSTANCE)
		hint_instance(world, space, pic_json_get(wanted, "spec"), answer);
	if (kind == PIC_KIND_CAMPAIGN)
		hint_campaign(world, pic_json_get(wanted, "spec"), answer);
	if (kind == PIC_KIND_ACTIVATION)
		hint_activation(world, space, wanted, answer);
	if (pic_json_count(pic_json_find(wanted, "metadata", "finalizers", NULL)))
		pic_kube_answer_warn(answer,
				     "metadata.finalizers is kept, but deleting does not wait "
				     "for finalizers here");
}
