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
static const char *const read_verbs[] = {
	"delete", "deletecollection", "get", "list", "watch", NULL,
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
static const struct pic_kind_column campaign_columns[] = {
	{ "First Stage", "spec.firstStage", 0, "Where an activation begins." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column activation_columns[] = {
	{ "Campaign", "spec.campaign", 0, "The campaign it runs." },
	{ "Stage", "status.stage", 0, "The stage it is in, or ended in." },
	{ "Next Stage", "status.nextStage", 1, "The stage that comes next." },
	{ "Status", "status.statusMessage", 0, "Running, Paused, Done, or what it failed with." },
	{ "Details", "status.statusDetails", 1, "Why, in one sentence." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column approval_columns[] = {
	{ "Phase", "status.phase", 0, "Pending, Approved, Rejected, Revoked, Expired or Ended." },
	{ "Requested By", "spec.requestedBy", 0, "Who asks." },
	{ "Decided By", "status.decidedBy", 0, "Who answered." },
	{ "Ends", "status.ends", 0, "Until when it allows." },
	{ "Expires", "spec.expires", 1, "Until when it can be decided." },
	{ "Reason", "spec.reason", 1, "Why it is asked." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column approver_columns[] = {
	{ "Mail", "spec.mail", 0, "Where requests are sent." },
	{ "By Mail", "spec.byMail", 0, "Whether the link of the mail is enough to decide." },
	{ NULL, NULL, 0, NULL },
};
static const struct pic_kind_column solution_columns[] = { { NULL, NULL, 0, NULL } };
static const struct pic_kind_column container_columns[] = { { NULL, NULL, 0, NULL } };
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

#define CONTAINER(k, g, n, s, of) \
	[k] = { \
		.kind = (k), \
		.group = (g), \
		.version = "v1", \
		.name = (n), \
		.plural = s "s", \
		.singular = (s), \
		.namespaced = true, \
		.has_status = true, \
		.verbs = all_verbs, \
		.columns = container_columns, \
		.spec = pic_container_fields, \
		.help = "What the versions of a " of \
			" have in common; this hub keeps it and needs it for nothing.", \
	}

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
	[PIC_KIND_CAMPAIGN] = {
		.kind = PIC_KIND_CAMPAIGN, .group = "workflow.symphony", .version = "v1",
		.name = "Campaign", .plural = "campaigns", .singular = "campaign",
		.namespaced = true, .verbs = all_verbs,
		.columns = campaign_columns, .spec = pic_campaign_fields,
		.help = "Stages that change things in order; an activation runs them.",
	},
	[PIC_KIND_ACTIVATION] = {
		.kind = PIC_KIND_ACTIVATION, .group = "workflow.symphony", .version = "v1",
		.name = "Activation", .plural = "activations", .singular = "activation",
		.namespaced = true, .has_status = true, .verbs = all_verbs,
		.columns = activation_columns, .spec = pic_activation_fields,
		.help = "One run of a campaign; deleting it stops the run and closes its window.",
		.own_status = true,
		.closed = "the status of an activation is the hub's memory of where it stands; to stop "
			  "it, delete the activation",
	},
	CONTAINER(PIC_KIND_SOLUTION_CONTAINER, "solution.symphony", "SolutionContainer",
		  "solutioncontainer", "solution"),
	CONTAINER(PIC_KIND_CATALOG_CONTAINER, "federation.symphony", "CatalogContainer",
		  "catalogcontainer", "catalog"),
	CONTAINER(PIC_KIND_CAMPAIGN_CONTAINER, "workflow.symphony", "CampaignContainer",
		  "campaigncontainer", "campaign"),
	[PIC_KIND_APPROVAL] = {
		.kind = PIC_KIND_APPROVAL, .group = "approval.piccolo", .version = "v1",
		.name = "Approval", .plural = "approvals", .singular = "approval",
		.namespaced = true, .has_status = true, .verbs = read_verbs,
		.columns = approval_columns, .spec = pic_approval_fields,
		.help = "What a person is asked, and what they answered.",
		.own_status = true,
		.closed = "approvals are made by campaigns and by piccoloctl diagnose, and decided on "
			  "the hub's page or with piccoloctl approve, reject and revoke",
	},
	[PIC_KIND_APPROVER] = {
		.kind = PIC_KIND_APPROVER, .group = "approval.piccolo", .version = "v1",
		.name = "Approver", .plural = "approvers", .singular = "approver",
		.verbs = all_verbs,
		.columns = approver_columns, .spec = pic_approver_fields,
		.help = "A person who may decide requests for approval.",
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
	[PIC_KIND_WINDOW] = {
		.kind = PIC_KIND_WINDOW, .group = NULL, .version = "v1",
		.name = "Window", .namespaced = true, .verbs = no_verbs,
	},
	[PIC_KIND_FIRST_BOOT] = {
		.kind = PIC_KIND_FIRST_BOOT, .group = NULL, .version = "v1",
		.name = "FirstBoot", .verbs = no_verbs,
	},
};

/* The later era keeps in its versioned kinds what the earlier one keeps in the plain ones. */
static const struct {
	enum pic_kind kind;
	const char *name, *plural;
} later_names[] = {
	{ PIC_KIND_SOLUTION, "SolutionVersion", "solutionversions" },
	{ PIC_KIND_CATALOG, "CatalogVersion", "catalogversions" },
	{ PIC_KIND_CAMPAIGN, "CampaignVersion", "campaignversions" },
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
