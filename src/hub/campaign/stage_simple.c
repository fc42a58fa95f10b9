/* providers.stage.delay, .wait and .mock. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hub/campaign/provider.h"

void pic_stage_delay(struct pic_stage_work *work, struct pic_outcome *out)
{
	const struct pic_json *wanted = pic_stage_value(work->inputs, work->config, "delay");
	long long until_ms = 0;
	int64_t delay_ms = 0;
	struct pic_error err = PIC_ERROR_INIT;
	char time[PIC_TIME_TEXT];

	if (!pic_json_integer(pic_json_get(work->place.memo, "untilMs"), &until_ms)) {
		if (pic_stage_duration(wanted, &delay_ms, &err) < 0) {
			pic_outcome_fail(out, 400, "delay %s", err.text);
			return;
		}
		until_ms = work->now_ms + delay_ms;
	}
	if (until_ms <= work->now_ms) {
		out->kind = PIC_OUTCOME_DONE;
		return;
	}
	pic_time_format(until_ms, time);
	out->kind = PIC_OUTCOME_WAITS;
	out->until_ms = until_ms;
	out->memo = pic_json_new_object();
	pic_json_set_integer(out->memo, "untilMs", until_ms);
	snprintf(out->text, sizeof(out->text), "goes on at %s", time);
}

void pic_stage_mock(struct pic_stage_work *work, struct pic_outcome *out)
{
	struct pic_json *outputs = pic_json_new_object();
	const struct pic_json *foo = pic_json_get(work->inputs, "foo");
	long long number = 0;

	pic_json_each(work->inputs, i)
		if (!pic_text_starts(pic_json_key(i), "__"))
			pic_json_set(outputs, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	/* as the original's: a counter for loops in tests */
	if (pic_json_integer(foo, &number))
		pic_json_set_integer(outputs, "foo", number + 1);
	else if (foo && (pic_json_type(foo) == PIC_JSON_NULL ||
			 (pic_json_text(foo) && !*pic_json_text(foo))))
		pic_json_set_integer(outputs, "foo", 1);
	out->kind = PIC_OUTCOME_DONE;
	out->outputs = outputs;
}

/* Wait. */

static bool read_kind(const char *type, enum pic_kind *out)
{
	static const struct {
		const char *word;
		enum pic_kind kind;
	} words[] = {
		{ "instance", PIC_KIND_INSTANCE },	  { "instances", PIC_KIND_INSTANCE },
		{ "catalogs", PIC_KIND_CATALOG },	  { "catalogversions", PIC_KIND_CATALOG },
		{ "catalog", PIC_KIND_CATALOG },	  { "solution", PIC_KIND_SOLUTION },
		{ "solutionversion", PIC_KIND_SOLUTION }, { "target", PIC_KIND_TARGET },
	};

	for (size_t i = 0; i < PIC_COUNT(words); i++) {
		if (strcmp(words[i].word, type) != 0)
			continue;
		*out = words[i].kind;
		return true;
	}
	return false;
}

/* The first that is not there, or NULL; -1 for a name that is none. */
static const char *first_missing(struct pic_stage_work *work, enum pic_kind kind,
				 const struct pic_json *names)
{
	for (size_t i = 0; i < pic_json_count(names); i++) {
		const char *reference = pic_json_text_or(pic_json_at(names, i), "");
		char name[PIC_OBJECT_NAME_MAX + 1];

		if (!pic_stage_object_name(reference, name) ||
		    !pic_store_get(work->hub->store, kind, work->activation->space, name))
			return *reference ? reference : "(no name)";
	}
	return NULL;
}

/* interval times count, as the original's polls would end; 0: for ever. */
static int64_t deadline(const struct pic_stage_work *work)
{
	long long count = 0;
	int64_t interval_ms = 0, end_ms;

	pic_json_integer(pic_stage_value(work->inputs, work->config, "wait.count"), &count);
	pic_stage_duration(pic_stage_value(work->inputs, work->config, "wait.interval"),
			   &interval_ms, NULL);
	if (count <= 0 || interval_ms <= 0 || __builtin_mul_overflow(count, interval_ms, &end_ms) ||
	    __builtin_add_overflow(work->now_ms, end_ms, &end_ms))
		return 0;
	return end_ms;
}

void pic_stage_wait(struct pic_stage_work *work, struct pic_outcome *out)
{
	const char *type =
		pic_json_text_or(pic_stage_value(work->inputs, work->config, "objectType"), "");
	const struct pic_json *names = pic_stage_value(work->inputs, work->config, "names");
	long long end_ms = 0;
	enum pic_kind kind;

	if (!read_kind(type, &kind) || pic_json_type(names) != PIC_JSON_ARRAY) {
		pic_outcome_fail(out, 400,
				 "objectType must be instance, catalogs, solution or target, and "
				 "names a list");
		return;
	}
	if (!pic_json_integer(pic_json_get(work->place.memo, "endMs"), &end_ms))
		end_ms = deadline(work);
	const char *missing = first_missing(work, kind, names);
	if (!missing) {
		out->kind = PIC_OUTCOME_DONE;
		out->outputs = pic_json_new_object();
		pic_json_set_text(out->outputs, "objectType", type);
		return;
	}
	if (end_ms && end_ms <= work->now_ms) {
		pic_outcome_fail(out, 404, "%s %.200s did not come in time",
				 pic_kind_facts(kind)->singular, missing);
		return;
	}
	out->kind = PIC_OUTCOME_WAITS;
	out->until_ms = end_ms;
	out->memo = pic_json_new_object();
	pic_json_set_integer(out->memo, "endMs", end_ms);
	pic_json_set_bool(out->memo, "objects", true);
	snprintf(out->text, sizeof(out->text), "waits for %s %.200s",
		 pic_kind_facts(kind)->singular, missing);
}
