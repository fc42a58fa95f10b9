/* Discovery documents out of the kind table and the reviews. */
#include "hub/kube_api/discovery_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "hub/kube_api/reviews.h"
#include "hub/kube_api/schema.h"

/* The Kubernetes version whose behaviour we follow; clients compare themselves with it. */
#define KUBE_MINOR "32"

static size_t add_group(struct pic_kube_group_version *all, size_t count, const char *group,
			const char *version)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].group, group) == 0 && strcmp(all[i].version, version) == 0)
			return count;
	if (count < PIC_KUBE_GROUPS_MAX)
		all[count++] = (struct pic_kube_group_version){ group, version };
	return count;
}

size_t pic_kube_list_groups(struct pic_kube_group_version all[PIC_KUBE_GROUPS_MAX])
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

struct pic_json *pic_kube_text_list(const char *const *texts)
{
	struct pic_json *list = pic_json_new_array();

	for (; *texts; texts++)
		pic_json_append_text(list, *texts);
	return list;
}

struct pic_json *pic_kube_status_verbs(const struct pic_kind_facts *facts)
{
	static const char *const all[] = { "get", "patch", "update", NULL };
	static const char *const get[] = { "get", NULL };

	return pic_kube_text_list(facts->own_status ? get : all);
}

/* `kubectl get symphony` and `kubectl get all` show the hub's own kinds. */
struct pic_json *pic_kube_categories(const struct pic_kind_facts *facts)
{
	static const char *const symphony[] = { "all", "symphony", NULL };
	static const char *const none[] = { NULL };

	return pic_kube_text_list(*facts->group ? symphony : none);
}

struct pic_json *pic_kube_short_names(const struct pic_kind_facts *facts)
{
	const char *const names[] = { short_name(facts), NULL };

	return pic_kube_text_list(names);
}

static struct pic_json *legacy_resource(const struct pic_kind_facts *facts)
{
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "name", facts->plural);
	pic_json_set_text(resource, "singularName", facts->singular);
	pic_json_set_bool(resource, "namespaced", facts->namespaced);
	pic_json_set_text(resource, "kind", facts->name);
	pic_json_set(resource, "verbs", pic_kube_text_list(facts->verbs));
	pic_json_set(resource, "shortNames", pic_kube_short_names(facts));
	pic_json_set(resource, "categories", pic_kube_categories(facts));
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
	pic_json_set(resource, "verbs", pic_kube_status_verbs(facts));
	return resource;
}

static struct pic_json *legacy_review(const struct pic_kube_review *review)
{
	static const char *const verbs[] = { "create", NULL };
	struct pic_json *resource = pic_json_new_object();

	pic_json_set_text(resource, "name", review->plural);
	pic_json_set_text(resource, "singularName", "");
	pic_json_set_bool(resource, "namespaced", false);
	pic_json_set_text(resource, "kind", review->kind);
	pic_json_set(resource, "verbs", pic_kube_text_list(verbs));
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
	static const char *const v1[] = { "v1", NULL };

	pic_json_set_text(versions, "kind", "APIVersions");
	pic_json_set(versions, "versions", pic_kube_text_list(v1));
	pic_json_set(versions, "serverAddressByClientCIDRs", pic_json_new_array());
	return versions;
}

static struct pic_json *version_entry(const struct pic_kube_group_version *of)
{
	struct pic_json *entry = pic_json_new_object();
	char text[128];

	snprintf(text, sizeof(text), "%s/%s", of->group, of->version);
	pic_json_set_text(entry, "groupVersion", text);
	pic_json_set_text(entry, "version", of->version);
	return entry;
}

/* The entry of the group that all[*i] begins; *i is moved behind its versions. */
static struct pic_json *group_entry(const struct pic_kube_group_version *all, size_t count,
				    size_t *i)
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
	struct pic_kube_group_version all[PIC_KUBE_GROUPS_MAX];
	size_t count = pic_kube_list_groups(all);

	pic_json_set_text(list, "kind", "APIGroupList");
	pic_json_set_text(list, "apiVersion", "v1");
	for (size_t i = 0; i < count;)
		pic_json_append(groups, group_entry(all, count, &i));
	pic_json_set(list, "groups", groups);
	return list;
}

struct pic_json *pic_kube_group(const char *group)
{
	struct pic_kube_group_version all[PIC_KUBE_GROUPS_MAX];
	size_t count = pic_kube_list_groups(all);

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
