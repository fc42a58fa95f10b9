/*
 * The pure parts of campaigns: schedules, windows, patches and their way back, what is found at apply, and
 * single moves of the machine.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "hub/campaign/check.h"
#include "hub/campaign/machine.h"
#include "hub/campaign/patch.h"
#include "hub/campaign/schedule.h"
#include "symphony/sample.h"
#include "symphony/yaml.h"

#define PATCH \
	"'inputs':{'objectType':'solution','objectName':'app','patchSource':'inline'," \
	"'patchContent':{'name':'m','type':'ebpf'},'patchAction':'add'}"

static int64_t schedule_of(const char *text)
{
	PIC_JSON struct pic_json *value = sample_json(text);
	struct pic_error err = PIC_ERROR_INIT;
	int64_t ms = -1;

	if (pic_schedule_parse(value, &ms, &err) < 0)
		return -1;
	return ms;
}

static void schedules_of_both_eras(void **state)
{
	int64_t wanted = 0;

	assert_int_equal(pic_time_parse("2026-11-25T00:30:15Z", &wanted), 0);
	assert_int_equal(schedule_of("'2026-11-24T16:30:15-08:00'"), wanted);
	assert_int_equal(schedule_of("{'date':'2026-11-24','time':'4:30:15PM','zone':"
				     "'America/Los_Angeles'}"),
			 wanted);
	assert_int_equal(schedule_of("{'date':'2026-11-24','time':'4:30:15PM','zone':'PST'}"),
			 wanted);
	assert_int_equal(schedule_of("{'date':'2026-11-24','time':'04:30:15 pm','zone':'PDT'}"),
			 wanted);
	assert_int_equal(schedule_of("{'date':'2026-11-25','time':'12:30:15AM','zone':'UTC'}"),
			 wanted);
	/* in summer the same city is one hour nearer */
	assert_int_equal(pic_time_parse("2026-07-01T23:00:00Z", &wanted), 0);
	assert_int_equal(schedule_of("{'date':'2026-07-01','time':'4:00:00PM','zone':'PST'}"),
			 wanted);
	assert_int_equal(schedule_of("null"), 0);
	assert_int_equal(schedule_of("''"), 0);
}

static void schedules_that_are_none(void **state)
{
	static const char *const bad[] = {
		"'tomorrow'",
		"7",
		"{'date':'2026-13-01','time':'4:00:00PM','zone':'UTC'}",
		"{'date':'2026-02-31','time':'4:00:00PM','zone':'UTC'}",
		"{'date':'2026-11-24','time':'16:00:00','zone':'UTC'}",
		"{'date':'2026-11-24','time':'13:00:00PM','zone':'UTC'}",
		"{'date':'2026-11-24','time':'4:00:00PM','zone':'Mars/Olympus'}",
		"{'date':'2026-11-24','time':'4:00:00PM','zone':'../../../etc/passwd'}",
		"{'date':'24.11.2026','time':'4:00:00PM'}",
	};

	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		if (schedule_of(bad[i]) != -1)
			fail_msg("%s is taken for a time", bad[i]);
}

static void zones_leave_no_trace(void **state)
{
	const char *before = getenv("TZ");

	schedule_of("{'date':'2026-11-24','time':'4:30:15PM','zone':'Asia/Tokyo'}");
	assert_string_equal(getenv("TZ"), before);
}

static void windows(void **state)
{
	PIC_JSON struct pic_json *length = sample_json("{'window':{'length':'2h'}}");
	PIC_JSON struct pic_json *both =
		sample_json("{'window':{'opens':'2026-11-24T16:00:00Z','length':'2h'}}");
	PIC_JSON struct pic_json *none = sample_json("{}");
	struct pic_stage_window window;
	struct pic_error err = PIC_ERROR_INIT;
	static const char *const bad[] = {
		"{'window':{}}",
		"{'window':{'length':'2h','closes':'2026-11-24T16:00:00Z'}}",
		"{'window':{'length':'0s'}}",
		"{'window':{'length':'soon'}}",
		"{'window':{'opens':'later','length':'2h'}}",
		"{'window':{'opens':'2026-11-24T16:00:00Z','closes':'2026-11-24T16:00:00Z'}}",
	};

	assert_int_equal(pic_stage_window(none, &window, &err), 0);
	assert_false(window.given);
	assert_int_equal(pic_stage_window(length, &window, &err), 0);
	assert_int_equal(window.length_ms, 7200000);
	assert_int_equal(window.opens_ms, 0);
	assert_int_equal(pic_stage_window(both, &window, &err), 0);
	assert_int_equal(window.closes_ms - window.opens_ms, 7200000);
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		PIC_JSON struct pic_json *stage = sample_json(bad[i]);

		if (pic_stage_window(stage, &window, &err) == 0)
			fail_msg("%s is taken for a window", bad[i]);
	}
}

