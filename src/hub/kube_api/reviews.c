/* Reviews: the request comes back with a status. */
#include "hub/kube_api/reviews.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct pic_kube_review pic_kube_reviews[] = {
	{ "authorization.k8s.io", { "v1" }, "selfsubjectaccessreviews", "SelfSubjectAccessReview" },
	{ "authorization.k8s.io", { "v1" }, "selfsubjectrulesreviews", "SelfSubjectRulesReview" },
	{ "authentication.k8s.io", { "v1", "v1beta1" }, "selfsubjectreviews", "SelfSubjectReview" },
	{ NULL, { NULL }, NULL, NULL },
};

const struct pic_kube_review *pic_kube_review(const char *group, const char *version,
					      const char *plural)
{
	for (const struct pic_kube_review *review = pic_kube_reviews; review->group; review++) {
		if (strcmp(review->group, group) != 0 || strcmp(review->plural, plural) != 0)
			continue;
		for (size_t i = 0; review->versions[i]; i++)
			if (strcmp(review->versions[i], version) == 0)
				return review;
	}
	return NULL;
}

static struct pic_json *list_of(const char *text)
{
	struct pic_json *list = pic_json_new_array();

	pic_json_append_text(list, text);
	return list;
}

static void add_rules(struct pic_json *status)
{
	struct pic_json *resources = pic_json_new_array();
	struct pic_json *urls = pic_json_new_array();
	struct pic_json *rule = pic_json_new_object();
	struct pic_json *url_rule = pic_json_new_object();

	pic_json_set(rule, "verbs", list_of("*"));
	pic_json_set(rule, "apiGroups", list_of("*"));
	pic_json_set(rule, "resources", list_of("*"));
	pic_json_append(resources, rule);
	pic_json_set(url_rule, "verbs", list_of("*"));
	pic_json_set(url_rule, "nonResourceURLs", list_of("*"));
	pic_json_append(urls, url_rule);
	pic_json_set(status, "resourceRules", resources);
	pic_json_set(status, "nonResourceRules", urls);
	pic_json_set_bool(status, "incomplete", false);
}

static void add_user(struct pic_json *status, const char *caller)
{
	struct pic_json *user = pic_json_ensure_object(status, "userInfo");
	struct pic_json *groups = list_of("piccolo:administrators");

	pic_json_append_text(groups, "system:authenticated");
	pic_json_set_text(user, "username", caller);
	pic_json_set(user, "groups", groups);
}

int pic_kube_review_answer(const struct pic_kube_review *review, const char *version,
			   const struct pic_json *body, const char *caller, struct pic_json **out,
			   struct pic_error *err)
{
	char api_version[128];

	snprintf(api_version, sizeof(api_version), "%s/%s", review->group, version);
	if (strcmp(pic_json_text_or(pic_json_get(body, "kind"), ""), review->kind) != 0 ||
	    strcmp(pic_json_text_or(pic_json_get(body, "apiVersion"), ""), api_version) != 0)
		return pic_error_set(err, -EINVAL, "the body must be a %s of %s", review->kind,
				     api_version);
	PIC_JSON struct pic_json *answer = pic_json_copy(body);
	PIC_JSON struct pic_json *status = pic_json_new_object();
	if (strcmp(review->kind, "SelfSubjectAccessReview") == 0)
		pic_json_set_bool(status, "allowed", true);
	else if (strcmp(review->kind, "SelfSubjectRulesReview") == 0)
		add_rules(status);
	else
		add_user(status, caller);
	if (!pic_json_get(answer, "metadata"))
		pic_json_set(answer, "metadata", pic_json_new_object());
	if (pic_json_set(answer, "status", PIC_STEAL(status)) < 0)
		return pic_error_set(err, -ENOMEM, "no memory for a review");
	*out = PIC_STEAL(answer);
	return 0;
}
