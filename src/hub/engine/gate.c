#include "hub/engine/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admission/ebpf_terms.h"
#include "base/clock.h"
#include "hub/approval/approval.h"

bool pic_gate_is_needed(const char *type)
{
	return type && strcmp(type, "ebpf") == 0;
}

/* What stands between an approval and the present; the last one that fits is told. */
enum stand {
	STAND_NONE,	/* nobody has asked for it */
	STAND_OTHER,	/* one names the component, but with other bytes or hooks */
	STAND_REJECTED, /* or nobody answered in time */
	STAND_OVER,
	STAND_REVOKED,
	STAND_PENDING,
	STAND_LATER,
	STAND_OPEN,
};

static enum stand stand_of(const struct pic_approval_facts *approval, int64_t now_ms)
{
	switch (approval->phase) {
	case PIC_APPROVAL_PENDING:
		return STAND_PENDING;
	case PIC_APPROVAL_REJECTED:
	case PIC_APPROVAL_EXPIRED:
		return STAND_REJECTED;
	case PIC_APPROVAL_REVOKED:
		return STAND_REVOKED;
	case PIC_APPROVAL_ENDED:
		return STAND_OVER;
	case PIC_APPROVAL_APPROVED:
		break;
	}
	if (now_ms >= approval->ends_ms)
		return STAND_OVER;
	return now_ms < approval->opens_ms ? STAND_LATER : STAND_OPEN;
}

/* -- what is wanted ------------------------------------------------------------------------------- */

/* A component as an approval names it. */
struct wish {
	const char *target;
	struct pic_workload_name name; /* on the device */
	struct pic_sha256 digest;
	unsigned char terms[PIC_TERMS_SIZE];
};

static bool is_named(const struct pic_approval_item *item, const struct wish *wish)
{
	return strcmp(item->target, wish->target) == 0 &&
	       pic_workload_name_compare(&item->name, &wish->name) == 0;
}

static bool is_covered(const struct pic_approval_item *item, const struct wish *wish,
		       uint32_t broken)
{
	if (broken & PIC_ENGINE_RULE_APPROVAL_IS_FOR_THESE_BYTES)
		return true;
	return memcmp(item->digest, wish->digest.bytes, sizeof(item->digest)) == 0 &&
	       memcmp(item->terms, wish->terms, sizeof(item->terms)) == 0;
}

static enum stand look_at(const struct pic_engine_input *input,
			  const struct pic_approval_facts *approval, const struct wish *wish)
{
	enum stand found = STAND_NONE;

	for (size_t i = 0; i < approval->item_count; i++) {
		enum stand stand = STAND_OTHER;

		if (!is_named(&approval->items[i], wish))
			continue;
		if (is_covered(&approval->items[i], wish, input->broken))
			stand = stand_of(approval, input->now_ms);
		if (stand > found)
			found = stand;
	}
	return found;
}

/* Of several that are open the one that ends last; so the choice does not depend on their order. */
static bool is_better(enum stand stand, const struct pic_approval_facts *approval, enum stand best,
		      const struct pic_approval_facts *best_approval)
{
	if (stand != best || !best_approval)
		return stand > best;
	if (approval->ends_ms != best_approval->ends_ms)
		return approval->ends_ms > best_approval->ends_ms;
	return memcmp(approval->id, best_approval->id, sizeof(approval->id)) < 0;
}

static enum stand find(const struct pic_engine_input *input, const struct wish *wish,
		       const struct pic_approval_facts **out)
{
	enum stand best = STAND_NONE;

	*out = NULL;
	for (size_t i = 0; i < input->approval_count; i++) {
		const struct pic_approval_facts *approval = input->approvals[i];
		enum stand stand = look_at(input, approval, wish);

		if (stand == STAND_NONE || !is_better(stand, approval, best, *out))
			continue;
		best = stand;
		*out = approval;
	}
	return best;
}

static void hold(struct pic_wanted *wanted, enum stand stand, const char *target,
		 const struct pic_approval_facts *approval)
{
	const char *name = wanted->name;
	char time[PIC_TIME_TEXT] = "";

	if (approval)
		pic_time_format(stand == STAND_LATER	 ? approval->opens_ms
				: stand == STAND_REVOKED ? approval->decided_ms
							 : approval->ends_ms,
				time);
	switch (stand) {
	case STAND_NONE:
		pic_wanted_hold(
			wanted, PIC_WANTED_WAITING, "AwaitingApproval",
			"%s needs somebody's approval before it goes to %s: a campaign with an "
			"approval stage, or piccoloctl diagnose",
			name, target);
		return;
	case STAND_OTHER:
		pic_wanted_hold(
			wanted, PIC_WANTED_WAITING, "AwaitingApproval",
			"%s has other bytes or other hooks than were approved for %s: it needs a new "
			"approval",
			name, target);
		return;
	case STAND_REJECTED:
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "NotApproved",
				"%s was not approved for %s: it needs a new approval", name,
				target);
		return;
	case STAND_OVER:
		pic_wanted_hold(wanted, PIC_WANTED_OVER, "Expired",
				"the permission of %s on %s ended at %s; a new approval starts it "
				"again",
				name, target, time);
		return;
	case STAND_REVOKED:
		pic_wanted_hold(wanted, PIC_WANTED_OVER, "Revoked",
				"the permission of %s on %s was taken back at %s; a new approval "
				"starts it again",
				name, target, time);
		return;
	case STAND_PENDING:
		pic_wanted_hold(
			wanted, PIC_WANTED_WAITING, "AwaitingApproval",
			"%s waits for the decision of those who were asked to approve it for %s",
			name, target);
		return;
	case STAND_LATER:
		pic_wanted_hold(wanted, PIC_WANTED_WAITING, "AwaitingApproval",
				"%s is approved for %s from %s on", name, target, time);
		return;
	case STAND_OPEN:
		return;
	}
}