/* Patches. */

static void assert_patch(const char *solution, const char *inputs, const char *content,
			 const char *wanted)
{
	PIC_JSON struct pic_json *before = sample_json(solution), *asked = sample_json(inputs);
	PIC_JSON struct pic_json *given = content ? sample_json(content) : NULL;
	PIC_JSON struct pic_json *back = NULL;
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_patch_make(before, asked, given, &patch, &err) < 0)
		fail_msg("%s: %s", inputs, err.text);
	if (!wanted) {
		assert_null(patch.solution);
		return;
	}
	assert_json_equal(pic_json_find(patch.solution, "spec", "components", NULL), wanted);
	/* and back */
	assert_int_equal(pic_patch_undo(patch.solution, patch.component, patch.former, patch.put,
					&back),
			 PIC_PATCH_UNDONE);
	assert_int_equal(pic_patch_undo(before, patch.component, patch.former, patch.put, &back),
			 PIC_PATCH_ALREADY);
}

static void assert_no_patch(const char *solution, const char *inputs, const char *why)
{
	PIC_JSON struct pic_json *before = sample_json(solution), *asked = sample_json(inputs);
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	struct pic_error err = PIC_ERROR_INIT;

	assert_true(pic_patch_make(before, asked, NULL, &patch, &err) < 0);
	assert_contains(err.text, why);
}

#define TWO \
	"{'spec':{'components':[{'name':'a','type':'wasm'},{'name':'b','properties':" \
	"{'list':[{'k':1,'v':1}],'map':{'l':[1]},'text':'x'}}]}}"

static void components_are_added_replaced_and_removed(void **state)
{
	assert_patch(TWO, "{'patchContent':{'name':'c'}}", NULL,
		     "[{'name':'a','type':'wasm'},{'name':'b','properties':"
		     "{'list':[{'k':1,'v':1}],'map':{'l':[1]},'text':'x'}},{'name':'c'}]");
	/* the whole component: nothing is merged */
	assert_patch(TWO, "{'patchContent':{'name':'b','type':'ebpf'},'patchAction':'add'}", NULL,
		     "[{'name':'a','type':'wasm'},{'name':'b','type':'ebpf'}]");
	assert_patch(TWO, "{'patchContent':{'name':'b'},'patchAction':'remove'}", NULL,
		     "[{'name':'a','type':'wasm'}]");
	assert_patch(TWO, "{'patchContent':{'name':'none'},'patchAction':'remove'}", NULL, NULL);
	assert_patch(TWO, "{'patchContent':{'name':'a','type':'wasm'}}", NULL, NULL);
	assert_patch("{}", "{'patchContent':{'name':'c'}}", NULL, "[{'name':'c'}]");
	assert_patch(TWO, "{'patchContent':'config'}", "{'name':'c','type':'wasm'}",
		     "[{'name':'a','type':'wasm'},{'name':'b','properties':"
		     "{'list':[{'k':1,'v':1}],'map':{'l':[1]},'text':'x'}},"
		     "{'name':'c','type':'wasm'}]");
	assert_no_patch(TWO, "{'patchContent':{'type':'x'}}", "the name of a component");
	assert_no_patch(TWO, "{'patchContent':'text'}", "must be an object");
	assert_no_patch(TWO, "{'patchContent':{'name':'c'},'patchAction':'merge'}",
			"add or remove");
}

