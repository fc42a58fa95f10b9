/*
 * The agent's one context struct, and what its files offer each other. Nobody outside agent/ includes it.
 *
 *   agent.c               set-up and end
 *   desired.c             the document in force: loaded, offered, judged by policy
 *   apply/apply.c         plans and hands the steps out
 *   apply/artifacts.c     look, fetch, take, drop
 *   apply/workloads.c     the ledger's mirror; start, stop, admit
 *   tickets.c             what the hub permits, carried to the supervisor; the mirror of what it has bound
 *   asks.c                logs and scrape for somebody at the hub
 *   watch.c               files that others change: policy.conf, identity.json
 *   hub.c                 which link there is, joining
 *   status/report.c       what is said about all this
 *   status/status.c       the same for `piccolo status`, on a local socket
 *   metrics/metrics.c     the same for Prometheus
 *   metrics/scrape.c      what workloads say of themselves, asked for when somebody reads it
 */
#ifndef PIC_AGENT_CONTEXT_H
#define PIC_AGENT_CONTEXT_H

#include "agent/agent.h"
#include "agent/fetch/fetch.h"
#include "agent/link/join.h"
#include "agent/link/link.h"
#include "agent/plan/wanted.h"
#include "agent/store/identity.h"
#include "agent/supervisor_link.h"
#include "base/loop.h"
#include "base/notify.h"
#include "protocol/ledger.h"

#define PIC_ARTIFACT_DEFAULT_MAX (64ULL * 1024 * 1024)
#define PIC_STORE_DEFAULT_MAX (512ULL * 1024 * 1024)

struct pic_agent;
struct pic_figures; /* metrics/figures.h */
struct pic_server;
struct pic_admitting; /* apply/workloads.c */
struct pic_status_server;

/* What stands behind artifacts[i] of the plan. */
struct pic_artifact_source {
	char *text; /* of its last failure */
	unsigned failures;
};

/* Somebody who waits for fresh figures of the ledger. */
struct pic_fresh {
	struct pic_fresh *next;
	void (*then)(struct pic_agent *agent, void *data);
	void *data;
};

struct pic_agent {
	const struct pic_agent_settings *settings;
	struct pic_loop *loop;
	struct pic_watchdog watchdog;
	char session[33];
	char user_agent[64];
	char boot[40];
	char target[PIC_NAME_MAX + 1];

	/* on disk */
	struct pic_agent_store store;
	struct pic_agent_identity identity; /* hub NULL: not joined */

	/* the hub */
	const struct pic_link_dialect *dialect; /* NULL: none */
	struct pic_link *link;
	struct pic_join *join;
	struct pic_timer *join_timer;
	unsigned join_failures;
	char join_problem[PIC_REPORT_TEXT_MAX], join_reason[48];

	/* what should be */
	struct pic_acceptance acceptance;
	struct pic_wanted wanted;
	uint64_t artifact_max; /* of policy */
	uint64_t store_max;    /* of policy; downloads may take as much */
	char refusal
		[PIC_REPORT_TEXT_MAX]; /* why the document that was offered last is not in force */
	char policy_problem[PIC_REPORT_TEXT_MAX];

	/* what is */
	struct pic_supervisor_link *supervisor;
	bool listed; /* the mirror below is the ledger */
	struct pic_plan_entry *entries;
	size_t entry_count, entry_room;
	struct pic_plan_artifact *artifacts;
	struct pic_artifact_source *artifact_sources;
	size_t artifact_count, artifact_room;
	struct pic_fetcher *fetcher;
	struct pic_admitting *admitting;
	struct pic_fresh *fresh;

	/* what is permitted */
	struct pic_binding *bindings; /* PIC_BINDINGS_MAX of them, or NULL */
	size_t binding_count;
	int64_t lease_max_ms; /* of policy */
	struct pic_ticket_errand *tickets;
	unsigned tickets_under_way;
	char *told_approvals; /* by the last poll; NULL: there was none */
	bool stamp_waits;     /* the next poll waits for the tickets under way */
	struct pic_timer *ticket_timer;
	struct pic_uplink uplink;
	bool uplink_told;

	/* what is said */
	struct pic_timer *plan_timer, *report_timer, *trim_timer;
	struct pic_report_component *statuses;
	size_t status_count;
	int64_t removed_through;
	int64_t sequence;
	bool report_pending, report_waits; /* waits: for the first plan */
	bool planned;			   /* the statuses are of a plan, at least once */
	int64_t started_boot_ms;
	struct pic_status_server *status_server;
	struct pic_server *metrics_server;
	struct pic_log_ask *log_asks;
	struct pic_scrape *scrapes;

	int watch_fd; /* inotify */
	int policy_watch, identity_watch;
	struct pic_watch *watch;
};

