/* The pages of devices: all of them, and one with its components. */
#include "hub/web/room.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hub/device_api/devices.h"
#include "hub/device_api/record.h"
#include "hub/web/components.h"

#define ROWS_MAX 100 /* on one page */
#define FIND_MAX 64

enum state {
	STATE_ONLINE,
	STATE_OFFLINE,
	STATE_QUARANTINED,
};

static enum state state_of(const struct pic_object *device)
{
	if (*pic_record_quarantine(device))
		return STATE_QUARANTINED;
	return pic_record_is_online(device) ? STATE_ONLINE : STATE_OFFLINE;
}

static void write_state(struct pic_page *page, const struct pic_object *device)
{
	static const struct {
		const char *tone, *text;
	} words[] = {
		[STATE_ONLINE] = { "good", "Connected" },
		[STATE_OFFLINE] = { "calm", "Offline" },
		[STATE_QUARANTINED] = { "bad", "Quarantined" },
	};
	const enum state state = state_of(device);

	pic_page_badge(page, words[state].tone, words[state].text);
}

/* When it was heard last, as text; "" when never. */
static void last_seen(struct pic_hub *hub, const struct pic_object *device, char out[PIC_TIME_TEXT])
{
	int64_t seen = pic_devices_last_seen(hub->devices, device->name);
	const char *kept = pic_json_get_text(pic_object_status(device), "lastSeen");

	if (seen)
		pic_time_format(seen, out);
	else
		snprintf(out, PIC_TIME_TEXT, "%s", kept ? kept : "");
}

/* "3 running, 1 awaiting approval, 1 failed" */
static void write_summary(struct pic_page *page, const struct pic_web_components *components)
{
	static const struct {
		const char *tone, *one;
	} words[] = {
		{ "good", "running" },	 { "ask", "waiting for approval" },
		{ "bad", "in trouble" }, { "busy", "on its way" },
		{ "calm", "ended" },
	};
	bool any = false;

	for (size_t w = 0; w < PIC_COUNT(words); w++) {
		size_t count = 0;

		for (size_t i = 0; i < components->count; i++)
			count += strcmp(pic_web_tone(&components->items[i]), words[w].tone) == 0;
		if (count == 0)
			continue;
		pic_html_format(&page->html, "%s%zu %s", any ? ", " : "", count, words[w].one);
		any = true;
	}
	if (!any)
		pic_html_text(&page->html, "no components");
}

/* What a person should do or know about the device itself. */
static void write_trouble(struct pic_page *page, const struct pic_object *device)
{
	const struct pic_json *report = pic_json_get(pic_object_status(device), "report");
	const char *epoch = pic_json_get_text(report, "epoch");
	const char *message = pic_json_get_text(report, "message");
	struct pic_html *html = &page->html;

	if (*pic_record_quarantine(device)) {
		pic_html_begin(html, "p", "class", "notice", NULL);
		pic_html_format(html,
				"%s. piccoloctl device release %s ends it, when you know which "
				"machine is the right one.",
				pic_record_quarantine(device), device->name);
		pic_html_end(html);
	} else if (epoch && *epoch && strcmp(epoch, pic_record_epoch(device)) != 0) {
		pic_html_begin(html, "p", "class", "notice", NULL);
		pic_html_format(html,
				"It runs the document of another epoch; confirm the new one with "
				"piccoloctl device accept-epoch %s.",
				device->name);
		pic_html_end(html);
	} else if (message && *message) {
		pic_html_element(html, "p", message, "class", "notice", NULL);
	}
}

/* The list. */