static void lists_inside_of_components(void **state)
{
	assert_patch(
		TWO,
		"{'component':'b','property':'list','dedupKey':'k','patchContent':{'k':1,'v':2}}",
		NULL,
		"[{'name':'a','type':'wasm'},{'name':'b','properties':"
		"{'list':[{'k':1,'v':2}],'map':{'l':[1]},'text':'x'}}]");
	assert_patch(TWO,
		     "{'component':'b','property':'list','dedupKey':'k','patchContent':{'k':2}}",
		     NULL,
		     "[{'name':'a','type':'wasm'},{'name':'b','properties':"
		     "{'list':[{'k':1,'v':1},{'k':2}],'map':{'l':[1]},'text':'x'}}]");
	assert_patch(TWO, "{'component':'b','property':'map','subKey':'l','patchContent':{'n':2}}",
		     NULL,
		     "[{'name':'a','type':'wasm'},{'name':'b','properties':"
		     "{'list':[{'k':1,'v':1}],'map':{'l':[1,{'n':2}]},'text':'x'}}]");
	assert_patch(TWO,
		     "{'component':'b','property':'list','dedupKey':'k','patchAction':'remove',"
		     "'patchContent':{'k':1}}",
		     NULL,
		     "[{'name':'a','type':'wasm'},{'name':'b','properties':"
		     "{'list':[],'map':{'l':[1]},'text':'x'}}]");
	assert_no_patch(TWO, "{'component':'z','property':'list','patchContent':{}}",
			"no component z");
	assert_no_patch(TWO, "{'component':'b','property':'z','patchContent':{}}",
			"no property \"z\"");
	assert_no_patch(TWO, "{'component':'b','property':'text','patchContent':{}}",
			"is not a list");
}

static void what_a_user_changed_stays(void **state)
{
	PIC_JSON struct pic_json *solution =
		sample_json("{'spec':{'components':[{'name':'m','type':'mine'}]}}");
	PIC_JSON struct pic_json *gone = sample_json("{'spec':{'components':[]}}");
	PIC_JSON struct pic_json *former = sample_json("{'name':'m','type':'old'}");
	PIC_JSON struct pic_json *put = sample_json("{'name':'m','type':'ours'}");
	PIC_JSON struct pic_json *none = sample_json("null"), *out = NULL;

	assert_int_equal(pic_patch_undo(solution, "m", former, put, &out), PIC_PATCH_NOT_OURS);
	assert_int_equal(pic_patch_undo(gone, "m", former, put, &out), PIC_PATCH_NOT_OURS);
	assert_int_equal(pic_patch_undo(gone, "m", none, put, &out), PIC_PATCH_ALREADY);
	assert_null(out);
}

static void names_of_patches(void **state)
{
	PIC_JSON struct pic_json *later = sample_json(
		"{'objectType':'solutionversion','objectName':'app:v1','patchSource':'inline'}");
	PIC_JSON struct pic_json *other = sample_json("{'objectType':'target','objectName':'a'}");
	PIC_JSON struct pic_json *catalog =
		sample_json("{'objectType':'solution','objectName':'app','patchContent':'c'}");
	struct pic_patch_names names;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_patch_names(later, &names, &err), 0);
	assert_string_equal(names.solution, "app-v-v1");
	assert_string_equal(names.catalog, "");
	assert_int_equal(pic_patch_names(catalog, &names, &err), 0);
	assert_string_equal(names.catalog, "c");
	assert_true(pic_patch_names(other, &names, &err) < 0);
	assert_contains(err.text, "objectType must be solution, not \"target\"");
}

/* What is found at apply. */

static void assert_finding(const char *spec, const char *path, const char *text)
{
	PIC_JSON struct pic_json *json = pic_json_new_object();
	struct pic_findings findings = { .count = 0 };

	pic_json_set(json, "spec", sample_json(spec));
	pic_campaign_check(PIC_KIND_CAMPAIGN, NULL, json, &findings);
	if (!path) {
		if (findings.count)
			fail_msg("%s: %s: %s", spec, findings.items[0].path,
				 findings.items[0].text);
		return;
	}
	for (size_t i = 0; i < findings.count && i < PIC_COUNT(findings.items); i++)
		if (strcmp(findings.items[i].path, path) == 0 &&
		    strstr(findings.items[i].text, text))
			return;
	fail_msg("%s: nothing like \"%s\" at %s; first of %zu: %s: %s", spec, text, path,
		 findings.count, findings.items[0].path, findings.items[0].text);
}

