/* The page of one component, and what is asked of its device for it on demand: its lines, its metrics. */
#include "hub/web/room.h"

#include <stdio.h>
#include <string.h>

#include "hub/device_api/devices.h"
#include "hub/web/components.h"
#include "hub/web/metrics_rows.h"

#define ASK_SECONDS 15
#define LINES 200

/* The parts of the path. */
struct place {
	const char *device, *instance, *component;
};

static struct place place_of(const struct pic_route_match *match)
{
	return (struct place){ match->captured[0], match->captured[1], match->captured[2] };
}

static void write_evidence(struct pic_page *page, const struct pic_web_component *component)
{
	const struct pic_json *evidence = pic_web_component_evidence(component);
	char number[32];
	long long value;

	pic_page_fact(page, "Evidence", pic_json_get_text(evidence, "text"));
	if (pic_json_integer(pic_json_get(evidence, "pid"), &value)) {
		snprintf(number, sizeof(number), "%lld", value);
		pic_page_fact(page, "Process", number);
	}
	if (pic_json_integer(pic_json_get(evidence, "user"), &value)) {
		snprintf(number, sizeof(number), "%lld", value);
		pic_page_fact(page, "User", number);
	}
	if (pic_json_integer(pic_json_get(evidence, "memory-bytes"), &value) && value > 0) {
		snprintf(number, sizeof(number), "%.1f MB", (double)value / (1024 * 1024));
		pic_page_fact(page, "Memory", number);
	}
	pic_page_fact(page, "Bytes (SHA-256)", pic_json_get_text(evidence, "sha256"));
	pic_page_fact_time(page, "Ends", pic_json_get_text(evidence, "ends-at"));
}

static bool names(const struct pic_json *item, const struct place *place)
{
	return strcmp(pic_json_text_or(pic_json_get(item, "target"), ""), place->device) == 0 &&
	       strcmp(pic_json_text_or(pic_json_get(item, "instance"), ""), place->instance) == 0 &&
	       strcmp(pic_json_text_or(pic_json_get(item, "component"), ""), place->component) == 0;
}

/* The youngest request that is about this component, or NULL. */
static const struct pic_object *approval_of(struct pic_store *store, const struct place *place)
{
	const struct pic_object *found = NULL;

	for (struct pic_object *object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL);
	     object; object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, object)) {
		const struct pic_json *items = pic_json_get(pic_object_spec(object), "items");

		for (size_t i = 0; i < pic_json_count(items); i++) {
			if (names(pic_json_at(items, i), place) &&
			    (!found || object->revision > found->revision))
				found = object;
		}
	}
	return found;
}

static void write_approval(struct pic_page *page, struct pic_hub *hub, const struct place *place)
{
	const struct pic_object *approval = approval_of(hub->store, place);
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(1024);

	if (!approval)
		return;
	const char *id = pic_json_get_text(pic_object_spec(approval), "id");
	pic_html_path(&address, "/approvals/%s", id ? id : "");
	pic_html_element(&page->html, "dt", "Permission", NULL);
	pic_html_begin(&page->html, "dd", NULL);
	pic_html_element(&page->html, "a", approval->name, "href", pic_buf_text(&address), NULL);
	pic_html_format(&page->html, ": %s",
			pic_json_text_or(pic_json_get(pic_object_status(approval), "phase"),
					 "Pending"));
	pic_html_end(&page->html);
}

static void write_facts(struct pic_page *page, struct pic_hub *hub, const struct place *place,
			const struct pic_web_component *component)
{
	struct pic_html *html = &page->html;
	long long restarts;
	char number[32];

	pic_page_live(page, "section", "component", "card");
	pic_html_begin(html, "p", NULL);
	pic_page_badge(page, pic_web_tone(component), component->phase);
	if (strcmp(component->reason, component->phase) != 0)
		pic_html_format(html, " %s", component->reason);
	pic_html_end(html);
	if (*component->message)
		pic_html_element(html, "p", component->message, "class", "words", NULL);
	if (pic_json_true(pic_json_get(component->report, "orphaned")))
		pic_html_element(html, "p", "It runs, but no document of this hub names it.",
				 "class", "notice", NULL);
	pic_html_begin(html, "dl", NULL);
	pic_page_fact(page, "Instance", component->instance);
	pic_page_fact(page, "Type", component->type);
	pic_page_fact_time(page, "Since", pic_web_component_text(component, "since", "since"));
	if (pic_json_integer(pic_json_get(component->report, "restarts"), &restarts)) {
		snprintf(number, sizeof(number), "%lld", restarts);
		pic_page_fact(page, "Restarts", number);
	}
	pic_page_fact(page, "Last error",
		      pic_web_component_text(component, "last-error", "lastError"));
	write_evidence(page, component);
	write_approval(page, hub, place);
	pic_html_end(html);
	pic_html_end(html);
}

