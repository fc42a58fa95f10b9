/* What a component waits for before its first start: others of its instance. */
#include "agent/plan/decide.h"

#include <string.h>

static const struct pic_plan_component *find(const struct pic_planner *planner,
					     const struct pic_plan_component *of, const char *name)
{
	for (size_t i = 0; i < planner->input->component_count; i++) {
		const struct pic_plan_component *other = &planner->input->components[i];

		if (strcmp(other->name.instance, of->name.instance) == 0 &&
		    strcmp(other->name.component, name) == 0)
			return other;
	}
	return NULL;
}

/* Running as it should, or done with what it had to do. */
static bool is_satisfied(const struct pic_planner *planner, const struct pic_plan_component *other)
{
	const struct pic_plan_entry *entry = pic_planner_entry(planner, &other->name);

	if (!entry)
		return false;
	if (entry->ledger.state == PIC_LEDGER_RUNNING)
		return true;
	return entry->ledger.state == PIC_LEDGER_ENDED && other->restart != PIC_RESTART_ALWAYS &&
	       entry->ledger.end_kind == PIC_END_STATUS && entry->ledger.end_value == 0 &&
	       memcmp(entry->ledger.spec_digest, other->spec_digest, PIC_DIGEST_SIZE) == 0;
}

/* Can `from` be reached from itself? As many rounds as there are components settle it. */
static bool is_in_circle(const struct pic_planner *planner, const struct pic_plan_component *from)
{
	const struct pic_plan_component *first = planner->input->components;
	size_t count = planner->input->component_count;
	PIC_FREE bool *reached = calloc(count + 1, sizeof(*reached));
	bool more = reached != NULL;

	if (!reached)
		return false;
	reached[count] = true; /* `from` itself, as the start */
	while (more) {
		more = false;
		for (size_t i = 0; i <= count; i++) {
			const struct pic_plan_component *at = i == count ? from : &first[i];

			for (size_t k = 0; reached[i] && k < at->dependency_count; k++) {
				const struct pic_plan_component *next =
					find(planner, at, at->dependencies[k]);

				if (next && !reached[next - first]) {
					reached[next - first] = true;
					more = true;
				}
			}
		}
	}
	return reached[from - first];
}

bool pic_planner_dependencies_run(const struct pic_planner *planner, size_t index,
				  struct pic_report_component *status)
{
	const struct pic_plan_component *component = &planner->input->components[index];

	if (!pic_planner_keeps(planner, PIC_RULE_DEPENDENCIES))
		return true;
	for (size_t i = 0; i < component->dependency_count; i++) {
		const char *name = component->dependencies[i];
		const struct pic_plan_component *other = find(planner, component, name);

		if (!other) {
			pic_planner_say(
				status, PIC_PHASE_PENDING, "DependencyMissing",
				"it needs '%s', which is not among the instance's components",
				name);
			return false;
		}
		if (is_satisfied(planner, other))
			continue;
		if (is_in_circle(planner, component))
			pic_planner_say(status, PIC_PHASE_FAILED, "DependencyCircle",
					"it needs '%s', which needs it in turn", name);
		else
			pic_planner_say(status, PIC_PHASE_PENDING, "WaitsForDependency",
					"it waits until '%s' runs", name);
		return false;
	}
	return true;
}