static void bad_references_name_the_stage(void **state)
{
#define ONE(body) \
	"{'firstStage':'a','stages':{'a':{" body \
	"},'p':{'provider':'providers.stage.patch'," PATCH "}}}"
#define S "spec.stages.a."
	assert_finding("{'firstStage':'a','stages':{}}", "spec.stages", "required");
	assert_finding("{'stages':{'a':{'provider':'providers.stage.mock'}}}", "spec.firstStage",
		       "required");
	assert_finding("{'firstStage':'b','stages':{'a':{'provider':'providers.stage.mock'}}}",
		       "spec.firstStage", "there is no stage \"b\"");
	assert_finding(ONE(""), S "provider", "required");
	assert_finding(ONE("'provider':'providers.stage.moc'"), S "provider",
		       "did you mean \"providers.stage.mock\"?");
	assert_finding(ONE("'provider':'providers.stage.script'"), S "provider", "no provider");
	assert_finding(ONE("'provider':'providers.stage.mock','stageSelector':'q'"),
		       S "stageSelector", "there is no stage \"q\"");
	assert_finding(ONE("'provider':'providers.stage.mock','stageSelector':"
			   "'${{$if(true, p, qq)}}'"),
		       S "stageSelector", "there is no stage \"qq\"");
	assert_finding(ONE("'provider':'providers.stage.mock','stageSelector':'a'"),
		       S "stageSelector", "leads to itself");
	assert_finding(ONE("'provider':'providers.stage.delay','config':{'delay':'1s'},"
			   "'stageSelector':'a'"),
		       NULL, NULL);
	assert_finding(ONE("'provider':'providers.stage.mock','schedule':'soon'"), S "schedule",
		       "must be a time");
	assert_finding(ONE("'provider':'providers.stage.mock','window':{'length':'2h'}"),
		       S "window", "only a stage with providers.stage.patch");
	assert_finding(ONE("'provider':'providers.stage.patch','window':{'length':'x'}," PATCH),
		       S "window", "length");
	assert_finding(ONE("'provider':'providers.stage.approval'"), S "inputs.approves.stage",
		       "required");
	assert_finding(ONE("'provider':'providers.stage.approval','config':{'approves':{'stage':"
			   "'none'}}"),
		       S "config.approves.stage", "there is no stage \"none\"");
	assert_finding(ONE("'provider':'providers.stage.approval','config':{'approves':{'stage':"
			   "'a'}}"),
		       S "config.approves.stage", "is no patch");
	assert_finding(ONE("'provider':'providers.stage.approval','config':{'approves':{'stage':"
			   "'p'},'expires':'x'}"),
		       S "config.expires", "time span");
	assert_finding(ONE("'provider':'providers.stage.approval','config':{'approves':{'stage':"
			   "'p'},'expires':'24h'},'stageSelector':'p'"),
		       NULL, NULL);
	assert_finding(ONE("'provider':'providers.stage.http'"), S "inputs.url", "required");
	assert_finding(ONE("'provider':'providers.stage.http','config':{'url':'ftp://x'}"),
		       S "config.url", "http://");
	assert_finding(ONE("'provider':'providers.stage.http','config':{'url':"
			   "'http://169.254.169.254/'}"),
		       S "config.url", "link-local");
	assert_finding(ONE("'provider':'providers.stage.patch','inputs':{'objectType':'target'}"),
		       S "inputs", "objectType must be solution");
	assert_finding(ONE("'provider':'providers.stage.delay','config':{'delay':'x'}"),
		       S "config.delay", "time span");
	assert_finding(ONE("'provider':'providers.stage.mock','contexts':'x'"), S "contexts",
		       "leave it out");
	assert_finding(ONE("'name':'b','provider':'providers.stage.mock'"), S "name",
		       "must be \"a\"");
}