/* A part that is fetched when somebody wants it; without JavaScript its link is a page of its own. */
static void write_demand(struct pic_page *page, const struct place *place, const char *what,
			 const char *title, const char *text)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(4096);
	struct pic_html *html = &page->html;

	pic_html_path(&address, "/devices/%s/%s/%s/", place->device, place->instance,
		      place->component);
	pic_buf_text_add(&address, what);
	pic_html_begin(html, "section", "class", "demand", NULL);
	pic_html_element(html, "h2", title, NULL);
	pic_html_begin(html, "p", "class", "actions", NULL);
	pic_html_element(html, "a", text, "class", "button", "href", pic_buf_text(&address),
			 "data-load", what, NULL);
	pic_html_end(html);
	pic_html_element(html, "div", NULL, "id", what, "aria-live", "polite", NULL);
	pic_html_end(html);
}

static struct pic_page_frame frame_of(struct pic_hub *hub, const struct pic_exchange *exchange,
				      const struct place *place, struct pic_buf *up)
{
	struct pic_page_frame frame =
		pic_web_frame(hub, exchange, place->component, PIC_PLACE_DEVICES);

	pic_html_path(up, "/devices/%s", place->device);
	frame.up = pic_buf_text(up);
	frame.up_text = place->device;
	return frame;
}

static void show(struct pic_hub *hub, struct pic_exchange *exchange, const struct place *place,
		 const struct pic_web_component *component)
{
	PIC_BUF struct pic_buf up = PIC_BUF_INIT(1024);
	struct pic_page_frame frame = frame_of(hub, exchange, place, &up);
	char topic[PIC_NAME_MAX + 16];
	struct pic_page page;

	snprintf(topic, sizeof(topic), "device/%.63s", place->device);
	frame.topic = topic;
	pic_page_begin(&page, &frame);
	write_facts(&page, hub, place, component);
	write_demand(&page, place, "lines", "Lines", "Show its last lines");
	write_demand(&page, place, "metrics", "Metrics", "Ask for its metrics");
	pic_page_reply(&page, exchange, 200);
}

void pic_web_component(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	const struct place place = place_of(match);
	struct pic_object *device = pic_store_get(hub->store, PIC_KIND_DEVICE, "", place.device);
	struct pic_web_components components;
	struct pic_error err = PIC_ERROR_INIT;

	if (!device) {
		pic_web_refuse(exchange, 404, "there is no device of that name");
		return;
	}
	if (pic_web_components_of(hub->store, device, &components, &err) < 0) {
		pic_web_refuse(exchange, 500, err.text);
		return;
	}
	const struct pic_web_component *component =
		pic_web_components_find(&components, place.instance, place.component);
	if (component)
		show(hub, exchange, &place, component);
	else
		pic_web_refuse(exchange, 404, "the device has no such component (any more)");
	pic_web_components_free(&components);
}

/* Asks. The exchange is kept until the device has answered, or cannot. */

struct question {
	struct pic_kept kept; /* first */
	struct pic_hub *hub;
	struct pic_exchange *exchange;
	struct pic_pending_ask *pending;
	struct pic_ask ask;
	char device[PIC_NAME_MAX + 1];
	struct pic_workload_name name;
};

static void question_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	struct question *question = (struct question *)kept;

	(void)exchange;
	pic_devices_cancel(question->pending);
	free(question);
}

static void write_lines(struct pic_page *page, struct pic_view text)
{
	struct pic_html *html = &page->html;

	if (text.size == 0) {
		pic_html_element(html, "p", "It has written nothing yet.", "class", "empty", NULL);
		return;
	}
	pic_html_begin(html, "pre", "tabindex", "0", "aria-label", "Lines", NULL);
	pic_html_text_sized(html, text.data, text.size);
	pic_html_end(html);
}

