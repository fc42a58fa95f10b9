/*
 * Who may do what: the reviews behind `kubectl auth can-i` and `auth whoami`. Whoever reaches the kube
 * API is an administrator, so the answers are short. Pure.
 */
#ifndef PIC_HUB_KUBE_API_REVIEWS_H
#define PIC_HUB_KUBE_API_REVIEWS_H

#include "base/json.h"

struct pic_kube_review {
	const char *group;
	const char *versions[4]; /* served, best first; NULL-ended */
	const char *plural, *kind;
};

extern const struct pic_kube_review pic_kube_reviews[]; /* group NULL ends */
const struct pic_kube_review *pic_kube_review(const char *group, const char *version,
					      const char *plural);
/* The request's object with its status filled; -EINVAL with a sentence when it is of another kind. */
int pic_kube_review_answer(const struct pic_kube_review *review, const char *version,
			   const struct pic_json *body, const char *caller, struct pic_json **out,
			   struct pic_error *err);

#endif
