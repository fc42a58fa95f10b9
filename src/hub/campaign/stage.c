#include "hub/campaign/stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hub/campaign/schedule.h"

#define DURATION_MAX_MS (366LL * 24 * 60 * 60 * 1000)

static const char *const providers[PIC_STAGE_PROVIDER_COUNT] = {
	[PIC_STAGE_HTTP] = "providers.stage.http",
	[PIC_STAGE_PATCH] = "providers.stage.patch",
	[PIC_STAGE_DELAY] = "providers.stage.delay",
	[PIC_STAGE_WAIT] = "providers.stage.wait",
	[PIC_STAGE_MOCK] = "providers.stage.mock",
	[PIC_STAGE_APPROVAL] = "providers.stage.approval",
};

const char *pic_stage_provider_name(enum pic_stage_provider provider)
{
	return providers[provider];
}

enum pic_stage_provider pic_stage_provider(const struct pic_json *stage)
{
	const char *name = pic_json_get_text(stage, "provider");

	for (int i = PIC_STAGE_UNKNOWN + 1; name && i < PIC_STAGE_PROVIDER_COUNT; i++)
		if (strcmp(providers[i], name) == 0)
			return (enum pic_stage_provider)i;
	return PIC_STAGE_UNKNOWN;
}

struct pic_json *pic_stage_find(const struct pic_json *campaign, const char *name)
{
	struct pic_json *stage = pic_json_get(pic_json_get(campaign, "stages"), name);

	return pic_json_type(stage) == PIC_JSON_OBJECT ? stage : NULL;
}

struct pic_json *pic_stage_value(const struct pic_json *inputs, const struct pic_json *config,
				 const char *key)
{
	struct pic_json *value = pic_json_get(inputs, key);

	return pic_json_type(value) > PIC_JSON_NULL ? value : pic_json_get(config, key);
}

const char *pic_stage_approves(const struct pic_json *stage)
{
	const struct pic_json *approves = pic_stage_value(
		pic_json_get(stage, "inputs"), pic_json_get(stage, "config"), "approves");

	return pic_json_text_or(pic_json_get(approves, "stage"), "");
}

bool pic_stage_is_expression(const struct pic_json *value)
{
	const char *text = pic_json_text(value);

	return text && strstr(text, "${{");
}

bool pic_stage_object_name(const char *reference, char out[PIC_OBJECT_NAME_MAX + 1])
{
	const char *colon = reference ? strchr(reference, ':') : NULL;
	size_t head = colon ? (size_t)(colon - reference) : reference ? strlen(reference) : 0;
	int size;

	if (head == 0 || head > PIC_OBJECT_NAME_MAX)
		return false;
	size = snprintf(out, PIC_OBJECT_NAME_MAX + 1, "%.*s%s%s", (int)head, reference,
			colon ? "-v-" : "", colon ? colon + 1 : "");
	return size > 0 && size <= PIC_OBJECT_NAME_MAX;
}

bool pic_stage_campaign_name(const struct pic_object *activation, char out[PIC_OBJECT_NAME_MAX + 1])
{
	const struct pic_json *spec = pic_object_spec(activation);
	const char *reference = pic_json_get_text(spec, "campaign");

	if (!reference || !*reference)
		reference = pic_json_get_text(spec, "campaignversion");
	return pic_stage_object_name(reference, out);
}

int pic_stage_duration(const struct pic_json *value, int64_t *out_ms, struct pic_error *err)
{
	const char *text = pic_json_text(value);
	long long seconds = 0;
	int64_t ms = -1;

	if (pic_json_integer(value, &seconds) ||
	    (text && pic_integer_parse(text, 0, DURATION_MAX_MS / 1000, &seconds) == 0))
		ms = seconds < 0 || seconds > DURATION_MAX_MS / 1000 ? -1 : seconds * 1000;
	else if (text && pic_duration_parse(text, &ms) < 0)
		ms = -1;
	if (ms < 0 || ms > DURATION_MAX_MS)
		return pic_error_set(err, -EINVAL,
				     "must be a time span such as 30s, 15m or 2h, at most a year");
	*out_ms = ms;
	return 0;
}

static int read_end(const struct pic_json *window, struct pic_stage_window *out,
		    struct pic_error *err)
{
	const struct pic_json *length = pic_json_get(window, "length");
	const struct pic_json *closes = pic_json_get(window, "closes");
	int r;

	if ((pic_json_type(length) > PIC_JSON_NULL) == (pic_json_type(closes) > PIC_JSON_NULL))
		return pic_error_set(err, -EINVAL,
				     "must say when it closes: either closes or length");
	if (pic_json_type(length) > PIC_JSON_NULL) {
		r = pic_stage_duration(length, &out->length_ms, err);
		if (r < 0 || out->length_ms == 0)
			return pic_error_set(err, -EINVAL, "length must be a time span such as 2h");
		if (out->opens_ms)
			out->closes_ms = out->opens_ms + out->length_ms;
		return 0;
	}
	r = pic_schedule_parse(closes, &out->closes_ms, err);
	if (r < 0 || out->closes_ms == 0)
		return pic_error_set(err, -EINVAL,
				     "closes must be a time such as 2026-11-24T18:00:00-08:00");
	if (out->opens_ms >= out->closes_ms)
		return pic_error_set(err, -EINVAL, "closes must come after opens");
	return 0;
}

int pic_stage_window(const struct pic_json *stage, struct pic_stage_window *out,
		     struct pic_error *err)
{
	const struct pic_json *window = pic_json_get(stage, "window");
	const struct pic_json *opens = pic_json_get(window, "opens");
	struct pic_stage_window read = { .given = true };
	int r = 0;

	if (pic_json_type(window) <= PIC_JSON_NULL) {
		*out = (struct pic_stage_window){ .given = false };
		return 0;
	}
	if (strcmp(pic_json_text_or(opens, "now"), "now") != 0 ||
	    pic_json_type(opens) == PIC_JSON_OBJECT)
		r = pic_schedule_parse(opens, &read.opens_ms, NULL);
	if (r < 0)
		return pic_error_set(
			err, -EINVAL,
			"opens must be now or a time such as 2026-11-24T16:00:00-08:00");
	r = read_end(window, &read, err);
	if (r == 0)
		*out = read;
	return r;
}

const char *pic_stage_state_name(int status)
{
	static const struct {
		int status;
		const char *name;
	} names[] = {
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 408, "Timed Out" },
		{ 409, "Conflict" },
		{ 500, "Internal Error" },
		{ PIC_STAGE_RUNNING, "Running" },
		{ PIC_STAGE_PAUSED, "Paused" },
		{ PIC_STAGE_DONE, "Done" },
	};

	for (size_t i = 0; i < PIC_COUNT(names); i++)
		if (names[i].status == status)
			return names[i].name;
	return status >= 500 ? "Internal Error" : "Failed";
}