/* The published files with nothing but the addresses changed (symphony-protocol.md 7.7). */
#define PUBLISHED_APPROVAL(next) \
	"'approval':{'name':'approval','provider':'providers.stage.http','config':{'url':" \
	"'http://127.0.0.1:9/approve','method':'GET','successCodes':[200]},'stageSelector':" \
	"'${{$if($equal($output(approval,status), 200),\\'patch\\',\\'" next "\\')}}'},"
#define PUBLISHED_PATCH(name, next, more) \
	"'" name "':{'name':'" name "','provider':'providers.stage.patch','config':{'baseUrl':" \
	"'http://symphony-service:8080/v1alpha2/','user':'admin','password':''},'inputs':{" \
	"'objectType':'solution','objectName':'tiny-app','patchSource':'inline','patchContent':{" \
	"'name':'ebpf-module','type':'ebpf','properties':{'ebpf.url':'http://127.0.0.1/hello.bpf.o'," \
	"'ebpf.name':'hello','ebpf.event':'xdp'}},'patchAction':'add'},'stageSelector':'" next \
	"'" more "}"

static struct pic_json *published(const char *text)
{
	PIC_BUF struct pic_buf plain = PIC_BUF_INIT(1 << 16);
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	for (const char *c = text; *c; c++) {
		if (c[0] == '\\' && c[1] == '\'')
			pic_buf_char(&plain, *++c);
		else
			pic_buf_char(&plain, *c == '\'' ? '"' : *c);
	}
	if (pic_json_parse(&value, pic_buf_text(&plain), plain.size, &err) < 0)
		fail_msg("%s", err.text);
	return value;
}

static size_t findings_of(const char *spec, struct pic_findings *findings)
{
	PIC_JSON struct pic_json *json = pic_json_new_object();

	findings->count = 0;
	pic_json_set(json, "apiVersion", pic_json_new_text("workflow.symphony/v1"));
	pic_json_set_text(json, "kind", "Campaign");
	pic_json_set_text(pic_json_ensure_object(json, "metadata"), "name", "ebpf-approval");
	pic_json_set(json, "spec", published(spec));
	pic_object_validate(PIC_KIND_CAMPAIGN, json, findings);
	pic_campaign_check(PIC_KIND_CAMPAIGN, NULL, json, findings);
	return findings->count;
}

static void the_published_files(void **state)
{
	struct pic_findings findings;

	if (findings_of(
		    "{'name':'ebpf-approval','firstStage':'approval','selfDriving':true,"
		    "'stages':{" PUBLISHED_APPROVAL("end") PUBLISHED_PATCH(
			    "patch", "",
			    "") ",'end':{'name':'end','provider':'providers.stage.mock','stageSelector':"
				"''}}}",
		    &findings))
		fail_msg("%s: %s", findings.items[0].path, findings.items[0].text);
	/* the one with the schedule never ends; that is said before it does harm */
	assert_int_equal(
		findings_of(
			"{'firstStage':'approval','selfDriving':true,'stages':{" PUBLISHED_APPROVAL(
				"")
				PUBLISHED_PATCH(
					"patch", "remove",
					",'schedule':{'date':'2023-10-23','time':'4:00:00PM','zone':"
					"'America/Los_Angeles'}") "," PUBLISHED_PATCH("remove",
										      "remove",
										      ",'schedule':'2023-10-23T16:00:00-08:00'") "}}",
			&findings),
		1);
	assert_string_equal(findings.items[0].path, "spec.stages.remove.stageSelector");
	assert_contains(findings.items[0].text, "leave the selector empty");
}

static void our_samples_are_clean(void **state)
{
	static const char *const files[] = { "campaign.yaml", "campaign-schedule.yaml" };

	for (size_t i = 0; i < PIC_COUNT(files); i++) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 16);
		PIC_CLEANUP(pic_yaml_free) struct pic_yaml yaml = { .count = 0 };
		struct pic_findings findings = { .count = 0 };
		struct pic_error err = PIC_ERROR_INIT;
		char path[512];

		snprintf(path, sizeof(path), "%s/samples/tiny-edge/%s", PIC_TEST_SOURCE_DIR,
			 files[i]);
		if (pic_file_read_path(path, &text, &err) < 0 ||
		    pic_yaml_parse(&yaml, pic_buf_text(&text), text.size, files[i], &err) < 0)
			fail_msg("%s", err.text);
		pic_object_validate(PIC_KIND_CAMPAIGN, yaml.documents[0].value, &findings);
		pic_campaign_check(PIC_KIND_CAMPAIGN, NULL, yaml.documents[0].value, &findings);
		if (findings.count)
			fail_msg("%s: %s: %s", files[i], findings.items[0].path,
				 findings.items[0].text);
	}
}

