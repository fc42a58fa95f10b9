/*
 * The table of kinds. Order of the rows is the order of enum pic_kind.
 */
#include "symphony/kind.h"

#include <string.h>

#include "base/cleanup.h"
#include "symphony/kind_fields.h"

static const char *const all_verbs[] = {
	"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch", NULL,
};
static const char *const namespace_verbs[] = {
	"create", "delete", "get", "list", "patch", "update", "watch", NULL,
};
static const char *const no_verbs[] = { NULL };

static const struct pic_kind_column target_columns[] = {
	{ "Status", "status.properties.status", 0,
	  "Succeeded when the device is there and runs its own components." },
	{ "Device", "status.device.state", 0, "Online, Offline, NotEnrolled or Quarantined." },
	{ "Details", "status.statusDetails", 1, "Why, in one sentence." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column instance_columns[] = {
	{ "Status", "status.properties.status", 0, "Succeeded, Reconciling or Failed." },
	{ "Targets", "status.properties.targets", 0, "Number of targets it goes to." },
	{ "Deployed", "status.properties.deployed", 0, "Number of targets where all of it runs." },
	{ "Details", "status.statusDetails", 1, "Why, in one sentence." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column catalog_columns[] = {
	{ "Type", "spec.type", 0, "What the catalog holds." },
	{ "Target", "metadata.labels.staged_target", 0, "The target a staged catalog is for." },
	{ "Status", "status.properties.status", 0,
	  "Running, Waiting, Failed or Terminating, for a staged catalog." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column solution_columns[] = { { NULL, NULL, 0, NULL } };
static const struct pic_kind_column namespace_columns[] = {
	{ "Status", "status.phase", 0, "Active or Terminating." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column event_columns[] = {
	{ "Last Seen", "lastTimestamp", 0, "When it happened last." },
	{ "Type", "type", 0, "Normal or Warning." },
	{ "Reason", "reason", 0, "What happened, in one word." },
	{ "Object", "involvedObject.name", 0, "The object it happened to." },
	{ "Message", "message", 0, "What happened, in one sentence." },
	{ NULL, NULL, 0, NULL },
};

#define INTERNAL(k, n) \
	[k] = { .kind = (k), .group = NULL, .version = "v1", .name = (n), .verbs = no_verbs }

static const struct pic_kind_facts kinds[PIC_KIND_COUNT] = {
	[PIC_KIND_TARGET] = {
		.kind = PIC_KIND_TARGET, .group = "fabric.symphony", .version = "v1",
		.name = "Target", .plural = "targets", .singular = "target",
		.namespaced = true, .has_status = true, .verbs = all_verbs,
		.columns = target_columns, .spec = pic_target_fields,
		.help = "A place where solutions can run: one device, by the name it joined with.",
	},
	[PIC_KIND_SOLUTION] = {
		.kind = PIC_KIND_SOLUTION, .group = "solution.symphony", .version = "v1",
		.name = "Solution", .plural = "solutions", .singular = "solution",
		.namespaced = true, .has_status = true, .verbs = all_verbs,
		.columns = solution_columns, .spec = pic_solution_fields,
		.help = "What can be deployed: a list of components.",
	},
	[PIC_KIND_INSTANCE] = {
		.kind = PIC_KIND_INSTANCE, .group = "solution.symphony", .version = "v1",
		.name = "Instance", .plural = "instances", .singular = "instance",
		.namespaced = true, .has_status = true, .verbs = all_verbs,
		.columns = instance_columns, .spec = pic_instance_fields,
		.help = "A solution deployed to one or several targets.",
	},
	[PIC_KIND_CATALOG] = {
		.kind = PIC_KIND_CATALOG, .group = "federation.symphony", .version = "v1",
		.name = "Catalog", .plural = "catalogs", .singular = "catalog",
		.namespaced = true, .has_status = true, .verbs = all_verbs,
		.columns = catalog_columns, .spec = pic_catalog_fields,
		.help = "Named content; a staged catalog says what one instance has on one target.",
	},
	[PIC_KIND_NAMESPACE] = {
		.kind = PIC_KIND_NAMESPACE, .group = "", .version = "v1",
		.name = "Namespace", .plural = "namespaces", .singular = "namespace",
		.has_status = true, .verbs = namespace_verbs,
		.columns = namespace_columns, .spec = pic_namespace_fields,
		.help = "A room of its own for the names of objects.",
	},
	[PIC_KIND_EVENT] = {
		.kind = PIC_KIND_EVENT, .group = "", .version = "v1",
		.name = "Event", .plural = "events", .singular = "event",
		.namespaced = true, .verbs = all_verbs,
		.columns = event_columns,
		.help = "Something that happened to an object; kept for an hour.",
	},
	INTERNAL(PIC_KIND_DEVICE, "Device"),
	INTERNAL(PIC_KIND_TOKEN, "Token"),
	INTERNAL(PIC_KIND_ARTIFACT, "Artifact"),
	[PIC_KIND_TOMBSTONE] = {
		.kind = PIC_KIND_TOMBSTONE, .group = NULL, .version = "v1",
		.name = "Tombstone", .namespaced = true, .verbs = no_verbs,
	},
};

/* The later era keeps in its versioned kinds what the earlier one keeps in the plain ones. */
static const struct {
	enum pic_kind kind;
	const char *name, *plural;
} later_names[] = {
	{ PIC_KIND_SOLUTION, "SolutionVersion", "solutionversions" },
	{ PIC_KIND_CATALOG, "CatalogVersion", "catalogversions" },
};

const struct pic_kind_facts *pic_kind_facts(enum pic_kind kind)
{
	return (unsigned)kind < PIC_KIND_COUNT ? &kinds[kind] : NULL;
}

static bool in_group(const struct pic_kind_facts *facts, const char *group)
{
	return facts->group && group && strcmp(facts->group, group) == 0;
}

const struct pic_kind_facts *pic_kind_by_plural(const char *group, const char *plural)
{
	for (size_t i = 0; plural && i < PIC_COUNT(kinds); i++)
		if (in_group(&kinds[i], group) && strcmp(kinds[i].plural, plural) == 0)
			return &kinds[i];
	for (size_t i = 0; plural && i < PIC_COUNT(later_names); i++)
		if (in_group(&kinds[later_names[i].kind], group) &&
		    strcmp(later_names[i].plural, plural) == 0)
			return &kinds[later_names[i].kind];
	return NULL;
}

const struct pic_kind_facts *pic_kind_by_name(const char *group, const char *name)
{
	for (size_t i = 0; name && i < PIC_COUNT(kinds); i++)
		if (in_group(&kinds[i], group) && strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	for (size_t i = 0; name && i < PIC_COUNT(later_names); i++)
		if (in_group(&kinds[later_names[i].kind], group) &&
		    strcmp(later_names[i].name, name) == 0)
			return &kinds[later_names[i].kind];
	return NULL;
}
