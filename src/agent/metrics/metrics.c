/*
 * /metrics of the device, for a Prometheus on the machine or in its network, and for the hub's scrape.
 * Nothing is counted for nobody: figures are asked for when somebody reads them.
 */
#include <errno.h>
#include <string.h>

#include "agent/context.h"
#include "agent/metrics/figures.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/version.h"
#include "net/server.h"

#define TEXT_MAX (512 * 1024 + PIC_FIGURES_TEXT_MAX)
#define CONNECTIONS_MAX 16
#define IDLE_S 15

static void gauge(struct pic_buf *out, const char *name, const char *help, double value)
{
	pic_metrics_family(out, name, "gauge", help);
	pic_metrics_sample(out, name, NULL, 0, value);
}

static void counter(struct pic_buf *out, const char *name, const char *help, double value)
{
	pic_metrics_family(out, name, "counter", help);
	pic_metrics_sample(out, name, NULL, 0, value);
}

static void write_agent(const struct pic_agent *agent, struct pic_buf *out)
{
	const struct pic_link_state *state = pic_agent_link_state(agent);
	const struct pic_label version = { "version", PIC_VERSION };

	pic_metrics_family(out, "piccolo_build_info", "gauge", "Version of the program, always 1.");
	pic_metrics_sample(out, "piccolo_build_info", &version, 1, 1);
	gauge(out, "piccolo_agent_connected", "Whether the hub answers this device.",
	      state->connection == PIC_LINK_CONNECTED);
	gauge(out, "piccolo_agent_supervisor_up", "Whether the supervisor answers the agent.",
	      agent->listed);
	counter(out, "piccolo_agent_polls_total", "Polls sent to the hub.", (double)state->polls);
	counter(out, "piccolo_agent_poll_failures_total", "Polls that brought no usable answer.",
		(double)state->failures);
	counter(out, "piccolo_agent_reports_total", "Reports that the hub took.",
		(double)state->reports);
	gauge(out, "piccolo_agent_document_revision", "Revision of the desired state in force.",
	      (double)agent->acceptance.revision);
	gauge(out, "piccolo_agent_last_contact_timestamp_seconds",
	      "Unix time of the hub's last answer, 0 before the first.",
	      (double)state->contact_wall_ms / 1000);
}

enum figure { UP, RESTARTS, CPU, MEMORY };

static double figure_of(const struct pic_ledger_entry *entry, enum figure figure)
{
	switch (figure) {
	case UP:
		return entry->state == PIC_LEDGER_RUNNING;
	case RESTARTS:
		return entry->restarts;
	case CPU:
		return (double)entry->cpu_us / 1e6;
	case MEMORY:
		return (double)entry->memory_bytes;
	}
	return 0;
}

static void write_workloads(const struct pic_agent *agent, struct pic_buf *out)
{
	static const struct {
		const char *name, *type, *help;
	} families[] = {
		[UP] = { "piccolo_workload_up", "gauge", "Whether the workload runs." },
		[RESTARTS] = { "piccolo_workload_restarts_total", "counter",
			       "Starts after the first one of what is asked for now." },
		[CPU] = { "piccolo_workload_cpu_seconds_total", "counter",
			  "Processor time of the workload." },
		[MEMORY] = { "piccolo_workload_memory_bytes", "gauge",
			     "Memory charged to the workload." },
	};

	for (size_t figure = 0; figure < PIC_COUNT(families) && agent->entry_count > 0; figure++) {
		pic_metrics_family(out, families[figure].name, families[figure].type,
				   families[figure].help);
		for (size_t i = 0; i < agent->entry_count; i++) {
			const struct pic_ledger_entry *entry = &agent->entries[i].ledger;
			const struct pic_label labels[] = { { "instance", entry->name.instance },
							    { "component", entry->name.component },
							    { "type", entry->type } };

			pic_metrics_sample(out, families[figure].name, labels, PIC_COUNT(labels),
					   figure_of(entry, (enum figure)figure));
		}
	}
}

void pic_agent_metrics_write(struct pic_agent *agent, const struct pic_figures *figures,
			     struct pic_buf *out)
{
	write_agent(agent, out);
	write_workloads(agent, out);
	if (!figures)
		return;
	gauge(out, "piccolo_workload_lines_dropped",
	      "Lines of workloads' own metrics that were not well formed or beyond the limits.",
	      (double)pic_figures_dropped(figures));
	pic_figures_write(figures, out);
}

static void serve(struct pic_agent *agent, void *data, const struct pic_figures *figures)
{
	struct pic_exchange *exchange = data;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(TEXT_MAX);

	pic_agent_metrics_write(agent, figures, &text);
	if (text.failed)
		pic_reply(exchange, 500, "text/plain", "no memory\n", 10);
	else
		pic_reply(exchange, 200, PIC_METRICS_CONTENT_TYPE, text.data, text.size);
	pic_agent_trim_soon(agent);
}

static void on_request(void *data, struct pic_exchange *exchange)
{
	static const char elsewhere[] = "Only /metrics is here.\n";

	if (strcmp(pic_exchange_path(exchange), "/metrics") != 0)
		pic_reply(exchange, 404, "text/plain", elsewhere, sizeof(elsewhere) - 1);
	else if (strcmp(pic_exchange_method(exchange), "GET") != 0)
		pic_reply(exchange, 405, "text/plain", "Only GET.\n", 10);
	else
		pic_agent_figures(data, serve, exchange);
}

static void on_gone(void *data, struct pic_exchange *exchange)
{
	pic_agent_forget_figures(data, exchange);
}

int pic_agent_metrics_open(struct pic_agent *agent, struct pic_error *err)
{
	const char *address = agent->settings->metrics;
	struct pic_server_settings settings = {
		.address = address,
		.connections_max = CONNECTIONS_MAX,
		.idle_timeout_s = IDLE_S,
		.handle = on_request,
		.gone = on_gone,
		.data = agent,
	};

	if (!address || strcmp(address, "off") == 0)
		return 0;
	if (pic_server_new(&agent->metrics_server, agent->loop, &settings, err) == 0)
		return 0;
	/* figures are a comfort: a port that is taken must not stop the device */
	pic_log(PIC_LOG_ERROR, "metrics-not-served", PIC_TEXT("why", err->text));
	return 0;
}

void pic_agent_metrics_close(struct pic_agent *agent)
{
	pic_server_free(PIC_STEAL(agent->metrics_server));
}