static void write_metric(void *data, const struct pic_metrics_row *row)
{
	struct pic_html *html = data;

	pic_html_begin(html, "tr", NULL);
	pic_html_begin(html, "th", "scope", "row", NULL);
	pic_html_text_sized(html, row->name.data, row->name.size);
	if (row->labels.size) {
		pic_html_begin(html, "span", "class", "labels", NULL);
		pic_html_text_sized(html, row->labels.data, row->labels.size);
		pic_html_end(html);
	}
	pic_html_end(html);
	pic_html_begin(html, "td", NULL);
	pic_html_text_sized(html, row->value.data, row->value.size);
	pic_html_end(html);
	pic_html_end(html);
}

static void write_metrics(struct pic_page *page, const struct question *question,
			  struct pic_view text)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "table", NULL);
	pic_html_element(html, "caption", "As the device counts now", NULL);
	size_t rows = pic_metrics_rows(text, &question->name, write_metric, html);
	pic_html_end(html);
	if (rows == 0)
		pic_html_element(html, "p", "The device has no metrics of it.", "class", "empty",
				 NULL);
}

static void write_failure(struct pic_page *page, const struct pic_ask_answer *answer)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "p", "class", "notice", "role", "alert", NULL);
	if (answer->body.size)
		pic_html_text_sized(html, answer->body.data, answer->body.size);
	else
		pic_html_text(html, "The device could not answer");
	pic_html_end(html);
}

static void on_answer(void *data, const struct pic_ask_answer *answer)
{
	PIC_FREE struct question *question = data;
	struct pic_exchange *exchange = question->exchange;
	const bool is_lines = question->ask.kind == PIC_ASK_LOGS;
	const struct place place = { question->device, question->name.instance,
				     question->name.component };
	PIC_BUF struct pic_buf up = PIC_BUF_INIT(4096);
	struct pic_page_frame frame = frame_of(question->hub, exchange, &place, &up);
	struct pic_page page;

	pic_exchange_set_data(exchange, NULL);
	pic_buf_clear(&up);
	pic_html_path(&up, "/devices/%s/%s/%s", place.device, place.instance, place.component);
	frame.up = pic_buf_text(&up);
	frame.up_text = place.component;
	frame.title = is_lines ? "Lines" : "Metrics";
	pic_page_begin(&page, &frame);
	pic_html_begin(&page.html, "div", "id", is_lines ? "lines" : "metrics", NULL);
	if (answer->status != 200)
		write_failure(&page, answer);
	else if (is_lines)
		write_lines(&page, answer->body);
	else
		write_metrics(&page, question, answer->body);
	pic_page_reply(&page, exchange, answer->status);
}

static bool set_names(struct question *question, const struct place *place)
{
	if (strlen(place->device) > PIC_NAME_MAX || strlen(place->instance) > PIC_NAME_MAX ||
	    strlen(place->component) > PIC_NAME_MAX)
		return false;
	strcpy(question->device, place->device);
	strcpy(question->name.instance, place->instance);
	strcpy(question->name.component, place->component);
	return true;
}

static void ask(struct pic_hub *hub, struct pic_exchange *exchange,
		const struct pic_route_match *match, const struct pic_ask *wanted)
{
	const struct place place = place_of(match);
	struct question *question = calloc(1, sizeof(*question));
	struct pic_error err = PIC_ERROR_INIT;

	if (!question) {
		pic_web_refuse(exchange, 503, "no memory for a question");
		return;
	}
	if (!set_names(question, &place)) {
		free(question);
		pic_web_refuse(exchange, 404, "no device has a component of that name");
		return;
	}
	question->kept.gone = question_gone;
	question->hub = hub;
	question->exchange = exchange;
	question->ask = *wanted;
	question->ask.name = question->name;
	int r = pic_devices_ask(hub->devices, question->device, &question->ask, on_answer, question,
				&question->pending, &err);
	if (r < 0) {
		free(question);
		pic_web_refuse(exchange, pic_status_of_error(r), err.text);
		return;
	}
	pic_exchange_set_data(exchange, question);
}

void pic_web_lines(struct pic_hub *hub, struct pic_exchange *exchange,
		   const struct pic_route_match *match)
{
	const struct pic_ask wanted = { .kind = PIC_ASK_LOGS,
					.seconds = ASK_SECONDS,
					.lines = LINES };

	ask(hub, exchange, match, &wanted);
}

void pic_web_metrics(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match)
{
	const struct pic_ask wanted = { .kind = PIC_ASK_SCRAPE, .seconds = ASK_SECONDS };

	ask(hub, exchange, match, &wanted);
}