static void an_activation_runs_once(void **state)
{
	SAMPLE_OBJECT *live = sample_object(PIC_KIND_ACTIVATION,
					    "{'metadata':{'name':'a'},'spec':{'campaign':'c'},"
					    "'status':{'run':{'campaign':{}}}}");
	PIC_JSON struct pic_json *same = sample_json("{'spec':{'campaign':'c'}}");
	PIC_JSON struct pic_json *other = sample_json("{'spec':{'campaign':'d'}}");
	struct pic_findings findings = { .count = 0 };

	pic_campaign_check(PIC_KIND_ACTIVATION, live, same, &findings);
	assert_int_equal(findings.count, 0);
	pic_campaign_check(PIC_KIND_ACTIVATION, live, other, &findings);
	assert_int_equal(findings.count, 1);
	assert_contains(findings.items[0].text, "runs once");
}

/* Moves of the machine. */

static struct pic_json *step(struct pic_object **activation, const char *campaign,
			     struct pic_outcome *outcome)
{
	PIC_JSON struct pic_json *spec = campaign ? published(campaign) : NULL;
	struct pic_machine_output out;
	struct pic_machine_place place;
	struct pic_error err = PIC_ERROR_INIT;

	pic_machine_place(*activation, &place);
	const struct pic_machine_input input = { .activation = *activation,
						 .campaign = spec,
						 .outcome = outcome,
						 .number = place.number,
						 .now_ms = 1800000000000 };
	if (pic_machine_step(&input, &out, &err) < 0)
		fail_msg("%s", err.text);
	if (out.status) {
		struct pic_json *json = pic_json_copy((*activation)->json);

		pic_json_set(json, "status", pic_json_ref(out.status));
		pic_object_unref(*activation);
		assert_int_equal(pic_object_new(activation, PIC_KIND_ACTIVATION, json, &err), 0);
	}
	if (outcome)
		pic_outcome_free(outcome);
	pic_machine_output_free(&out);
	return pic_object_status(*activation);
}

static struct pic_object *new_activation(void)
{
	return sample_object(PIC_KIND_ACTIVATION,
			     "{'metadata':{'name':'a','namespace':'default','uid':'u',"
			     "'generation':1},'spec':{'campaign':'c'}}");
}

/* As published: the answer 403 leads to the stage "end", and the run is done. */
static void a_rejection_is_no_internal_error(void **state)
{
	static const char campaign[] = "{'firstStage':'approval','stages':{" PUBLISHED_APPROVAL(
		"end")
		PUBLISHED_PATCH("patch", "", "") ",'end':{'provider':'providers.stage.mock'}}}";
	SAMPLE_OBJECT *activation = new_activation();
	struct pic_outcome no = { .kind = PIC_OUTCOME_FAILED };
	struct pic_outcome done = { .kind = PIC_OUTCOME_DONE };

	step(&activation, campaign, NULL);
	pic_outcome_fail(&no, 403, "unexpected status code 403");
	no.is_answer = true;
	no.outputs = sample_json("{'status':403,'body':'no'}");
	const struct pic_json *status = step(&activation, NULL, &no);
	assert_string_equal(pic_json_get_text(status, "stage"), "end");
	assert_string_equal(pic_json_get_text(status, "statusMessage"), "Running");
	status = step(&activation, NULL, &done);
	assert_string_equal(pic_json_get_text(status, "statusMessage"), "Done");
	const struct pic_json *history = pic_json_get(status, "stageHistory");
	assert_int_equal(pic_json_count(history), 2);
	assert_string_equal(pic_json_get_text(pic_json_at(history, 0), "statusMessage"),
			    "Forbidden");
	assert_string_equal(pic_json_get_text(pic_json_at(history, 0), "nextStage"), "end");
}

