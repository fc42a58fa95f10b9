#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/context.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/version.h"

#define FOLDER_MS 5000 /* of asking the supervisor for the own folder */

static void on_end(void *data, int signo)
{
	struct pic_agent *agent = data;

	pic_log(PIC_LOG_INFO, "agent-ending", PIC_NUMBER("signal", signo));
	pic_notify("STOPPING=1");
	pic_loop_stop(agent->loop);
}

static void read_boot(struct pic_agent *agent)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(64);

	if (pic_file_read_path("/proc/sys/kernel/random/boot_id", &text, NULL) == 0)
		snprintf(agent->boot, sizeof(agent->boot), "%.36s", pic_buf_text(&text));
}

static int open_loop(struct pic_agent *agent, struct pic_error *err)
{
	const struct {
		pic_timer_fn *fn;
		struct pic_timer **timer;
	} timers[] = {
		{ pic_agent_plan, &agent->plan_timer },
		{ pic_agent_report_now, &agent->report_timer },
		{ pic_agent_trim, &agent->trim_timer },
		{ pic_agent_plan, &agent->ticket_timer },
	};
	int r = pic_loop_new(&agent->loop, err);

	signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = pic_loop_signal(agent->loop, SIGTERM, on_end, agent, err);
	if (r == 0)
		r = pic_loop_signal(agent->loop, SIGINT, on_end, agent, err);
	for (size_t i = 0; r == 0 && i < PIC_COUNT(timers); i++)
		r = pic_loop_timer(agent->loop, timers[i].fn, agent, timers[i].timer, err);
	if (r == 0)
		r = pic_watchdog_start(&agent->watchdog, agent->loop, err);
	return r;
}

/* The agent's folder lies in root's: who comes to the supervisor finds it made anew. */
static int open_folder(struct pic_agent *agent, struct pic_error *err)
{
	const struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_LIST };
	const struct pic_agent_settings *settings = agent->settings;
	struct pic_supervisor_message reply;
	int fds[2], r = pic_agent_store_open(&agent->store, settings->state_folder, err);

	if (r != -ENOENT ||
	    pic_supervisor_perform(settings->run_folder, &call, FOLDER_MS, &reply, fds, NULL) < 0)
		return r;
	pic_close_fd(&fds[0]);
	pic_close_fd(&fds[1]);
	return pic_agent_store_open(&agent->store, settings->state_folder, err);
}

static int open_store(struct pic_agent *agent, struct pic_error *err)
{
	int r = open_folder(agent, err);

	if (r < 0)
		return pic_error_wrap(
			err, r, "the agent's folder (the supervisor makes it when it starts)");
	if (!agent->settings->file) {
		r = pic_agent_identity_load(&agent->identity, &agent->store, err);
		if (r < 0 && r != -ENOENT)
			return r;
		r = pic_agent_desired_load(agent, err);
	}
	return r < 0 ? r : pic_agent_artifacts_load(agent, err);
}

static int open_supervisor(struct pic_agent *agent, struct pic_error *err)
{
	const struct pic_supervisor_handler handler = pic_agent_supervisor_handler(agent);

	return pic_supervisor_link_new(&agent->supervisor, agent->loop, agent->settings->run_folder,
				       &handler, err);
}

static int open_fetcher(struct pic_agent *agent, struct pic_error *err)
{
	const struct pic_fetch_settings settings = {
		.folder = agent->store.downloads,
		.identity = &agent->identity,
		.user_agent = agent->user_agent,
		.lender = { pic_agent_hub_borrow, pic_agent_hub_give_back, agent },
		.files_allowed = agent->settings->file != NULL,
	};
	const struct pic_fetch_handler handler = { .done = pic_agent_fetched, .data = agent };

	return pic_fetcher_new(&agent->fetcher, agent->loop, &settings, &handler, err);
}

static int open_all(struct pic_agent *agent, struct pic_error *err)
{
	static int (*const parts[])(struct pic_agent * agent, struct pic_error * err) = {
		open_loop,
		open_store,
		open_fetcher,
		open_supervisor,
		pic_agent_status_open,
		pic_agent_metrics_open,
		pic_agent_watch_files,
		pic_agent_hub_open,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < PIC_COUNT(parts); i++)
		r = parts[i](agent, err);
	return r;
}

static void close_all(struct pic_agent *agent)
{
	pic_agent_hub_close(agent);
	pic_agent_metrics_close(agent);
	pic_agent_status_close(agent);
	pic_supervisor_link_free(agent->supervisor);
	pic_agent_asks_free(agent);
	pic_agent_scrapes_free(agent);
	pic_agent_tickets_free(agent);
	pic_agent_cancel_admissions(agent);
	pic_fetcher_free(agent->fetcher);
	while (agent->fresh) {
		struct pic_fresh *next = agent->fresh->next;

		free(agent->fresh);
		agent->fresh = next;
	}
	pic_wanted_clear(&agent->wanted);
	pic_agent_artifacts_free(agent);
	free(agent->entries);
	free(agent->statuses);
	free(agent->bindings);
	pic_agent_identity_clear(&agent->identity);
	pic_agent_store_close(&agent->store);
	pic_watch_free(agent->watch);
	pic_close_fd(&agent->watch_fd);
	pic_loop_free(agent->loop);
}

int pic_agent_run(const struct pic_agent_settings *settings, struct pic_error *err)
{
	struct pic_agent agent = {
		.settings = settings,
		.store = { -1, -1, -1 },
		.watch_fd = -1,
		.artifact_max = PIC_ARTIFACT_DEFAULT_MAX,
		.store_max = PIC_STORE_DEFAULT_MAX,
	};
	int r;

	agent.started_boot_ms = pic_clock_boot_ms();
	pic_random_text(16, agent.session);
	snprintf(agent.user_agent, sizeof(agent.user_agent), "piccolo/%s", PIC_VERSION);
	read_boot(&agent);
	r = open_all(&agent, err);
	if (r == 0) {
		pic_log(PIC_LOG_INFO, "agent-ready", PIC_TEXT("target", agent.target),
			PIC_TEXT("hub", agent.identity.hub));
		pic_notify("READY=1");
		r = pic_loop_run(agent.loop, err);
	}
	close_all(&agent);
	return r;
}
