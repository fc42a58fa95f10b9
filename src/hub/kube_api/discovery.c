/* Discovery documents out of the kind table and the reviews. */
#include "hub/kube_api/discovery.h"

#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "hub/kube_api/reviews.h"
#include "hub/kube_api/schema.h"

/* The Kubernetes version whose behaviour we follow; clients compare themselves with it. */
#define KUBE_MINOR "32"

/* One group and version, in the order of discovery. */
struct group_version {
	const char *group, *version;
};

#define GROUPS_MAX 16

static size_t add_group(struct group_version *all, size_t count, const char *group, const char *version)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].group, group) == 0 && strcmp(all[i].version, version) == 0)
			return count;
	if (count < GROUPS_MAX)
		all[count++] = (struct group_version){group, version};
	return count;
}

/* All but core; versions of one group stand together. */
static size_t list_groups(struct group_version all[GROUPS_MAX])
{
	const struct pic_kind_facts *facts;
	size_t count = 0;

	for (int i = 0; (facts = pic_kube_next_kind(NULL, &i));)
		if (*facts->group)
			count = add_group(all, count, facts->group, facts->version);
	for (const struct pic_kube_review *review = pic_kube_reviews; review->group; review++)
		for (size_t i = 0; review->versions[i]; i++)
			count = add_group(all, count, review->group, review->versions[i]);
	return count;
}

/* Short names people type; Symphony's own kinds have none. */
static const char *short_name(const struct pic_kind_facts *facts)
{
	if (facts->kind == PIC_KIND_NAMESPACE)
		return "ns";
	return facts->kind == PIC_KIND_EVENT ? "ev" : NULL;
}

static struct pic_json *text_list(const char *const *texts)
{
	struct pic_json *list = pic_json_new_array();

	for (; *texts; texts++)
		pic_json_append_text(list, *texts);
	return list;
}

static struct pic_json *status_verbs(void)
{
	static const char *const verbs[] = {"get", "patch", "update", NULL};

	return text_list(verbs);
}

/* `kubectl get symphony` and `kubectl get all` show the hub's own kinds. */
static struct pic_json *categories(const struct pic_kind_facts *facts)
{
	static const char *const symphony[] = {"all", "symphony", NULL};
	static const char *const none[] = {NULL};

	return text_list(*facts->group ? symphony : none);
}

static struct pic_json *short_names(const struct pic_kind_facts *facts)
{
	const char *const names[] = {short_name(facts), NULL};

	return text_list(names);
}

static struct pic_json *legacy_resource(const struct pic_kind_facts *facts)
{
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "name", facts->plural);
	pic_json_set_text(resource, "singularName", facts->singular);
	pic_json_set_bool(resource, "namespaced", facts->namespaced);
	pic_json_set_text(resource, "kind", facts->name);
	pic_json_set(resource, "verbs", text_list(facts->verbs));
	pic_json_set(resource, "shortNames", short_names(facts));
	pic_json_set(resource, "categories", categories(facts));
	return resource;
}

static struct pic_json *legacy_status(const struct pic_kind_facts *facts)
{
	struct pic_json *resource = pic_json_new_object();
	char name[80];

	snprintf(name, sizeof(name), "%s/status", facts->plural);
	pic_json_set_text(resource, "name", name);
	pic_json_set_text(resource, "singularName", "");
	pic_json_set_bool(resource, "namespaced", facts->namespaced);
	pic_json_set_text(resource, "kind", facts->name);
	pic_json_set(resource, "verbs", status_verbs());
	return resource;
}

static struct pic_json *legacy_review(const struct pic_kube_review *review)
{
	static const char *const verbs[] = {"create", NULL};
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "name", review->plural);
	pic_json_set_text(resource, "singularName", "");
	pic_json_set_bool(resource, "namespaced", false);
	pic_json_set_text(resource, "kind", review->kind);
	pic_json_set(resource, "verbs", text_list(verbs));
	return resource;
}

struct pic_json *pic_kube_resources(const char *group, const char *version)
{
	PIC_JSON struct pic_json *list = pic_json_new_object();
	struct pic_json *resources = pic_json_new_array();
	const struct pic_kind_facts *facts;
	char group_version[128];

	snprintf(group_version, sizeof(group_version), "%s%s%s", group, *group ? "/" : "", version);
	pic_json_set_text(list, "kind", "APIResourceList");
	pic_json_set_text(list, "apiVersion", "v1");
	pic_json_set_text(list, "groupVersion", group_version);
	pic_json_set(list, "resources", resources);
	for (int i = 0; (facts = pic_kube_next_kind(group, &i));) {
		if (strcmp(facts->version, version) != 0)
			continue;
		pic_json_append(resources, legacy_resource(facts));
		if (facts->has_status)
			pic_json_append(resources, legacy_status(facts));
	}
	for (const struct pic_kube_review *review = pic_kube_reviews; review->group; review++)
		if (pic_kube_review(group, version, review->plural) == review)
			pic_json_append(resources, legacy_review(review));
	return pic_json_count(resources) ? PIC_STEAL(list) : NULL;
}