static void a_rejection_with_nothing_to_follow(void **state)
{
	static const char campaign[] = "{'firstStage':'approval','stages':{" PUBLISHED_APPROVAL("")
		PUBLISHED_PATCH("patch", "", "") "}}";
	SAMPLE_OBJECT *activation = new_activation();
	struct pic_outcome no = { .kind = PIC_OUTCOME_FAILED };

	step(&activation, campaign, NULL);
	pic_outcome_fail(&no, 403, "rejected by somebody");
	no.is_answer = true;
	no.outputs = sample_json("{'status':403}");
	const struct pic_json *status = step(&activation, NULL, &no);
	assert_string_equal(pic_json_get_text(status, "statusMessage"), "Forbidden");
	assert_string_equal(pic_json_get_text(status, "statusDetails"), "rejected by somebody");
	assert_int_equal(pic_json_true(pic_json_get(status, "isActive")), false);
}

static void outputs_in_both_eras_words(void **state)
{
	SAMPLE_OBJECT *activation = new_activation();
	struct pic_outcome done = { .kind = PIC_OUTCOME_DONE };

	step(&activation,
	     "{'firstStage':'a','stages':{'a':{'stageSelector':"
	     "'${{$if($equal($output(a,__status),200),b,c)}}'},'b':{},'c':{}}}",
	     NULL);
	done.outputs = sample_json("{'foo':1}");
	const struct pic_json *status = step(&activation, NULL, &done);
	assert_string_equal(pic_json_get_text(status, "stage"), "b");
	assert_json_equal(pic_json_find(status, "run", "outputs", "a", NULL),
			  "{'foo':1,'status':200,'__status':200}");
}

static void a_start_that_cannot_be(void **state)
{
	SAMPLE_OBJECT *waits = new_activation();
	SAMPLE_OBJECT *wrong = sample_object(
		PIC_KIND_ACTIVATION, "{'metadata':{'name':'a','namespace':'default','uid':'u'},"
				     "'spec':{'campaign':'c','stage':'z'}}");
	const struct pic_json *status = step(&waits, NULL, NULL);

	assert_contains(pic_json_get_text(status, "statusDetails"), "waits for campaign c");
	status = step(&waits, "{'firstStage':'a','stages':{'a':{}}}", NULL);
	assert_string_equal(pic_json_get_text(status, "stage"), "a");
	status = step(&wrong, "{'firstStage':'a','stages':{'a':{}}}", NULL);
	assert_string_equal(pic_json_get_text(status, "statusMessage"), "Bad Request");
	assert_contains(pic_json_get_text(status, "errorMessage"), "stage z is not found");
}

static void one_stage_when_it_does_not_drive_itself(void **state)
{
	SAMPLE_OBJECT *activation = new_activation();
	struct pic_outcome done = { .kind = PIC_OUTCOME_DONE };

	step(&activation,
	     "{'firstStage':'a','selfDriving':false,'stages':{'a':{'stageSelector':'b'},'b':{}}}",
	     NULL);
	assert_string_equal(pic_json_get_text(step(&activation, NULL, &done), "statusMessage"),
			    "Done");
}

static int prepare(void **state)
{
	pic_schedule_prepare();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_of_both_eras),
		cmocka_unit_test(schedules_that_are_none),
		cmocka_unit_test(zones_leave_no_trace),
		cmocka_unit_test(windows),
		cmocka_unit_test(components_are_added_replaced_and_removed),
		cmocka_unit_test(lists_inside_of_components),
		cmocka_unit_test(what_a_user_changed_stays),
		cmocka_unit_test(names_of_patches),
		cmocka_unit_test(bad_references_name_the_stage),
		cmocka_unit_test(the_published_files),
		cmocka_unit_test(our_samples_are_clean),
		cmocka_unit_test(an_activation_runs_once),
		cmocka_unit_test(a_rejection_is_no_internal_error),
		cmocka_unit_test(a_rejection_with_nothing_to_follow),
		cmocka_unit_test(outputs_in_both_eras_words),
		cmocka_unit_test(a_start_that_cannot_be),
		cmocka_unit_test(one_stage_when_it_does_not_drive_itself),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