/* apply/apply.c */
void pic_agent_plan_soon(struct pic_agent *agent);
void pic_agent_plan(void *agent); /* timer */

/* apply/workloads.c */
struct pic_supervisor_handler pic_agent_supervisor_handler(struct pic_agent *agent);
void pic_agent_start_workload(struct pic_agent *agent, const struct pic_step *step);
void pic_agent_stop_workload(struct pic_agent *agent, const struct pic_step *step);
void pic_agent_admit(struct pic_agent *agent, const struct pic_step *step);
void pic_agent_cancel_admissions(struct pic_agent *agent);
/* Calls `then` when the figures of the ledger are fresh, at once when the supervisor is away. */
void pic_agent_when_fresh(struct pic_agent *agent,
			  void (*then)(struct pic_agent *agent, void *data), void *data);
void pic_agent_forget_fresh(struct pic_agent *agent, const void *data);

/* apply/artifacts.c */
int pic_agent_artifacts_load(struct pic_agent *agent, struct pic_error *err);
void pic_agent_artifacts_free(struct pic_agent *agent);
void pic_agent_artifacts_lost(struct pic_agent *agent); /* the supervisor went away in between */
void pic_agent_look(struct pic_agent *agent, const struct pic_step *step);
void pic_agent_fetch(struct pic_agent *agent, const struct pic_step *step);
void pic_agent_take(struct pic_agent *agent, const struct pic_step *step);
void pic_agent_drop(struct pic_agent *agent, const struct pic_step *step);
/* The store says that it does not have it after all. */
void pic_agent_artifact_is_gone(struct pic_agent *agent,
				const unsigned char digest[PIC_DIGEST_SIZE]);
void pic_agent_fetched(void *agent, const unsigned char digest[PIC_DIGEST_SIZE],
		       const struct pic_fetch_result *result);

/* desired.c */
int pic_agent_desired_load(struct pic_agent *agent, struct pic_error *err);
int pic_agent_offered(void *agent, const char *bytes, size_t size, bool confirmed);
void pic_agent_policy_changed(struct pic_agent *agent);

/* hub.c */
int pic_agent_hub_open(struct pic_agent *agent, struct pic_error *err);
void pic_agent_hub_close(struct pic_agent *agent);
void pic_agent_stamp_wanted(void *agent);
/* The supervisor learns where the hub is, when it does not know. */
void pic_agent_uplink_tell(struct pic_agent *agent);
void pic_agent_identity_changed(struct pic_agent *agent);
struct pic_client *pic_agent_hub_borrow(void *agent, bool *keep);
void pic_agent_hub_give_back(void *agent);
const struct pic_link_state *pic_agent_link_state(const struct pic_agent *agent);

/* tickets.c */
void pic_agent_bound(void *agent, const struct pic_binding *binding, bool first);
void pic_agent_ticketed(void *agent, const char *epoch, const struct pic_signed_ticket *ticket);
void pic_agent_approvals(void *agent, struct pic_buf *out);
void pic_agent_tickets_look(struct pic_agent *agent);
void pic_agent_tickets_free(struct pic_agent *agent);

/* asks.c */
void pic_agent_asked(void *agent, const struct pic_ask *ask);
void pic_agent_asks_free(struct pic_agent *agent);

/* watch.c */
int pic_agent_watch_files(struct pic_agent *agent, struct pic_error *err);

/* status/report.c */
void pic_agent_report_soon(struct pic_agent *agent);
void pic_agent_report_now(void *agent); /* timer */
/* Takes the plan's statuses over; "since" and the last error of a workload that is still there stay. */
void pic_agent_statuses_take(struct pic_agent *agent, struct pic_plan *plan);
int pic_agent_report_write(struct pic_agent *agent, struct pic_buf *out);
void pic_agent_trim_soon(struct pic_agent *agent);
void pic_agent_trim(void *agent); /* timer */

/* status/status.c */
int pic_agent_status_open(struct pic_agent *agent, struct pic_error *err);
void pic_agent_status_close(struct pic_agent *agent);

/* metrics/metrics.c */
int pic_agent_metrics_open(struct pic_agent *agent, struct pic_error *err);
void pic_agent_metrics_close(struct pic_agent *agent);
/* `figures`: what the workloads said, or NULL. */
void pic_agent_metrics_write(struct pic_agent *agent, const struct pic_figures *figures,
			     struct pic_buf *out);

/* metrics/scrape.c */
typedef void pic_figures_fn(struct pic_agent *agent, void *data, const struct pic_figures *figures);
/* The ledger's figures are fresh then, and `figures` holds what workloads said within a second; NULL: nobody
 * could be asked now. */
void pic_agent_figures(struct pic_agent *agent, pic_figures_fn *then, void *data);
void pic_agent_forget_figures(struct pic_agent *agent, const void *data);
void pic_agent_scrapes_free(struct pic_agent *agent);

#endif
