/*
 * Inside of the plan: the plan under construction, and what is decided for one component.
 * Nobody outside agent/plan/ includes this.
 */
#ifndef PIC_AGENT_PLAN_DECIDE_H
#define PIC_AGENT_PLAN_DECIDE_H

#include "agent/plan/plan.h"

struct pic_planner {
	const struct pic_plan_input *input;
	struct pic_plan *plan;
	size_t fetches; /* under way or planned */
	bool stopped; /* only with PIC_RULE_FAILURE_IS_LOCAL broken: an earlier component failed */
};

static inline bool pic_planner_keeps(const struct pic_planner *planner, enum pic_plan_rule rule)
{
	return !(planner->input->broken & rule);
}

const struct pic_plan_entry *pic_planner_entry(const struct pic_planner *planner,
					       const struct pic_workload_name *name);
const struct pic_plan_artifact *pic_planner_artifact(const struct pic_planner *planner,
						     const unsigned char digest[PIC_DIGEST_SIZE]);
void pic_planner_step(struct pic_planner *planner, enum pic_step_kind kind, size_t component,
		      const struct pic_workload_name *name,
		      const unsigned char digest[PIC_DIGEST_SIZE]);
/* Plans the STOP of an entry, unless it is under way or has just failed; `component` is what is to start in
 * its place, or PIC_NO_COMPONENT: it goes for good. */
#define PIC_NO_COMPONENT SIZE_MAX
void pic_planner_stop(struct pic_planner *planner, const struct pic_plan_entry *entry,
		      size_t component);
void pic_planner_wake(struct pic_planner *planner, int64_t boot_ms);
/* The next free status, filled with name, type and the entry's evidence (entry may be NULL). */
struct pic_report_component *pic_planner_status(struct pic_planner *planner,
						const struct pic_workload_name *name,
						const char *type,
						const struct pic_plan_entry *entry);
void pic_planner_say(struct pic_report_component *status, enum pic_phase phase, const char *reason,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What is said behind the sentence that tells why the new version does not come: the one before goes on. */
const char *pic_planner_still(const struct pic_plan_entry *entry);
/* permission.c: false, with the reason in `status`, when no permission can come any more as it is described. */
bool pic_planner_may_be_permitted(struct pic_planner *planner,
				  const struct pic_plan_component *component,
				  const struct pic_plan_entry *entry,
				  struct pic_report_component *status);
/* True when a binding is open for it; else it waits for its ticket. */
bool pic_planner_is_permitted(struct pic_planner *planner,
			      const struct pic_plan_component *component,
			      const struct pic_plan_entry *entry,
			      struct pic_report_component *status);
/* Whether what the entry was started by is what the document names now. */
bool pic_planner_same_approval(const struct pic_planner *planner,
			       const struct pic_plan_component *component,
			       const struct pic_ledger_entry *entry);
/* Plans component `index`; its status is appended. */
void pic_planner_decide(struct pic_planner *planner, size_t index);
/* True when the artifact is in the supervisor's store; else plans the next step towards it and says
 * what is done in `status`. */
bool pic_planner_stored(struct pic_planner *planner, size_t index,
			struct pic_report_component *status);
/* Plans the DROP of artifacts that nobody wants or uses; true when some are still there. */
bool pic_planner_drop(struct pic_planner *planner);
/* True when all that the component depends on runs; else says what it waits for in `status`. */
bool pic_planner_dependencies_run(const struct pic_planner *planner, size_t index,
				  struct pic_report_component *status);

#endif
