#include "hub/campaign/machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "hub/campaign/machine_expression.h"
#include "hub/campaign/schedule.h"

#define RETRIES_MAX 100
#define RETRY_FIRST_MS 2000
#define RETRY_LAST_MS 30000

/* One step under way: a copy of the status, changed in place. */
struct step {
	const struct pic_machine_input *input;
	struct pic_machine_output *out;
	struct pic_json *status, *run, *history;
};

static bool rule(const struct step *step, enum pic_machine_rule bit)
{
	return !(step->input->broken & bit);
}

void pic_outcome_free(struct pic_outcome *outcome)
{
	pic_json_unref(outcome->outputs);
	pic_json_unref(outcome->memo);
	pic_json_unref(outcome->inputs);
	*outcome = (struct pic_outcome){ .kind = PIC_OUTCOME_FAILED };
}

void pic_outcome_fail(struct pic_outcome *outcome, int status, const char *format, ...)
{
	va_list arguments;

	outcome->kind = PIC_OUTCOME_FAILED;
	outcome->status = status;
	va_start(arguments, format);
	vsnprintf(outcome->text, sizeof(outcome->text), format, arguments);
	va_end(arguments);
	outcome->text[pic_utf8_cut(outcome->text, strlen(outcome->text))] = '\0';
}

void pic_machine_output_free(struct pic_machine_output *output)
{
	pic_json_unref(output->status);
	output->status = NULL;
}

/* Reading and writing the status. */

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static int64_t number_of(const struct pic_json *object, const char *key)
{
	long long number = 0;

	pic_json_integer(pic_json_get(object, key), &number);
	return number;
}

static void set_state(struct step *step, const char *state, int status)
{
	pic_json_set_text(step->run, "state", state);
	pic_json_set_integer(step->status, "status", status);
	pic_json_set_text(step->status, "statusMessage", pic_stage_state_name(status));
	pic_json_set_bool(step->status, "isActive",
			  status == PIC_STAGE_RUNNING || status == PIC_STAGE_PAUSED);
}

static void set_until(struct step *step, int64_t until_ms)
{
	if (until_ms > 0)
		pic_json_set_integer(step->run, "untilMs", until_ms);
	else
		pic_json_delete(step->run, "untilMs");
}