struct pic_json *pic_kube_core_versions(void)
{
	struct pic_json *versions = pic_json_new_object();
	static const char *const v1[] = {"v1", NULL};

	pic_json_set_text(versions, "kind", "APIVersions");
	pic_json_set(versions, "versions", text_list(v1));
	pic_json_set(versions, "serverAddressByClientCIDRs", pic_json_new_array());
	return versions;
}

static struct pic_json *version_entry(const struct group_version *of)
{
	struct pic_json *entry = pic_json_new_object();
	char text[128];

	snprintf(text, sizeof(text), "%s/%s", of->group, of->version);
	pic_json_set_text(entry, "groupVersion", text);
	pic_json_set_text(entry, "version", of->version);
	return entry;
}

/* The entry of the group that all[*i] begins; *i is moved behind its versions. */
static struct pic_json *group_entry(const struct group_version *all, size_t count, size_t *i)
{
	struct pic_json *entry = pic_json_new_object();
	struct pic_json *versions = pic_json_new_array();
	const char *group = all[*i].group;

	pic_json_set_text(entry, "name", group);
	pic_json_set(entry, "versions", versions);
	pic_json_set(entry, "preferredVersion", version_entry(&all[*i]));
	for (; *i < count && strcmp(all[*i].group, group) == 0; (*i)++)
		pic_json_append(versions, version_entry(&all[*i]));
	return entry;
}

struct pic_json *pic_kube_groups(void)
{
	struct pic_json *list = pic_json_new_object();
	struct pic_json *groups = pic_json_new_array();
	struct group_version all[GROUPS_MAX];
	size_t count = list_groups(all);

	pic_json_set_text(list, "kind", "APIGroupList");
	pic_json_set_text(list, "apiVersion", "v1");
	for (size_t i = 0; i < count;)
		pic_json_append(groups, group_entry(all, count, &i));
	pic_json_set(list, "groups", groups);
	return list;
}

struct pic_json *pic_kube_group(const char *group)
{
	struct group_version all[GROUPS_MAX];
	size_t count = list_groups(all);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(all[i].group, group) != 0)
			continue;
		struct pic_json *entry = group_entry(all, count, &i);
		pic_json_set_text(entry, "kind", "APIGroup");
		pic_json_set_text(entry, "apiVersion", "v1");
		return entry;
	}
	return NULL;
}

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
	pic_json_set(resource, "responseKind", response_kind(facts->group, facts->version, facts->name));
	pic_json_set_text(resource, "scope", facts->namespaced ? "Namespaced" : "Cluster");
	pic_json_set_text(resource, "singularResource", facts->singular);
	pic_json_set(resource, "verbs", text_list(facts->verbs));
	pic_json_set(resource, "shortNames", short_names(facts));
	pic_json_set(resource, "categories", categories(facts));
	if (facts->has_status) {
		struct pic_json *subresources = pic_json_new_array();
		struct pic_json *status = pic_json_new_object();
		pic_json_set_text(status, "subresource", "status");
		pic_json_set(status, "responseKind",
			     response_kind(facts->group, facts->version, facts->name));
		pic_json_set(status, "verbs", status_verbs());
		pic_json_append(subresources, status);
		pic_json_set(resource, "subresources", subresources);
	}
	return resource;
}

static struct pic_json *aggregated_review(const struct pic_kube_review *review, const char *version)
{
	static const char *const verbs[] = {"create", NULL};
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "resource", review->plural);
	pic_json_set(resource, "responseKind", response_kind(review->group, version, review->kind));
	pic_json_set_text(resource, "scope", "Cluster");
	pic_json_set_text(resource, "singularResource", "");
	pic_json_set(resource, "verbs", text_list(verbs));
	return resource;
}

static struct pic_json *aggregated_version(const struct group_version *of)
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
static struct pic_json *aggregated_group(const struct group_version *all, size_t count, size_t *i)
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
	struct group_version all[GROUPS_MAX] = {{"", "v1"}};
	size_t count = core ? 1 : list_groups(all);
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

struct pic_json *pic_kube_version(void)
{
	struct pic_json *version = pic_json_new_object();

	pic_json_set_text(version, "major", "1");
	pic_json_set_text(version, "minor", KUBE_MINOR);
	/* must be a full semantic version, or `kubectl version` fails */
	pic_json_set_text(version, "gitVersion", "v1." KUBE_MINOR ".0+piccolo-" PIC_VERSION);
#if defined(__x86_64__)
	pic_json_set_text(version, "platform", "linux/amd64");
#elif defined(__aarch64__)
	pic_json_set_text(version, "platform", "linux/arm64");
#else
	pic_json_set_text(version, "platform", "linux");
#endif
	return version;
}
