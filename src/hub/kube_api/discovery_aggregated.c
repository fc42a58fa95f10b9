/* Discovery of all groups at once, as kubectl 1.27 and later ask for it. */
#include "hub/kube_api/discovery_parts.h"

#include <stdio.h>
#include <string.h>

#include "hub/kube_api/reviews.h"
#include "hub/kube_api/schema.h"

static struct pic_json *response_kind(const char *group, const char *version, const char *kind)
{
	struct pic_json *response = pic_json_new_object();

	pic_json_set_text(response, "group", group);
	pic_json_set_text(response, "version", version);
	pic_json_set_text(response, "kind", kind);
	return response;
}

static struct pic_json *aggregated_resource(const struct pic_kind_facts *facts)
{
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "resource", facts->plural);
	pic_json_set(resource, "responseKind",
		     response_kind(facts->group, facts->version, facts->name));
	pic_json_set_text(resource, "scope", facts->namespaced ? "Namespaced" : "Cluster");
	pic_json_set_text(resource, "singularResource", facts->singular);
	pic_json_set(resource, "verbs", pic_kube_text_list(facts->verbs));
	pic_json_set(resource, "shortNames", pic_kube_short_names(facts));
	pic_json_set(resource, "categories", pic_kube_categories(facts));
	if (facts->has_status) {
		struct pic_json *subresources = pic_json_new_array();
		struct pic_json *status = pic_json_new_object();
		pic_json_set_text(status, "subresource", "status");
		pic_json_set(status, "responseKind",
			     response_kind(facts->group, facts->version, facts->name));
		pic_json_set(status, "verbs", pic_kube_status_verbs(facts));
		pic_json_append(subresources, status);
		pic_json_set(resource, "subresources", subresources);
	}
	return resource;
}

static struct pic_json *aggregated_review(const struct pic_kube_review *review, const char *version)
{
	static const char *const verbs[] = { "create", NULL };
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "resource", review->plural);
	pic_json_set(resource, "responseKind", response_kind(review->group, version, review->kind));
	pic_json_set_text(resource, "scope", "Cluster");
	pic_json_set_text(resource, "singularResource", "");
	pic_json_set(resource, "verbs", pic_kube_text_list(verbs));
	return resource;
}

static struct pic_json *aggregated_version(const struct pic_kube_group_version *of)
{
	struct pic_json *version = pic_json_new_object();
	struct pic_json *resources = pic_json_new_array();
	const struct pic_kind_facts *facts;

	pic_json_set_text(version, "version", of->version);
	pic_json_set_text(version, "freshness", "Current");
	for (int i = 0; (facts = pic_kube_next_kind(of->group, &i));)
		if (strcmp(facts->version, of->version) == 0)
			pic_json_append(resources, aggregated_resource(facts));
	for (const struct pic_kube_review *review = pic_kube_reviews; review->group; review++)
		if (pic_kube_review(of->group, of->version, review->plural) == review)
			pic_json_append(resources, aggregated_review(review, of->version));
	pic_json_set(version, "resources", resources);
	return version;
}

/* The item of the group that all[*i] begins; *i is moved behind its versions. */
static struct pic_json *aggregated_group(const struct pic_kube_group_version *all, size_t count,
					 size_t *i)
{
	struct pic_json *item = pic_json_new_object();
	struct pic_json *versions = pic_json_new_array();
	struct pic_json *metadata = pic_json_ensure_object(item, "metadata");
	const char *group = all[*i].group;

	if (*group)
		pic_json_set_text(metadata, "name", group);
	for (; *i < count && strcmp(all[*i].group, group) == 0; (*i)++)
		pic_json_append(versions, aggregated_version(&all[*i]));
	pic_json_set(item, "versions", versions);
	return item;
}

struct pic_json *pic_kube_aggregated(bool core, const char *version)
{
	struct pic_json *list = pic_json_new_object();
	struct pic_json *items = pic_json_new_array();
	struct pic_kube_group_version all[PIC_KUBE_GROUPS_MAX] = { { "", "v1" } };
	size_t count = core ? 1 : pic_kube_list_groups(all);
	char api_version[64];

	snprintf(api_version, sizeof(api_version), "apidiscovery.k8s.io/%s", version);
	pic_json_set_text(list, "kind", "APIGroupDiscoveryList");
	pic_json_set_text(list, "apiVersion", api_version);
	pic_json_set(list, "metadata", pic_json_new_object());
	for (size_t i = 0; i < count;)
		pic_json_append(items, aggregated_group(all, count, &i));
	pic_json_set(list, "items", items);
	return list;
}

void pic_kube_aggregated_type(const char *version, struct pic_buf *out)
{
	pic_buf_format(out, "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList",
		       version);
}
