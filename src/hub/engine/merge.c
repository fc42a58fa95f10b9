#include "hub/engine/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hub/engine/sentence.h"

int pic_engine_note_add(struct pic_engine_output *output, bool warning, const char *reason,
			struct pic_error *err, const char *format, ...)
{
	struct pic_engine_note *notes =
		reallocarray(output->notes, output->note_count + 1, sizeof(*notes));
	va_list arguments;

	if (!notes)
		return pic_error_set(err, -ENOMEM, "no memory for an event");
	output->notes = notes;
	struct pic_engine_note *note = &notes[output->note_count++];

	note->warning = warning;
	pic_engine_format(note->reason, sizeof(note->reason), "%s", reason);
	va_start(arguments, format);
	pic_engine_vformat(note->message, sizeof(note->message), format, arguments);
	va_end(arguments);
	return 0;
}

static bool is_as_wanted(const struct pic_merge_frame *frame, const struct pic_staged_entry *entry,
			 const struct pic_wanted *wanted)
{
	if (entry->removed || entry->revision == 0 || entry->hub_has_bytes != wanted->hub_has_bytes)
		return false;
	if (frame->broken & PIC_ENGINE_RULE_UNCHANGED_KEEPS_REVISION)
		return false;
	if (frame->broken & PIC_ENGINE_RULE_PROPERTY_IS_CHANGE)
		return true;
	return pic_json_equal(entry->json, wanted->json);
}

static void hold_back(struct pic_wanted *wanted, const char *target, const char *why, int limit)
{
	wanted->state = PIC_WANTED_STUCK;
	pic_engine_format(wanted->reason, sizeof(wanted->reason), "DeviceIsFull");
	pic_engine_format(wanted->message, sizeof(wanted->message),
			  "component %s: the document of %s would have %s %d", wanted->name, target,
			  why, limit);
}

/* A document holds a limited number of entries, listed and removed together, and of bytes. A component
 * that makes it too large waits; what was staged of it before stays. */
static bool finds_room(const struct pic_merge_frame *frame, const struct pic_staged *staged,
		       const struct pic_staged_entry *entry, struct pic_wanted *wanted)
{
	size_t count = frame->device ? frame->device->occupied : 0;
	size_t bytes = frame->device ? frame->device->occupied_bytes : 0;
	size_t now = pic_staged_json_bytes(wanted->json);
	size_t before = entry && !entry->removed ? pic_staged_json_bytes(entry->json) : 0;

	if (!entry && count + staged->count >= PIC_DOCUMENT_COMPONENTS_MAX)
		hold_back(wanted, frame->target, "more entries than", PIC_DOCUMENT_COMPONENTS_MAX);
	else if (now > before &&
		 bytes + pic_staged_bytes(staged) - before + now > PIC_DOCUMENT_SIZE_MAX)
		hold_back(wanted, frame->target, "more bytes than", PIC_DOCUMENT_SIZE_MAX);
	else
		return true;
	return false;
}

static int put_ready(const struct pic_merge_frame *frame, struct pic_wanted *wanted, int64_t next,
		     struct pic_staged *staged, bool *stamped, struct pic_error *err)
{
	struct pic_staged_entry *entry = pic_staged_find(staged, wanted->name);

	if (entry && is_as_wanted(frame, entry, wanted))
		return 0;
	if (!finds_room(frame, staged, entry, wanted))
		return 0;
	bool changed = entry && !entry->removed;

	if (entry && entry->removed && (frame->broken & PIC_ENGINE_RULE_CLEAN_LISTS))
		entry = NULL;
	int r = pic_staged_put(staged, entry, wanted->json, wanted->hub_has_bytes, next, err);

	if (r < 0)
		return r;
	*stamped = true;
	return pic_engine_note_add(frame->output, false, "Staged", err,
				   "%s is %s for %s in revision %" PRId64, wanted->name,
				   changed ? "changed" : "staged", frame->target, next);
}

static bool is_wanted(const struct pic_merge_frame *frame, const struct pic_wanted_list *wanted,
		      const char *name)
{
	for (size_t i = 0; wanted && i < wanted->count; i++) {
		bool held = wanted->items[i].state != PIC_WANTED_READY;

		if (strcmp(wanted->items[i].name, name) == 0)
			return !held || !(frame->broken & PIC_ENGINE_RULE_HELD_KEEPS);
	}
	return false;
}

/* What is staged and not wanted is listed as removed; what has no revision gets one. */
static int remove_others(const struct pic_merge_frame *frame, const struct pic_wanted_list *wanted,
			 int64_t next, struct pic_staged *staged, bool *stamped,
			 struct pic_error *err)
{
	for (size_t i = 0; i < staged->count; i++) {
		struct pic_staged_entry *entry = &staged->entries[i];
		bool goes = !entry->removed && !is_wanted(frame, wanted, entry->name);

		if (!goes && entry->revision > 0)
			continue;
		entry->revision = next;
		*stamped = true;
		if (!goes)
			continue;
		entry->removed = true;
		int r = pic_engine_note_add(frame->output, false, "Removing", err,
					    "%s is to leave %s with revision %" PRId64, entry->name,
					    frame->target, next);
		if (r < 0)
			return r;
	}
	return 0;
}

int pic_merge_wanted(const struct pic_merge_frame *frame, struct pic_wanted_list *wanted,
		     int64_t next, struct pic_staged *staged, bool *stamped, struct pic_error *err)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (wanted->items[i].state != PIC_WANTED_READY)
			continue;
		int r = put_ready(frame, &wanted->items[i], next, staged, stamped, err);

		if (r < 0)
			return r;
	}
	return remove_others(frame, wanted, next, staged, stamped, err);
}

int pic_merge_nothing(const struct pic_merge_frame *frame, int64_t next, struct pic_staged *staged,
		      bool *stamped, struct pic_error *err)
{
	if (frame->broken & PIC_ENGINE_RULE_UNMATCHED_IS_REMOVED)
		return 0;
	return remove_others(frame, NULL, next, staged, stamped, err);
}

static bool is_done(const struct pic_merge_frame *frame, const struct pic_staged_entry *entry)
{
	if (!entry->removed)
		return false;
	if (!frame->device || (frame->broken & PIC_ENGINE_RULE_REMOVED_WAITS_FOR_DEVICE))
		return true;
	return frame->device->removed_through >= entry->revision;
}

int pic_merge_done(const struct pic_merge_frame *frame, struct pic_staged *staged,
		   struct pic_error *err)
{
	for (size_t i = staged->count; i-- > 0;) {
		if (!is_done(frame, &staged->entries[i]))
			continue;
		int r = pic_engine_note_add(
			frame->output, false, "Removed", err,
			frame->device ? "%s has let go of %s"
				      : "no device has joined as %s, so nothing is left of %s",
			frame->target, staged->entries[i].name);
		if (r < 0)
			return r;
		pic_staged_drop(staged, i);
	}
	return 0;
}
