/* The pages of campaigns: every run with its present stage, and one run with its history. */
#include "hub/web/room.h"

#include <stdio.h>
#include <string.h>

#include "hub/campaign/stage.h"

#define ROWS_MAX 200

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

/* The word of a status, and how it is shown. A run that has no status has not begun. */
static void write_status(struct pic_page *page, const struct pic_json *status)
{
	long long number = 0;
	const bool known = pic_json_integer(pic_json_get(status, "status"), &number);
	const char *text = text_of(status, "statusMessage");

	if (!known || number == 0)
		pic_page_badge(page, "busy", *text ? text : "Not begun");
	else if (number == PIC_STAGE_PAUSED)
		pic_page_badge(page, "ask", *text ? text : "Paused");
	else if (number == PIC_STAGE_RUNNING)
		pic_page_badge(page, "busy", *text ? text : "Running");
	else if (number == PIC_STAGE_DONE)
		pic_page_badge(page, "good", *text ? text : "Done");
	else
		pic_page_badge(page, "bad", *text ? text : "Failed");
}

static void campaign_of(const struct pic_object *activation, char out[PIC_OBJECT_NAME_MAX + 1])
{
	if (!pic_stage_campaign_name(activation, out))
		snprintf(out, PIC_OBJECT_NAME_MAX + 1, "no campaign");
}

static void write_run(struct pic_page *page, const struct pic_object *activation)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(4096);
	const struct pic_json *status = pic_object_status(activation);
	struct pic_html *html = &page->html;
	char campaign[PIC_OBJECT_NAME_MAX + 1];

	campaign_of(activation, campaign);
	pic_html_path(&address, "/campaigns/%s/%s", activation->space, activation->name);
	pic_html_begin(html, "li", "class", "row", NULL);
	pic_html_begin(html, "h3", NULL);
	pic_html_element(html, "a", activation->name, "href", pic_buf_text(&address), NULL);
	pic_html_end(html);
	write_status(page, status);
	pic_html_begin(html, "p", "class", "sum", NULL);
	pic_html_format(html, "of %s", campaign);
	if (*text_of(status, "stage"))
		pic_html_format(html, ", stage %s", text_of(status, "stage"));
	pic_html_end(html);
	pic_html_begin(html, "p", "class", "when", NULL);
	pic_page_age(page, pic_json_get_text(status, "updateTime"));
	pic_html_end(html);
	const char *details = *text_of(status, "errorMessage") ? text_of(status, "errorMessage")
							       : text_of(status, "statusDetails");
	if (*details)
		pic_html_element(html, "p", details, "class", "words", NULL);
	pic_html_end(html);
}

static void write_runs(struct pic_page *page, struct pic_store *store)
{
	size_t rows = 0;

	pic_html_element(&page->html, "h2", "Runs", NULL);
	if (pic_store_count(store, PIC_KIND_ACTIVATION) == 0) {
		pic_html_element(&page->html, "p",
				 "No campaign runs. An activation that is applied begins one.",
				 "class", "empty", NULL);
		return;
	}
	pic_html_begin(&page->html, "ul", "class", "rows", "role", "list", NULL);
	for (struct pic_object *run = pic_store_next(store, PIC_KIND_ACTIVATION, NULL, NULL);
	     run && rows < ROWS_MAX;
	     run = pic_store_next(store, PIC_KIND_ACTIVATION, NULL, run), rows++)
		write_run(page, run);
	pic_html_end(&page->html);
	if (pic_store_count(store, PIC_KIND_ACTIVATION) > ROWS_MAX)
		pic_html_element(&page->html, "p",
				 "There are more than this page shows: kubectl get activations "
				 "lists all.",
				 NULL);
}

static void write_campaign(struct pic_page *page, const struct pic_object *campaign)
{
	const struct pic_json *stages = pic_json_get(pic_object_spec(campaign), "stages");
	struct pic_html *html = &page->html;
	bool any = false;

	pic_html_begin(html, "li", "class", "row", NULL);
	pic_html_element(html, "h3", campaign->name, NULL);
	pic_html_begin(html, "p", "class", "sum", NULL);
	pic_html_text(html, "Stages: ");
	pic_json_each(stages, i) {
		pic_html_format(html, "%s%s", any ? ", " : "", pic_json_key(i));
		any = true;
	}
	pic_html_end(html);
	pic_html_end(html);
}

static void write_campaigns(struct pic_page *page, struct pic_store *store)
{
	size_t rows = 0;

	pic_html_element(&page->html, "h2", "Campaigns that are known", NULL);
	if (pic_store_count(store, PIC_KIND_CAMPAIGN) == 0)
		pic_html_element(&page->html, "p", "None has been applied.", "class", "empty",
				 NULL);
	pic_html_begin(&page->html, "ul", "class", "rows", "role", "list", NULL);
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_CAMPAIGN, NULL, NULL);
	     one && rows < ROWS_MAX;
	     one = pic_store_next(store, PIC_KIND_CAMPAIGN, NULL, one), rows++)
		write_campaign(page, one);
	pic_html_end(&page->html);
}

