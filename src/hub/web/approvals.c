/* The list of requests for approval: those that wait first. */
#include "hub/web/room.h"

#include <string.h>

#include "hub/web/request.h"

#define ROWS_MAX 200

static bool is_waiting(const struct pic_object *object)
{
	return strcmp(pic_request_phase(object), "Pending") == 0;
}

static void write_row(struct pic_page *page, const struct pic_object *object)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(1024);
	const struct pic_json *spec = pic_object_spec(object);
	const struct pic_json *status = pic_object_status(object);
	struct pic_html *html = &page->html;

	pic_html_path(&address, "/approvals/%s",
		      pic_json_text_or(pic_json_get(spec, "id"), object->name));
	pic_html_begin(html, "li", "class", "row", NULL);
	pic_html_begin(html, "h3", NULL);
	pic_html_element(html, "a", object->name, "href", pic_buf_text(&address), NULL);
	pic_html_end(html);
	pic_request_badge(page, object);
	pic_html_begin(html, "p", "class", "sum", NULL);
	pic_html_text(html, "asked by ");
	pic_html_text(html, pic_json_text_or(pic_json_get(spec, "requestedBy"), "nobody named"));
	pic_html_end(html);
	pic_html_begin(html, "p", "class", "when", NULL);
	if (is_waiting(object)) {
		pic_html_text(html, "to be decided ");
		pic_page_age(page, pic_json_get_text(spec, "expires"));
	} else {
		pic_page_age(page, pic_json_get_text(status, "decidedAt"));
	}
	pic_html_end(html);
	const char *reason = pic_json_get_text(spec, "reason");
	if (reason && *reason)
		pic_html_element(html, "p", reason, "class", "words", NULL);
	pic_html_end(html);
}

struct list {
	const struct pic_object *items[ROWS_MAX];
	size_t count;
	bool is_cut;
};

static int by_age(const void *left, const void *right)
{
	const struct pic_object *const *a = left, *const *b = right;

	return ((*a)->revision < (*b)->revision) - ((*a)->revision > (*b)->revision);
}

static void collect(struct pic_store *store, bool waiting, struct list *out)
{
	out->count = 0;
	out->is_cut = false;
	for (struct pic_object *object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL);
	     object; object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, object)) {
		if (is_waiting(object) != waiting)
			continue;
		out->is_cut = out->count == ROWS_MAX;
		if (out->is_cut)
			break;
		out->items[out->count++] = object;
	}
	qsort(out->items, out->count, sizeof(out->items[0]), by_age);
}

static void write_list(struct pic_page *page, struct pic_store *store, bool waiting)
{
	struct pic_html *html = &page->html;
	struct list list;

	collect(store, waiting, &list);
	pic_html_element(html, "h2", waiting ? "Waiting for a decision" : "Decided and over", NULL);
	if (list.count == 0)
		pic_html_element(html, "p", waiting ? "Nothing waits for you." : "None yet.",
				 "class", "empty", NULL);
	pic_html_begin(html, "ul", "class", "rows", "role", "list", NULL);
	for (size_t i = 0; i < list.count; i++)
		write_row(page, list.items[i]);
	pic_html_end(html);
	if (list.is_cut)
		pic_html_element(html, "p",
				 "There are more than this page shows: piccoloctl requests lists "
				 "all.",
				 NULL);
}

void pic_web_approvals(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_page_frame frame =
		pic_web_frame(hub, exchange, "Approvals", PIC_PLACE_APPROVALS);
	struct pic_page page;

	(void)match;
	frame.topic = "approvals";
	pic_page_begin(&page, &frame);
	pic_page_live(&page, "section", "waiting", NULL);
	write_list(&page, hub->store, true);
	pic_html_end(&page.html);
	pic_page_live(&page, "section", "decided", NULL);
	write_list(&page, hub->store, false);
	pic_page_reply(&page, exchange, 200);
}
