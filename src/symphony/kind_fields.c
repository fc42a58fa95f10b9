/*
 * Fields of the November 2023 objects with the later era's beside them.
 */
#include "symphony/kind_fields.h"

#include "symphony/field_rows.h"

static const struct pic_field route_fields[] = {
	TEXT("route", "Name of the route."),
	TEXT("type", "Kind of the route."),
	ANY_MAP("properties", "Settings of the route."),
	LIST("filters", NULL, "Filters along the route."),
	END,
};

static const struct pic_field sidecar_fields[] = {
	TEXT("name", "Name of the sidecar."),
	TEXT("type", "Type of the sidecar."),
	ANY_MAP("properties", "Settings of the sidecar."),
	END,
};

static const struct pic_field component_fields[] = {
	TEXT_REQUIRED(
		"name",
		"Name of the component: lower-case letters, digits and -, unique in its list."),
	TEXT("type", "What runs it on the device: wasm, ebpf, container, docker or process."),
	TEXT_MAP("metadata", "Notes that travel with the component."),
	{ .name = "properties", .type = PIC_FIELD_PROPERTIES, .help = "Settings for its type." },
	TEXT_MAP("parameters", "Default values of parameters."),
	LIST("routes", route_fields, "Routes between components."),
	TEXT("constraints",
	     "An expression over the target's properties; the component goes only where it is true."),
	TEXT_LIST("dependencies", "Names of components that come before this one."),
	TEXT_LIST("skills", "Names of skills the component uses."),
	LIST("sidecars", sidecar_fields, "Companions of the component (later era)."),
	END,
};

static const struct pic_field binding_fields[] = {
	TEXT("role",
	     "The component type the binding is for, or instance for components without a type."),
	TEXT("provider", "What handles the role; providers.target.staging for devices that poll."),
	TEXT_MAP("config", "Settings of the provider."),
	END,
};

static const struct pic_field topology_fields[] = {
	TEXT("device", "Name of a device the topology is for."),
	TEXT_MAP("selector", "Properties of the devices the topology is for."),
	LIST("bindings", binding_fields, "Which provider handles which type of component."),
	END,
};

static const struct pic_field policy_fields[] = {
	TEXT("state", "active or inactive."),
	TEXT("interval", "How often the target is looked at; here changes are seen at once."),
	END,
};

const struct pic_field pic_target_fields[] = {
	TEXT("displayName", "Name for people; metadata.name when it is not given."),
	TEXT("scope", "Scope of what is deployed; kept, not interpreted."),
	TEXT_MAP("metadata", "Notes about the target."),
	TEXT_MAP("properties",
		 "Facts about the target that selectors and constraints can ask for."),
	LIST("components", component_fields,
	     "Components that this target runs on its own account."),
	TEXT("constraints", "Kept, not interpreted."),
	LIST("topologies", topology_fields, "Which provider handles which type of component."),
	BOOLEAN("forceRedeploy", "Kept, not interpreted."),
	TEXT("generation", "Kept; the server counts in metadata.generation."),
	TEXT("version", "Version of the target."),
	TEXT("solutionScope", "Scope of deployed solutions (later era); kept, not interpreted."),
	TEXT("solutionversionScope",
	     "Scope of deployed solutions (later era); kept, not interpreted."),
	BOOLEAN("isDryRun", "Kept, not interpreted (later era)."),
	PART("reconciliationPolicy", policy_fields, "Kept, not interpreted (later era)."),
	END,
};

const struct pic_field pic_solution_fields[] = {
	TEXT("displayName", "Name for people; metadata.name when it is not given."),
	TEXT("scope", "Kept, not interpreted."),
	TEXT_MAP("metadata", "Notes about the solution."),
	LIST("components", component_fields, "The parts of the solution."),
	TEXT("version", "Version of the solution (later era)."),
	TEXT("rootResource", "Container the version belongs to (later era)."),
	END,
};

static const struct pic_field chosen_target_fields[] = {
	TEXT("name", "Name of one target."),
	TEXT_MAP("selector",
		 "Properties of the wanted targets; * stands for any text, % for one character."),
	END,
};

static const struct pic_field pipeline_fields[] = {
	TEXT("name", "Name of the pipeline."),
	TEXT("skill", "Skill it uses."),
	TEXT_MAP("parameters", "Values for the skill."),
	END,
};

const struct pic_field pic_instance_fields[] = {
	TEXT("name", "Name of the instance; metadata.name when it is not given."),
	TEXT("displayName", "Name for people; metadata.name when it is not given."),
	TEXT("scope", "Kept, not interpreted."),
	TEXT_MAP("parameters", "Values for parameters of the solution."),
	TEXT_MAP("metadata", "Notes about the instance."),
	TEXT("solution", "Name of the solution to deploy."),
	TEXT("solutionversion", "Name of the solution to deploy, as name:version (later era)."),
	PART("target", chosen_target_fields,
	     "Where to deploy: one target by name, or all that a selector fits."),
	LIST("topologies", topology_fields, "Kept, not interpreted."),
	LIST("pipelines", pipeline_fields, "Kept, not interpreted."),
	ANY_MAP("arguments", "Arguments for each component; kept, not interpreted."),
	TEXT("generation", "Kept; the server counts in metadata.generation."),
	TEXT("version", "Version of the instance."),
	BOOLEAN("isDryRun", "Kept, not interpreted (later era)."),
	TEXT("activeState",
	     "active, or inactive to have everything removed from the targets (later era)."),
	END,
};

static const struct pic_field reference_fields[] = {
	TEXT("siteId", "Site of the object."),
	TEXT("name", "Name of the object."),
	TEXT("group", "API group of the object."),
	TEXT("version", "API version of the object."),
	TEXT("kind", "Kind of the object."),
	TEXT("scope", "Scope of the object."),
	TEXT("namespace", "Namespace of the object (later era)."),
	TEXT("address", "Address of the object's server."),
	TEXT("generation", "Generation of the object."),
	TEXT_MAP("metadata", "Notes about the reference."),
	END,
};

const struct pic_field pic_catalog_fields[] = {
	TEXT("siteId", "Site the catalog belongs to; hq when it is not given."),
	TEXT("name", "Name of the catalog; metadata.name when it is not given."),
	TEXT("type",
	     "What the catalog holds, for instance config, or staged for what a device should run."),
	TEXT("catalogType", "The same as type, in the later era."),
	ANY_MAP("properties", "The content."),
	TEXT_MAP("metadata", "Notes about the catalog."),
	TEXT("parentName", "Name of the catalog this one builds on."),
	PART("objectRef", reference_fields, "The object the catalog stands for."),
	TEXT("generation", "Kept; the server counts in metadata.generation."),
	TEXT("version", "Version of the catalog (later era)."),
	TEXT("rootResource", "Container the version belongs to (later era)."),
	END,
};

/* Empty in the middle era; what somebody writes there is kept. */
const struct pic_field pic_container_fields[] = {
	TEXT("displayName", "A name for people."),
	ANY("properties", "Anything."),
	END,
};

const struct pic_field pic_namespace_fields[] = {
	TEXT_LIST("finalizers", "Kept, not interpreted."),
	END,
};