void pic_web_campaigns(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_page_frame frame =
		pic_web_frame(hub, exchange, "Campaigns", PIC_PLACE_CAMPAIGNS);
	struct pic_page page;

	(void)match;
	frame.topic = "campaigns";
	pic_page_begin(&page, &frame);
	pic_page_live(&page, "section", "runs", NULL);
	write_runs(&page, hub->store);
	pic_html_end(&page.html);
	pic_page_live(&page, "section", "campaigns", NULL);
	write_campaigns(&page, hub->store);
	pic_page_reply(&page, exchange, 200);
}

/* One run. */

static void write_waiting(struct pic_page *page, const struct pic_json *status)
{
	const struct pic_json *run = pic_json_get(status, "run");
	char time[PIC_TIME_TEXT];
	long long until = 0;

	if (!pic_json_integer(pic_json_get(run, "untilMs"), &until) || until <= 0)
		return;
	pic_time_format(until, time);
	pic_page_fact_time(page, "Goes on", time);
}

static void write_state(struct pic_page *page, const struct pic_object *activation)
{
	const struct pic_json *status = pic_object_status(activation);
	struct pic_html *html = &page->html;
	char campaign[PIC_OBJECT_NAME_MAX + 1];

	campaign_of(activation, campaign);
	pic_page_live(page, "section", "run", "card");
	pic_html_begin(html, "p", NULL);
	write_status(page, status);
	pic_html_end(html);
	if (*text_of(status, "errorMessage"))
		pic_html_element(html, "p", text_of(status, "errorMessage"), "class", "notice",
				 NULL);
	else if (*text_of(status, "statusDetails"))
		pic_html_element(html, "p", text_of(status, "statusDetails"), "class", "words",
				 NULL);
	pic_html_begin(html, "dl", NULL);
	pic_page_fact(page, "Campaign", campaign);
	pic_page_fact(page, "Stage", text_of(status, "stage"));
	pic_page_fact(page, "Next stage", text_of(status, "nextStage"));
	write_waiting(page, status);
	pic_page_fact_time(page, "Changed", pic_json_get_text(status, "updateTime"));
	pic_html_end(html);
	pic_html_end(html);
}

static void write_request(struct pic_page *page, struct pic_store *store,
			  const struct pic_object *activation)
{
	struct pic_html *html = &page->html;

	for (struct pic_object *object =
		     pic_store_next(store, PIC_KIND_APPROVAL, activation->space, NULL);
	     object; object = pic_store_next(store, PIC_KIND_APPROVAL, activation->space, object)) {
		PIC_BUF struct pic_buf address = PIC_BUF_INIT(1024);
		const struct pic_json *spec = pic_object_spec(object);

		if (strcmp(text_of(spec, "activation"), activation->name) != 0)
			continue;
		pic_html_path(&address, "/approvals/%s", text_of(spec, "id"));
		pic_html_begin(html, "p", NULL);
		pic_html_text(html, "It asked for an approval: ");
		pic_html_element(html, "a", object->name, "href", pic_buf_text(&address), NULL);
		pic_html_format(html, " (%s).",
				pic_json_text_or(pic_json_get(pic_object_status(object), "phase"),
						 "Pending"));
		pic_html_end(html);
	}
}

static void write_step(struct pic_page *page, const struct pic_json *entry)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "li", NULL);
	pic_html_element(html, "strong", text_of(entry, "stage"), NULL);
	pic_html_text(html, " ");
	write_status(page, entry);
	pic_html_begin(html, "p", "class", "when", NULL);
	pic_page_time(page, pic_json_get_text(entry, "startedAt"));
	if (*text_of(entry, "endedAt")) {
		pic_html_text(html, " to ");
		pic_page_time(page, pic_json_get_text(entry, "endedAt"));
	}
	pic_html_end(html);
	if (*text_of(entry, "errorMessage"))
		pic_html_element(html, "p", text_of(entry, "errorMessage"), "class", "words", NULL);
	pic_html_end(html);
}

static void write_history(struct pic_page *page, const struct pic_json *status)
{
	const struct pic_json *history = pic_json_get(status, "stageHistory");
	struct pic_html *html = &page->html;

	pic_html_element(html, "h2", "Stages so far", NULL);
	if (pic_json_count(history) == 0)
		pic_html_element(html, "p", "None has begun.", "class", "empty", NULL);
	pic_html_begin(html, "ol", "class", "steps", NULL);
	for (size_t i = 0; i < pic_json_count(history); i++)
		write_step(page, pic_json_at(history, i));
	pic_html_end(html);
}

void pic_web_activation(struct pic_hub *hub, struct pic_exchange *exchange,
			const struct pic_route_match *match)
{
	struct pic_object *activation = pic_store_get(hub->store, PIC_KIND_ACTIVATION,
						      match->captured[0], match->captured[1]);
	struct pic_page page;

	if (!activation) {
		pic_web_refuse(exchange, 404, "there is no activation of that name");
		return;
	}
	struct pic_page_frame frame =
		pic_web_frame(hub, exchange, activation->name, PIC_PLACE_CAMPAIGNS);
	frame.topic = "campaigns";
	frame.up = "/campaigns";
	frame.up_text = "Campaigns";
	pic_page_begin(&page, &frame);
	write_state(&page, activation);
	pic_page_live(&page, "section", "history", NULL);
	write_request(&page, hub->store, activation);
	write_history(&page, pic_object_status(activation));
	pic_page_reply(&page, exchange, 200);
}
