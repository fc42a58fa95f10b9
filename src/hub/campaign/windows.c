/*
 * Windows: what a patch has changed for a time only. One internal object for each open one, put in the
 * same change as the patch; it holds both forms of the component, so that it can be taken back when the
 * campaign, the activation and everybody who knew of it are gone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "hub/campaign/patch.h"
#include "hub/campaign/provider.h"
#include "hub/kube_api/metadata.h"

static struct pic_json *value_or_null(struct pic_json *value)
{
	return value ? pic_json_ref(value) : pic_json_new_null();
}

int pic_window_open(struct pic_stage_work *work, const struct pic_patch *patch,
		    const char *solution, int64_t closes_ms, struct pic_error *err)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");

	pic_json_set_text(metadata, "name", work->activation->uid);
	pic_json_set_text(metadata, "namespace", work->activation->space);
	pic_json_set_text(spec, "activation", work->activation->name);
	pic_json_set_integer(spec, "number", work->place.number);
	pic_json_set_text(spec, "stage", work->place.stage);
	pic_json_set_text(spec, "solution", solution);
	pic_json_set_text(spec, "component", patch->component);
	pic_json_set_integer(spec, "closesMs", closes_ms);
	pic_json_set(spec, "former", value_or_null(patch->former));
	pic_json_set(spec, "put", value_or_null(patch->put));
	return pic_change_put(work->change, PIC_KIND_WINDOW, json, err);
}

struct pic_object *pic_window_find(struct pic_hub *hub, const struct pic_object *activation)
{
	return pic_store_get(hub->store, PIC_KIND_WINDOW, activation->space, activation->uid);
}

static int take_back(struct pic_hub *hub, struct pic_change *change,
		     const struct pic_object *window, const struct pic_object *solution,
		     int64_t now_ms, char text[PIC_MACHINE_TEXT_MAX], struct pic_error *err)
{
	const struct pic_json *spec = pic_object_spec(window);
	const char *component = pic_json_text_or(pic_json_get(spec, "component"), "");
	const struct pic_json *former = pic_json_get(spec, "former");
	PIC_JSON struct pic_json *changed = NULL;
	bool had = pic_json_type(former) == PIC_JSON_OBJECT;

	switch (pic_patch_undo(solution->json, component, former, pic_json_get(spec, "put"),
			       &changed)) {
	case PIC_PATCH_ALREADY:
		snprintf(text, PIC_MACHINE_TEXT_MAX,
			 "the window has closed; component %.63s of solution %.200s was as before "
			 "already",
			 component, solution->name);
		return 0;
	case PIC_PATCH_NOT_OURS:
		snprintf(text, PIC_MACHINE_TEXT_MAX,
			 "the window has closed; component %.63s of solution %.200s was changed by "
			 "somebody else meanwhile and stays as it is",
			 component, solution->name);
		pic_stage_tell(hub, change, solution, true, "WindowClosed", text, now_ms);
		return 0;
	case PIC_PATCH_UNDONE:
		break;
	}
	pic_kube_settle_generation(solution, changed);
	snprintf(text, PIC_MACHINE_TEXT_MAX,
		 "the window has closed; component %.63s of solution %.200s is %s", component,
		 solution->name, had ? "as it was before" : "removed");
	int r = pic_change_put(change, PIC_KIND_SOLUTION, PIC_STEAL(changed), err);
	if (r == 0)
		r = pic_stage_tell(hub, change, solution, false, "WindowClosed", text, now_ms);
	return r;
}

int pic_window_close(struct pic_hub *hub, struct pic_change *change,
		     const struct pic_object *window, int64_t now_ms,
		     char text[PIC_MACHINE_TEXT_MAX], struct pic_error *err)
{
	const char *name = pic_json_text_or(pic_json_get(pic_object_spec(window), "solution"), "");
	const struct pic_object *solution =
		pic_store_get(hub->store, PIC_KIND_SOLUTION, window->space, name);
	int r = 0;

	if (solution)
		r = take_back(hub, change, window, solution, now_ms, text, err);
	else
		snprintf(text, PIC_MACHINE_TEXT_MAX,
			 "the window has closed; solution %.253s is gone", name);
	if (r == 0)
		pic_change_delete(change, PIC_KIND_WINDOW, window->space, window->name);
	return r;
}

/* Whether its activation is still there to close it. */
static bool is_kept(struct pic_hub *hub, const struct pic_object *window)
{
	const struct pic_json *spec = pic_object_spec(window);
	const struct pic_object *activation =
		pic_store_get(hub->store, PIC_KIND_ACTIVATION, window->space,
			      pic_json_text_or(pic_json_get(spec, "activation"), ""));
	struct pic_machine_place place;
	long long number = -1;

	if (!activation || strcmp(activation->uid, window->name) != 0)
		return false;
	pic_machine_place(activation, &place);
	pic_json_integer(pic_json_get(spec, "number"), &number);
	return !place.is_finished && place.number == number;
}

/* False: it could not be, and will be tried again. */
static bool close_orphan(struct pic_campaigns *campaigns, const struct pic_object *window)
{
	struct pic_hub *hub = campaigns->hub;
	char who[PIC_WHO_ACTIVATION], text[PIC_MACHINE_TEXT_MAX] = "";
	const struct pic_json *spec = pic_object_spec(window);
	const struct pic_actor actor = pic_stage_actor(
		pic_json_text_or(pic_json_get(spec, "activation"), ""), "close-window", who);
	struct pic_change *change = pic_change_new(hub->store, &actor);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_window_close(hub, change, window, pic_clock_wall_ms(), text, &err) < 0) {
		pic_log(PIC_LOG_ERROR, "window-not-closed", PIC_TEXT("window", window->name),
			PIC_TEXT("error", err.text));
		pic_change_drop(change);
		return false;
	}
	pic_log(PIC_LOG_INFO, "window-closed",
		PIC_TEXT("activation", pic_json_text_or(pic_json_get(spec, "activation"), "")),
		PIC_TEXT("text", text));
	pic_change_commit(change, NULL, NULL);
	return true;
}

void pic_windows_sweep(struct pic_campaigns *campaigns)
{
	struct pic_store *store = campaigns->hub->store;
	struct pic_object *window = pic_store_next(store, PIC_KIND_WINDOW, NULL, NULL);

	while (window) {
		PIC_CLEANUP(pic_object_unref_pointer)
		struct pic_object *held = pic_object_ref(window);

		if (!is_kept(campaigns->hub, held) && !close_orphan(campaigns, held))
			campaigns->windows_dirty = true;
		window = pic_store_next(store, PIC_KIND_WINDOW, NULL, held);
	}
}
