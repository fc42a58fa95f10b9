/*
 * What is decided and over is kept for a while, as an answer to "who allowed that?" at hand; the journal keeps
 * it for ever. Only what can no longer matter goes: no ticket of it can still be good, and whoever waited for
 * the decision has had the time to see it.
 */
#include <stdlib.h>

#include "hub/approval/room.h"

#define KEPT_MAX 1000
#define KEPT_MS (90LL * 24 * 60 * 60 * 1000)
#define SEEN_MS (10LL * 60 * 1000) /* a campaign that has to try again looks within minutes */

struct finished {
	const struct pic_object *approval;
	int64_t at_ms;
};

int64_t pic_approval_over_at(const struct pic_object *approval)
{
	const struct pic_json *spec = pic_object_spec(approval);
	const struct pic_json *status = pic_object_status(approval);
	const int64_t decided = pic_approval_time(status, "decidedAt", 0);
	const int64_t ends = pic_approval_time(status, "ends", 0);
	enum pic_approval_phase phase;

	if (pic_approval_phase_of(approval, &phase) < 0)
		return INT64_MAX;
	switch (phase) {
	case PIC_APPROVAL_PENDING:
	case PIC_APPROVAL_APPROVED:
		return INT64_MAX;
	case PIC_APPROVAL_EXPIRED:
		return pic_approval_time(spec, "expires", 0);
	case PIC_APPROVAL_REJECTED:
	case PIC_APPROVAL_REVOKED: /* a device that is away keeps its ticket until the end */
	case PIC_APPROVAL_ENDED:
		break;
	}
	return decided > ends ? decided : ends;
}

static int compare(const void *a, const void *b)
{
	const struct finished *one = a, *other = b;

	return (one->at_ms > other->at_ms) - (one->at_ms < other->at_ms);
}

/* Oldest first; *out NULL: none, or no memory. */
static size_t list_finished(struct pic_store *store, struct finished **out)
{
	struct finished *list =
		calloc(pic_store_count(store, PIC_KIND_APPROVAL) + 1, sizeof(*list));
	size_t count = 0;

	*out = list;
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL);
	     list && one; one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, one)) {
		int64_t at_ms = pic_approval_over_at(one);

		if (at_ms < INT64_MAX)
			list[count++] = (struct finished){ one, at_ms };
	}
	if (count)
		qsort(list, count, sizeof(*list), compare);
	return count;
}

/* When the oldest of those that are left may go. */
static int64_t due_at(const struct finished *oldest, size_t left)
{
	return oldest->at_ms + (left > KEPT_MAX ? SEEN_MS : KEPT_MS);
}

int64_t pic_approval_prune(struct pic_approvals *approvals, int64_t now_ms,
			   pic_change_done_fn *done)
{
	static const struct pic_actor actor = { "hub", "", "forget" };
	struct pic_store *store = approvals->hub->store;
	PIC_FREE struct finished *list = NULL;
	size_t count = list_finished(store, &list), gone = 0;

	while (gone < count && due_at(&list[gone], count - gone) <= now_ms)
		gone++;
	const int64_t next_ms = gone < count ? due_at(&list[gone], count - gone) : INT64_MAX;
	if (gone == 0)
		return next_ms;
	struct pic_change *change = pic_change_new(store, &actor);
	for (size_t i = 0; i < gone; i++)
		pic_change_delete(change, PIC_KIND_APPROVAL, list[i].approval->space,
				  list[i].approval->name);
	pic_change_commit(change, done, approvals);
	return next_ms;
}
