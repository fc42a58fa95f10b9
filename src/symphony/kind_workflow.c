/*
 * Fields of campaigns and of what they ask people: stages in both eras' forms, our window, approvals.
 */
#include "symphony/kind_fields.h"

#include "symphony/field_rows.h"

static const struct pic_field retry_fields[] = {
	NUMBER("maxRetries", "How often a failed stage is tried again."),
	TEXT("interval", "Time between two tries, for instance 10s."),
	END,
};

static const struct pic_field proxy_fields[] = {
	TEXT("provider", "Where the stage would run; refused here: stages run in the hub."),
	ANY_MAP("config", "Settings of the proxy."),
	END,
};

static const struct pic_field error_action_fields[] = {
	TEXT("mode", "stopOnAnyFailure, stopOnNFailures or silentlyContinue."),
	NUMBER("maxToleratedFailures", "How many failures stopOnNFailures bears."),
	END,
};

static const struct pic_field task_option_fields[] = {
	NUMBER("concurrency", "How many tasks run at once."),
	PART("errorAction", error_action_fields, "What a failed task does to the others."),
	END,
};

static const struct pic_field task_fields[] = {
	TEXT_REQUIRED("name", "Name of the task."),	TEXT("provider", "What the task does."),
	ANY_MAP("config", "Settings of its provider."), ANY_MAP("inputs", "Its inputs."),
	TEXT("target", "Kept, not interpreted."),	END,
};

static const struct pic_field window_fields[] = {
	TEXT("opens", "When the change is made: an RFC 3339 time, or now (as when it is absent)."),
	TEXT("closes", "When the change is taken back: an RFC 3339 time."),
	TEXT("length", "In place of closes: how long after opening, for instance 2h."),
	END,
};

static const struct pic_field stage_fields[] = {
	TEXT("name", "Name of the stage; its key in stages when it is not given."),
	TEXT("contexts", "Sites to run at; empty: here."),
	TEXT("provider",
	     "What the stage does: providers.stage.approval, .patch, .http, .delay, .wait or .mock."),
	ANY_MAP("config", "Settings of the provider."),
	TEXT("stageSelector",
	     "The next stage: a name, or an expression that gives one; empty ends the run."),
	ANY_MAP("inputs", "What the stage works on; ${{...}} is worked out when the stage starts."),
	BOOLEAN("handleErrors", "Whether the stage also follows one that failed."),
	ANY("schedule",
	    "When the stage starts: an RFC 3339 time, or date, time and zone (earlier era)."),
	PART("window", window_fields,
	     "For a patch: until when the change holds; it is taken back then."),
	PART("retry", retry_fields, "Further tries after a failure (later era)."),
	PART("proxy", proxy_fields, "Another server that runs the stage (later era)."),
	TEXT("target", "Kept, not interpreted (later era)."),
	LIST("tasks", task_fields, "Parallel parts of the stage (later era)."),
	PART("taskOption", task_option_fields, "How the tasks run (later era)."),
	END,
};

const struct pic_field pic_campaign_fields[] = {
	TEXT("name", "Name of the campaign; metadata.name when it is not given."),
	TEXT("displayName", "Name for people."),
	TEXT("firstStage", "The stage an activation begins with."),
	BOOLEAN("selfDriving", "Whether stages follow one another; false: one stage, then done."),
	MAP("stages", stage_fields, "The stages, by name."),
	TEXT("version", "Version of the campaign (later era)."),
	TEXT("rootResource", "Container the version belongs to (later era)."),
	END,
};

const struct pic_field pic_activation_fields[] = {
	TEXT("campaign", "Name of the campaign to run."),
	TEXT("campaignversion", "Name of the campaign to run, as name:version (later era)."),
	TEXT("name", "Name of the activation; metadata.name when it is not given."),
	TEXT("stage", "The stage to begin with; the campaign's firstStage when it is not given."),
	ANY_MAP("inputs", "Values for the stages: $trigger(name, default) reads them."),
	TEXT("generation", "Kept; the server counts in metadata.generation."),
	END,
};

static const struct pic_field item_fields[] = {
	TEXT("target", "The device."),
	TEXT("instance", "The instance as the device knows it."),
	TEXT("component", "The component."),
	TEXT("type", "What runs it."),
	TEXT("sha256", "The bytes that are allowed, by their digest."),
	TEXT("terms", "Digest of the settings that are allowed."),
	TEXT_LIST("grants", "What it may do beyond the default, for instance kernel-read."),
	ANY_MAP("facts", "What is known about the program: programs, helpers, maps, size."),
	END,
};

const struct pic_field pic_approval_fields[] = {
	TEXT("id", "What addresses and tickets call it; made by the hub."),
	TEXT("campaign", "The campaign that asks; empty when a person asks."),
	TEXT("activation", "The activation that asks."),
	TEXT("stage", "The stage that asks."),
	TEXT("run", "Which time it asks; made by the hub."),
	TEXT("requestedBy", "Who asks."),
	TEXT("reason", "Why it is asked."),
	LIST("items", item_fields, "What would run, where."),
	TEXT("opens", "From when it allows; absent: from the decision."),
	TEXT("closes", "Until when it allows; absent: lengthSeconds after opening."),
	NUMBER("lengthSeconds", "For how long it allows."),
	NUMBER("leaseMaxSeconds", "More was asked for than its devices allow: what they allow."),
	TEXT("expires", "Until when it can be decided."),
	TEXT_LIST("approvers", "Who may decide, by mail address; empty: any administrator."),
	END,
};

const struct pic_field pic_approver_fields[] = {
	TEXT_REQUIRED("mail", "Where requests are sent."),
	BOOLEAN("byMail", "Whether the link of the mail is enough to decide, without signing in."),
	END,
};