static void set_details(struct step *step, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void set_details(struct step *step, const char *format, ...)
{
	char text[PIC_MACHINE_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	text[pic_utf8_cut(text, strlen(text))] = '\0';
	pic_json_set_text(step->status, "statusDetails", text);
}

static void tell(struct step *step, bool is_warning, const char *reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void tell(struct step *step, bool is_warning, const char *reason, const char *format, ...)
{
	struct pic_machine_output *out = step->out;
	va_list arguments;

	out->is_warning = is_warning;
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	va_start(arguments, format);
	vsnprintf(out->message, sizeof(out->message), format, arguments);
	va_end(arguments);
	out->message[pic_utf8_cut(out->message, strlen(out->message))] = '\0';
}

/* History. */

static struct pic_json *last_entry(const struct step *step)
{
	size_t count = pic_json_count(step->history);

	return count ? pic_json_at(step->history, count - 1) : NULL;
}

/* The same stage again takes the place of its entry, as in Symphony. */
static void open_entry(struct step *step, const char *stage)
{
	struct pic_json *last = last_entry(step);
	struct pic_json *entry = pic_json_new_object();
	char time[PIC_TIME_TEXT];

	pic_time_format(step->input->now_ms, time);
	pic_json_set_text(entry, "stage", stage);
	pic_json_set_text(entry, "nextStage", "");
	pic_json_set_integer(entry, "status", PIC_STAGE_RUNNING);
	pic_json_set_text(entry, "statusMessage", pic_stage_state_name(PIC_STAGE_RUNNING));
	pic_json_set_text(entry, "errorMessage", "");
	pic_json_set_bool(entry, "isActive", true);
	pic_json_set_text(entry, "startedAt", time);
	if (last && strcmp(text_of(last, "stage"), stage) == 0)
		pic_json_remove_at(step->history, pic_json_count(step->history) - 1);
	pic_json_append(step->history, entry);
	while (pic_json_count(step->history) > PIC_MACHINE_HISTORY_MAX &&
	       rule(step, PIC_MACHINE_RULE_HISTORY_IS_BOUNDED))
		pic_json_remove_at(step->history, 0);
}

static void close_entry(struct step *step, const char *next, int status, const char *why)
{
	struct pic_json *entry = last_entry(step);
	char time[PIC_TIME_TEXT];

	if (!entry)
		return;
	pic_time_format(step->input->now_ms, time);
	pic_json_set_text(entry, "nextStage", next);
	pic_json_set_integer(entry, "status", status);
	pic_json_set_text(entry, "statusMessage", pic_stage_state_name(status));
	pic_json_set_text(entry, "errorMessage", why);
	pic_json_set_bool(entry, "isActive", false);
	pic_json_set_text(entry, "endedAt", time);
}

/* Moves. */

/* The whole run is over. */
static void finish(struct step *step, int status, const char *why)
{
	set_state(step, "Finished", status);
	set_until(step, 0);
	pic_json_delete(step->run, "memo");
	pic_json_set_text(step->status, "nextStage", "");
	pic_json_set_text(step->status, "errorMessage", status == PIC_STAGE_DONE ? "" : why);
	set_details(step, "%s", why);
	step->out->action = PIC_MACHINE_NOTHING;
	step->out->is_finished = true;
	if (status == PIC_STAGE_DONE)
		tell(step, false, "Done", "all stages are done");
	else
		tell(step, true, "Ended", "%s", why);
}

static void act(struct step *step)
{
	set_state(step, "Acting", PIC_STAGE_RUNNING);
	set_until(step, 0);
	step->out->action = PIC_MACHINE_ACT;
}

static void sleep_until(struct step *step, int64_t until_ms)
{
	set_until(step, until_ms);
	step->out->action = until_ms > 0 ? PIC_MACHINE_SLEEP : PIC_MACHINE_NOTHING;
	step->out->until_ms = until_ms;
}

static void enter(struct step *step, const char *stage, const char *previous)
{
	const struct pic_json *found = pic_stage_find(pic_json_get(step->run, "campaign"), stage);
	int64_t number = number_of(step->run, "number"), starts_ms = 0;
	struct pic_error why = PIC_ERROR_INIT;
	char time[PIC_TIME_TEXT];

	if (number >= PIC_MACHINE_RUNS_MAX && rule(step, PIC_MACHINE_RULE_RUNS_ARE_BOUNDED)) {
		finish(step, 500, "it went through 10000 stages without an end");
		return;
	}
	pic_json_set_integer(step->run, "number",
			     number + (rule(step, PIC_MACHINE_RULE_NEW_RUN_NEW_NUMBER) ||
				       number == 0));
	pic_json_set_text(step->run, "previous", previous);
	pic_json_set_text(step->run, "stage", stage);
	pic_json_set_integer(step->run, "attempt", 0);
	pic_json_delete(step->run, "memo");
	pic_json_set_text(step->status, "stage", stage);
	pic_json_set_text(step->status, "nextStage", "");
	pic_json_set_text(step->status, "errorMessage", "");
	pic_json_set(step->status, "inputs", pic_json_new_object());
	pic_json_set(step->status, "outputs", pic_json_new_object());
	open_entry(step, stage);
	if (pic_schedule_parse(pic_json_get(found, "schedule"), &starts_ms, &why) < 0) {
		finish(step, 400, why.text);
		return;
	}
	set_details(step, "stage %s is running", stage);
	if (starts_ms <= step->input->now_ms) {
		act(step);
		return;
	}
	pic_time_format(starts_ms, time);
	set_state(step, "Scheduled", PIC_STAGE_PAUSED);
	set_details(step, "stage %s starts at %s", stage, time);
	sleep_until(step, starts_ms);
	tell(step, false, "Scheduled", "stage %s starts at %s", stage, time);
}

/* Outcomes. */

static size_t json_size(const struct pic_json *value)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(8 * PIC_MACHINE_OUTPUTS_MAX);

	return pic_json_write(value, PIC_JSON_COMPACT, &text) < 0 ? SIZE_MAX : text.size;
}

/* The stage's outputs in both eras' words; what is too large is left out, and says so. */
static void keep_outputs(struct step *step, const struct pic_outcome *outcome, int status)
{
	struct pic_json *kept = pic_json_new_object();
	const char *stage = text_of(step->run, "stage");

	if (json_size(outcome->outputs) <= PIC_MACHINE_OUTPUTS_MAX)
		pic_json_each(outcome->outputs, i)
			pic_json_set(kept, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	else if (outcome->outputs)
		pic_json_set_bool(kept, "__truncated", true);
	if (!pic_json_get(kept, "status"))
		pic_json_set_integer(kept, "status", status);
	pic_json_set_integer(kept, "__status", status);
	if (outcome->kind == PIC_OUTCOME_FAILED) {
		pic_json_set_text(kept, "error", outcome->text);
		pic_json_set_text(kept, "__error", outcome->text);
	}
	pic_json_set(pic_json_ensure_object(step->run, "outputs"), stage, pic_json_ref(kept));
	pic_json_set(step->status, "outputs", pic_json_ref(kept));
	pic_json_set(last_entry(step), "outputs", kept);
}

static void keep_inputs(struct step *step, const struct pic_outcome *outcome)
{
	if (!outcome->inputs || json_size(outcome->inputs) > PIC_MACHINE_OUTPUTS_MAX)
		return;
	pic_json_set(step->status, "inputs", pic_json_ref(outcome->inputs));
	pic_json_set(last_entry(step), "inputs", pic_json_ref(outcome->inputs));
}

/* Whether the stage is tried again, and that it is. */
static bool retry(struct step *step, const struct pic_json *stage,
		  const struct pic_outcome *outcome)
{
	const struct pic_json *wanted = pic_json_get(stage, "retry");
	int64_t most = number_of(wanted, "maxRetries"), attempt = number_of(step->run, "attempt");
	int64_t pause_ms = 0;

	if (most > RETRIES_MAX)
		most = RETRIES_MAX;
	if (outcome->kind != PIC_OUTCOME_FAILED || outcome->is_answer || most <= 0 ||
	    (attempt >= most && rule(step, PIC_MACHINE_RULE_RETRIES_ARE_BOUNDED)))
		return false;
	if (pic_stage_duration(pic_json_get(wanted, "interval"), &pause_ms, NULL) < 0 ||
	    pause_ms == 0) {
		pause_ms = RETRY_FIRST_MS << (attempt < 4 ? attempt : 4);
		pause_ms = pause_ms > RETRY_LAST_MS ? RETRY_LAST_MS : pause_ms;
	}
	pic_json_set_integer(step->run, "number", number_of(step->run, "number") + 1);
	pic_json_set_integer(step->run, "attempt", attempt + 1);
	pic_json_delete(step->run, "memo");
	set_state(step, "Waiting", PIC_STAGE_RUNNING);
	set_details(step, "is tried again: %s", outcome->text);
	sleep_until(step, step->input->now_ms + pause_ms);
	tell(step, true, "Retry", "stage %s is tried again: %s", text_of(step->run, "stage"),
	     outcome->text);
	return true;
}

/* The next stage's name in `out`, "" for none; -EINVAL with why. */
static int select_next(struct step *step, const struct pic_json *stage, char out[PIC_NAME_MAX + 1],
		       struct pic_error *why)
{
	const char *selector = text_of(stage, "stageSelector");
	struct pic_expression_context context;
	PIC_JSON struct pic_json *inputs = NULL, *value = NULL;

	pic_machine_context(step->input->activation, text_of(step->run, "stage"),
			    pic_json_get(step->run, "outputs"), &inputs, &context);
	int r = pic_expression_evaluate(selector, &context, &value, why);

	if (r < 0)
		return pic_error_wrap(why, r, "the stageSelector of %s",
				      text_of(step->run, "stage"));
	if (pic_json_type(value) == PIC_JSON_NULL) {
		*out = '\0';
		return 0;
	}
	const char *name = pic_json_text(value);
	if (!name || strlen(name) > PIC_NAME_MAX)
		return pic_error_set(why, -EINVAL,
				     "the stageSelector of %s gives no name of a stage",
				     text_of(step->run, "stage"));
	strcpy(out, name);
	return 0;
}

/* Whether what the selector names may follow this end of a stage. */
static bool may_follow(const struct step *step, const struct pic_json *stage,
		       const struct pic_json *next, const struct pic_outcome *outcome)
{
	bool chosen = pic_stage_is_expression(pic_json_get(stage, "stageSelector"));

	if (outcome->kind == PIC_OUTCOME_DONE)
		return true;
	if (outcome->is_answer && chosen && rule(step, PIC_MACHINE_RULE_ANSWER_MAY_CHOOSE))
		return true;
	return pic_json_true(pic_json_get(next, "handleErrors")) ||
	       !rule(step, PIC_MACHINE_RULE_FAILURE_NEEDS_HANDLER);
}

/* The stage has ended: what follows. */
static void go_on(struct step *step, const struct pic_outcome *outcome, int status)
{
	const struct pic_json *campaign = pic_json_get(step->run, "campaign");
	const char *name = text_of(step->run, "stage");
	const struct pic_json *stage = pic_stage_find(campaign, name);
	char next[PIC_NAME_MAX + 1] = "", from[PIC_NAME_MAX + 1];
	struct pic_error why = PIC_ERROR_INIT;
	bool one_stage = pic_json_type(pic_json_get(campaign, "selfDriving")) == PIC_JSON_BOOL &&
			 !pic_json_true(pic_json_get(campaign, "selfDriving"));

	snprintf(from, sizeof(from), "%s", name);
	if (!one_stage && select_next(step, stage, next, &why) < 0) {
		close_entry(step, "", 500, why.text);
		finish(step, 500, why.text);
		return;
	}
	const struct pic_json *found = *next ? pic_stage_find(campaign, next) : NULL;
	if (*next && !found && rule(step, PIC_MACHINE_RULE_UNKNOWN_ENDS)) {
		snprintf(why.text, sizeof(why.text), "stage %s is not found", next);
		close_entry(step, "", 400, why.text);
		finish(step, 400, why.text);
		return;
	}
	if (!*next || !found || !may_follow(step, stage, found, outcome)) {
		close_entry(step, "", status, outcome->text);
		finish(step, status, outcome->text);
		return;
	}
	close_entry(step, next, status, outcome->text);
	enter(step, next, from);
	if (!*step->out->reason)
		tell(step, outcome->kind == PIC_OUTCOME_FAILED, "StageEnded",
		     "stage %s has ended%s%s; %s is next", from, *outcome->text ? ": " : "",
		     outcome->text, next);
}

static void end_stage(struct step *step, const struct pic_outcome *outcome)
{
	const struct pic_json *stage =
		pic_stage_find(pic_json_get(step->run, "campaign"), text_of(step->run, "stage"));
	int failed = outcome->status ? outcome->status : 500;
	int status = outcome->kind == PIC_OUTCOME_DONE ? 200 : failed;

	keep_inputs(step, outcome);
	if (retry(step, stage, outcome))
		return;
	keep_outputs(step, outcome, status);
	go_on(step, outcome, status == 200 ? PIC_STAGE_DONE : status);
}

static void wait(struct step *step, const struct pic_outcome *outcome)
{
	keep_inputs(step, outcome);
	set_state(step, "Waiting", outcome->is_paused ? PIC_STAGE_PAUSED : PIC_STAGE_RUNNING);
	if (outcome->memo && rule(step, PIC_MACHINE_RULE_MEMO_IS_KEPT))
		pic_json_set(step->run, "memo", pic_json_ref(outcome->memo));
	else
		pic_json_delete(step->run, "memo");
	set_details(step, "%s", outcome->text);
	sleep_until(step, outcome->until_ms);
	if (*outcome->text)
		tell(step, false, "Waiting", "stage %s: %s", text_of(step->run, "stage"),
		     outcome->text);
}

/* Looks: what is due. */

static void start(struct step *step)
{
	const struct pic_machine_input *input = step->input;
	const struct pic_json *spec = pic_object_spec(input->activation);
	const char *first = text_of(spec, "stage");
	char campaign[PIC_OBJECT_NAME_MAX + 1] = "", generation[24];
	PIC_BUF struct pic_buf why = PIC_BUF_INIT(1024);

	pic_stage_campaign_name(input->activation, campaign);
	if (!input->campaign) {
		set_state(step, "", PIC_STAGE_PAUSED);
		set_details(step, "waits for campaign %s, which does not exist", campaign);
		return;
	}
	snprintf(generation, sizeof(generation), "%lld", (long long)input->activation->generation);
	pic_json_set_text(step->status, "activationGeneration", generation);
	if (json_size(input->campaign) > PIC_MACHINE_CAMPAIGN_MAX) {
		finish(step, 400, "the campaign is too large to be run");
		return;
	}
	pic_json_set(step->run, "campaign", pic_json_copy(input->campaign));
	if (input->refusal) {
		finish(step, 404, input->refusal);
		return;
	}
	if (!*first)
		first = text_of(input->campaign, "firstStage");
	if (!pic_stage_find(input->campaign, first)) {
		pic_buf_format(&why, "stage %.63s is not found in campaign %s", first, campaign);
		finish(step, 400, pic_buf_text(&why));
		return;
	}
	enter(step, first, "");
	if (!*step->out->reason)
		tell(step, false, "Started", "campaign %s begins with stage %s", campaign, first);
}

static void look(struct step *step)
{
	const struct pic_machine_input *input = step->input;
	const char *state = text_of(step->run, "state");
	int64_t until_ms = number_of(step->run, "untilMs");
	bool is_due = (until_ms > 0 && until_ms <= input->now_ms) ||
		      !rule(step, PIC_MACHINE_RULE_NOT_BEFORE_ITS_TIME);

	if (!*state) {
		start(step);
		return;
	}
	if (strcmp(state, "Finished") == 0)
		return;
	if (strcmp(state, "Acting") == 0) {
		step->out->action = PIC_MACHINE_ACT;
		return;
	}
	if (strcmp(state, "Waiting") == 0 && (is_due || input->is_woken)) {
		step->out->action =
			PIC_MACHINE_ACT; /* asked again with its memo: nothing to write first */
		return;
	}
	if (is_due) {
		act(step);
		set_details(step, "stage %s is running", text_of(step->run, "stage"));
		return;
	}
	step->out->action = until_ms > 0 ? PIC_MACHINE_SLEEP : PIC_MACHINE_NOTHING;
	step->out->until_ms = until_ms;
}

static int take_outcome(struct step *step, struct pic_error *err)
{
	const struct pic_machine_input *input = step->input;
	const char *state = text_of(step->run, "state");
	bool is_late = (strcmp(state, "Acting") != 0 && strcmp(state, "Waiting") != 0) ||
		       number_of(step->run, "number") != input->number;

	if (strcmp(state, "Finished") == 0 && !rule(step, PIC_MACHINE_RULE_FINISHED_IS_FINAL))
		is_late = false;
	if (is_late && rule(step, PIC_MACHINE_RULE_LATE_IS_IGNORED))
		return pic_error_set(err, -ESTALE, "run %lld of activation %s is over",
				     (long long)input->number, input->activation->name);
	if (input->outcome->kind == PIC_OUTCOME_WAITS)
		wait(step, input->outcome);
	else
		end_stage(step, input->outcome);
	return 0;
}

static void begin(struct step *step)
{
	struct pic_json *status = pic_json_copy(pic_object_status(step->input->activation));

	if (pic_json_type(status) != PIC_JSON_OBJECT) {
		pic_json_unref(status);
		status = pic_json_new_object();
	}
	step->status = status;
	step->run = pic_json_ensure_object(status, "run");
	step->history = pic_json_get(status, "stageHistory");
	if (pic_json_type(step->history) != PIC_JSON_ARRAY) {
		step->history = pic_json_new_array();
		pic_json_set(status, "stageHistory", step->history);
	}
	pic_json_ensure_object(step->run, "outputs");
}

int pic_machine_step(const struct pic_machine_input *input, struct pic_machine_output *out,
		     struct pic_error *err)
{
	struct step step = { .input = input, .out = out };
	const struct pic_json *before = pic_object_status(input->activation);
	char time[PIC_TIME_TEXT];
	int r = 0;

	*out = (struct pic_machine_output){ .action = PIC_MACHINE_NOTHING };
	begin(&step);
	PIC_JSON struct pic_json *status = step.status;
	if (!status || !step.run || !step.history)
		return pic_error_set(err, -ENOMEM, "no memory for activation %s",
				     input->activation->name);
	if (input->outcome)
		r = take_outcome(&step, err);
	else
		look(&step);
	if (r < 0) {
		*out = (struct pic_machine_output){ .action = PIC_MACHINE_NOTHING };
		return r;
	}
	if (pic_json_equal(status, before) ||
	    (!before && *text_of(step.run, "state") == '\0' && !pic_json_get(status, "status")))
		return 0;
	pic_time_format(input->now_ms, time);
	pic_json_set_text(status, "updateTime", time);
	out->status = PIC_STEAL(status);
	return 0;
}