static void write_row(struct pic_page *page, struct pic_hub *hub, const struct pic_object *device)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(1024);
	struct pic_html *html = &page->html;
	struct pic_web_components components;
	char seen[PIC_TIME_TEXT];

	pic_html_path(&address, "/devices/%s", device->name);
	last_seen(hub, device, seen);
	pic_html_begin(html, "li", "class", "row", NULL);
	pic_html_begin(html, "h2", NULL);
	pic_html_element(html, "a", device->name, "href", pic_buf_text(&address), NULL);
	pic_html_end(html);
	write_state(page, device);
	pic_html_begin(html, "p", "class", "sum", NULL);
	if (pic_web_components_of(hub->store, device, &components, NULL) == 0) {
		write_summary(page, &components);
		pic_web_components_free(&components);
	}
	pic_html_end(html);
	pic_html_begin(html, "p", "class", "when", NULL);
	if (*seen) {
		pic_html_text(html, "heard ");
		pic_page_age(page, seen);
	} else {
		pic_html_text(html, "never heard");
	}
	pic_html_end(html);
	write_trouble(page, device);
	pic_html_end(html);
}

static bool fits(const struct pic_object *device, const char *find)
{
	return !find || !*find || strcasestr(device->name, find) != NULL;
}

static void write_search(struct pic_page *page, const char *find)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "form", "class", "search", "role", "search", NULL);
	pic_html_element(html, "label", "Find a device", "for", "find", NULL);
	pic_html_void(html, "input", "id", "find", "name", "find", "type", "search", "maxlength",
		      "63", "value", find ? find : "", NULL);
	pic_html_element(html, "button", "Find", "class", "quiet", NULL);
	pic_html_end(html);
}

static void write_more(struct pic_page *page, const char *find, const char *after)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(4096);

	pic_html_path(&address, "/?after=%s&find=%s", after, find ? find : "");
	pic_html_begin(&page->html, "p", NULL);
	pic_html_element(&page->html, "a", "More devices", "href", pic_buf_text(&address), NULL);
	pic_html_end(&page->html);
}

static void write_list(struct pic_page *page, struct pic_hub *hub, const char *find,
		       const char *after)
{
	const struct pic_object *last = NULL;
	size_t rows = 0;
	bool more = false;

	pic_html_begin(&page->html, "ul", "class", "rows", "role", "list", NULL);
	for (struct pic_object *device = pic_store_next(hub->store, PIC_KIND_DEVICE, NULL, NULL);
	     device && !more; device = pic_store_next(hub->store, PIC_KIND_DEVICE, NULL, device)) {
		if (!fits(device, find) || (after && strcmp(device->name, after) <= 0))
			continue;
		more = rows == ROWS_MAX;
		if (!more) {
			write_row(page, hub, device);
			last = device;
			rows++;
		}
	}
	pic_html_end(&page->html);
	if (rows == 0)
		pic_html_element(&page->html, "p", "No device of that name.", NULL);
	if (more)
		write_more(page, find, last->name);
}

static void write_first_steps(struct pic_page *page)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "p", "class", "empty", NULL);
	pic_html_text(html, "No device has joined yet. ");
	pic_html_element(html, "code", "piccoloctl enroll NAME", NULL);
	pic_html_text(html, " prints the line to run on it.");
	pic_html_end(html);
}

void pic_web_devices(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match)
{
	struct pic_page_frame frame = pic_web_frame(hub, exchange, "Devices", PIC_PLACE_DEVICES);
	const char *find = pic_exchange_query(exchange, "find");
	size_t count = pic_store_count(hub->store, PIC_KIND_DEVICE);
	struct pic_page page;

	(void)match;
	frame.topic = "devices";
	pic_page_begin(&page, &frame);
	if (count > 8 || find)
		write_search(&page, find && strlen(find) <= FIND_MAX ? find : "");
	pic_page_live(&page, "section", "devices", NULL);
	if (count == 0)
		write_first_steps(&page);
	else
		write_list(&page, hub, find, pic_exchange_query(exchange, "after"));
	pic_page_reply(&page, exchange, 200);
}

/* One device. */