/* 0, or the component is held: nothing approves what cannot be read. */
static int make_wish(const struct pic_engine_input *input, const struct pic_object *target,
		     struct pic_wanted *wanted, struct wish *out)
{
	const struct pic_json *properties = pic_json_get(wanted->json, "properties");
	const char *digest = pic_json_get_text(properties, "ebpf.sha256");
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_terms terms;

	memset(out, 0, sizeof(*out));
	out->target = target->name;
	snprintf(out->name.component, sizeof(out->name.component), "%s", wanted->name);
	if (!pic_engine_workload_instance(input->space, input->name, out->name.instance) ||
	    !digest || pic_sha256_parse(digest, &out->digest) < 0)
		return pic_error_set(&err, -EINVAL, "it has no digest");
	if (pic_ebpf_terms_parse(properties, &terms, &err) < 0) {
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "BadProperty", "component %s: %s",
				wanted->name, err.text);
		return -EINVAL;
	}
	pic_ebpf_terms_digest(&terms, out->terms);
	return 0;
}

int pic_gate(const struct pic_engine_input *input, const struct pic_object *target,
	     struct pic_wanted *wanted, struct pic_error *err)
{
	const struct pic_approval_facts *approval;
	struct pic_json *given;
	char id[PIC_APPROVAL_TEXT];
	struct wish wish;
	enum stand stand;

	/* what a user writes there approves nothing */
	pic_json_delete(wanted->json, "approval");
	if (!pic_gate_is_needed(pic_json_get_text(wanted->json, "type")) ||
	    (input->broken & PIC_ENGINE_RULE_APPROVAL_IS_NEEDED))
		return 0;
	if (make_wish(input, target, wanted, &wish) < 0) {
		if (wanted->state == PIC_WANTED_READY)
			pic_wanted_hold(wanted, PIC_WANTED_STUCK, "NoDigest",
					"component %s: ebpf.sha256 is missing", wanted->name);
		return 0;
	}
	if (input->supposes_approval)
		return 0;
	stand = find(input, &wish, &approval);
	if (stand != STAND_OPEN) {
		hold(wanted, stand, target->name, approval);
		return 0;
	}
	pic_hex_encode(approval->id, sizeof(approval->id), id);
	given = pic_json_ensure_object(wanted->json, "approval");
	if (pic_json_set_text(given, "id", id) < 0)
		return pic_error_set(err, -ENOMEM, "no memory to stage %s", wanted->name);
	return 0;
}

/* -- what is staged ------------------------------------------------------------------------------- */

static enum stand stand_of_entry(const struct pic_engine_input *input,
				 const struct pic_staged_entry *entry)
{
	const char *text = pic_json_text(pic_json_find(entry->json, "approval", "id", NULL));
	unsigned char id[PIC_APPROVAL_SIZE];

	if (!text || pic_hex_decode(text, id, sizeof(id)) < 0)
		return STAND_NONE;
	for (size_t i = 0; i < input->approval_count; i++)
		if (memcmp(input->approvals[i]->id, id, sizeof(id)) == 0)
			return stand_of(input->approvals[i], input->now_ms);
	return STAND_NONE;
}

static int note_close(const struct pic_merge_frame *frame, const struct pic_staged_entry *entry,
		      enum stand stand, struct pic_error *err)
{
	static const char *const how[STAND_OPEN + 1] = {
		[STAND_OVER] = "has ended",
		[STAND_REVOKED] = "was taken back",
		[STAND_LATER] = "does not hold yet: the clock of the hub was set back",
	};
	const bool is_over = stand == STAND_OVER;
	const char *text = how[stand] ? how[stand] : "is gone: its approval was deleted or changed";

	return pic_engine_note_add(frame->output, !is_over, is_over ? "Expired" : "Revoked", err,
				   "the permission of %s on %s %s", entry->name, frame->target,
				   text);
}

int pic_gate_close(const struct pic_merge_frame *frame, const struct pic_engine_input *input,
		   int64_t next, struct pic_staged *staged, bool *stamped, struct pic_error *err)
{
	if (frame->broken & (PIC_ENGINE_RULE_APPROVAL_IS_NEEDED | PIC_ENGINE_RULE_APPROVAL_ENDS))
		return 0;
	for (size_t i = 0; i < staged->count; i++) {
		struct pic_staged_entry *entry = &staged->entries[i];
		enum stand stand;
		int r;

		if (entry->removed || !pic_gate_is_needed(pic_json_get_text(entry->json, "type")))
			continue;
		stand = stand_of_entry(input, entry);
		if (stand == STAND_OPEN)
			continue;
		entry->removed = true;
		entry->revision = next;
		*stamped = true;
		r = note_close(frame, entry, stand, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int64_t pic_gate_next(const struct pic_engine_input *input)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < input->approval_count; i++) {
		const struct pic_approval_facts *approval = input->approvals[i];
		int64_t at = approval->opens_ms > input->now_ms ? approval->opens_ms
								: approval->ends_ms;

		if (approval->phase == PIC_APPROVAL_APPROVED && at > input->now_ms && at < next)
			next = at;
	}
	return next;
}