static void write_facts(struct pic_page *page, struct pic_hub *hub, const struct pic_object *device)
{
	const struct pic_json *status = pic_object_status(device);
	const struct pic_json *agent = pic_json_find(status, "report", "agent", NULL);
	char seen[PIC_TIME_TEXT];

	last_seen(hub, device, seen);
	pic_page_live(page, "section", "device", "card");
	pic_html_begin(&page->html, "p", NULL);
	write_state(page, device);
	pic_html_end(&page->html);
	write_trouble(page, device);
	pic_html_begin(&page->html, "dl", NULL);
	pic_page_fact_time(page, "Heard", seen);
	pic_page_fact(page, "Address", pic_json_get_text(status, "address"));
	pic_page_fact(page, "Version", pic_json_get_text(agent, "version"));
	pic_page_fact_time(page, "Joined",
			   pic_json_get_text(pic_object_spec(device), "enrolledAt"));
	pic_html_end(&page->html);
	pic_html_end(&page->html);
}

static void write_component(struct pic_page *page, const struct pic_object *device,
			    const struct pic_web_component *component)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(4096);
	struct pic_html *html = &page->html;

	pic_html_path(&address, "/devices/%s/%s/%s", device->name, component->instance,
		      component->name);
	pic_html_begin(html, "li", "class", "row", NULL);
	pic_html_begin(html, "h3", NULL);
	pic_html_begin(html, "a", "href", pic_buf_text(&address), NULL);
	pic_html_format(html, "%s", component->name);
	pic_html_end(html);
	pic_html_end(html);
	pic_page_badge(page, pic_web_tone(component), component->phase);
	pic_html_begin(html, "p", "class", "sum", NULL);
	pic_html_format(html, "%s of %s", component->type, component->instance);
	pic_html_end(html);
	pic_html_begin(html, "p", "class", "when", NULL);
	if (pic_web_component_text(component, "since", "since")) {
		pic_html_text(html, "since ");
		pic_page_age(page, pic_web_component_text(component, "since", "since"));
	}
	pic_html_end(html);
	if (*component->message)
		pic_html_element(html, "p", component->message, "class", "words", NULL);
	pic_html_end(html);
}

static void write_components(struct pic_page *page, struct pic_hub *hub,
			     const struct pic_object *device)
{
	struct pic_html *html = &page->html;
	struct pic_web_components components;
	struct pic_error err = PIC_ERROR_INIT;

	pic_page_live(page, "section", "components", NULL);
	pic_html_element(html, "h2", "Components", NULL);
	if (pic_web_components_of(hub->store, device, &components, &err) < 0) {
		pic_html_element(html, "p", err.text, "role", "alert", NULL);
		pic_html_end(html);
		return;
	}
	if (components.count == 0)
		pic_html_element(html, "p", "Nothing is meant for this device yet.", "class",
				 "empty", NULL);
	pic_html_begin(html, "ul", "class", "rows", "role", "list", NULL);
	for (size_t i = 0; i < components.count; i++)
		write_component(page, device, &components.items[i]);
	pic_html_end(html);
	if (components.is_cut)
		pic_html_element(html, "p", "There are more than this page shows.", NULL);
	pic_web_components_free(&components);
	pic_html_end(html);
}

void pic_web_device(struct pic_hub *hub, struct pic_exchange *exchange,
		    const struct pic_route_match *match)
{
	struct pic_object *device =
		pic_store_get(hub->store, PIC_KIND_DEVICE, "", match->captured[0]);
	char topic[PIC_NAME_MAX + 16];
	struct pic_page page;

	if (!device) {
		pic_web_refuse(exchange, 404, "there is no device of that name");
		return;
	}
	struct pic_page_frame frame = pic_web_frame(hub, exchange, device->name, PIC_PLACE_DEVICES);
	snprintf(topic, sizeof(topic), "device/%.63s", device->name);
	frame.topic = topic;
	frame.up = "/";
	frame.up_text = "Devices";
	pic_page_begin(&page, &frame);
	write_facts(&page, hub, device);
	write_components(&page, hub, device);
	pic_page_reply(&page, exchange, 200);
}
