#include "hub/web/request.h"

#include <stdio.h>
#include <string.h>

#include "hub/web/sentences.h"

#define LIST_MAX 64 /* items, programs, helpers: more are counted */

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

const char *pic_request_phase(const struct pic_object *approval)
{
	const char *phase = pic_json_get_text(pic_object_status(approval), "phase");

	return phase && *phase ? phase : "Pending";
}

void pic_request_badge(struct pic_page *page, const struct pic_object *approval)
{
	const char *phase = pic_request_phase(approval);
	const char *tone = strcmp(phase, "Pending") == 0    ? "ask"
			   : strcmp(phase, "Approved") == 0 ? "good"
			   : strcmp(phase, "Rejected") == 0 ? "bad"
							    : "calm";

	pic_page_badge(page, tone, phase);
}

/* What became of it. */

static void write_time(struct pic_page *page, const char *before, const char *time)
{
	if (!time || !*time)
		return;
	pic_html_text(&page->html, before);
	pic_page_time(page, time);
}

static void write_decision(struct pic_page *page, const char *verb, const struct pic_json *status)
{
	pic_html_format(&page->html, "%s by ", verb);
	pic_html_element(&page->html, "strong",
			 pic_json_text_or(pic_json_get(status, "decidedBy"), "somebody"), NULL);
	write_time(page, ", ", text_of(status, "decidedAt"));
	pic_html_text(&page->html, ".");
}

void pic_request_outcome(struct pic_page *page, const struct pic_object *approval)
{
	const struct pic_json *status = pic_object_status(approval);
	const char *phase = pic_request_phase(approval);
	struct pic_html *html = &page->html;

	pic_html_begin(html, "p", "class", "outcome", "role", "status", NULL);
	pic_request_badge(page, approval);
	pic_html_text(html, " ");
	if (strcmp(phase, "Pending") == 0) {
		pic_html_text(html, "Nobody has decided yet");
		write_time(page, "; it can be decided until ",
			   text_of(pic_object_spec(approval), "expires"));
		pic_html_text(html, ".");
	} else if (strcmp(phase, "Approved") == 0) {
		write_decision(page, "Approved", status);
		write_time(page, " It ends ", text_of(status, "ends"));
	} else if (strcmp(phase, "Rejected") == 0) {
		write_decision(page, "Rejected", status);
	} else if (strcmp(phase, "Revoked") == 0) {
		write_decision(page, "Taken back", status);
		pic_html_text(html, " Where the device can be reached it has ended.");
	} else if (strcmp(phase, "Ended") == 0) {
		write_decision(page, "It was approved", status);
		write_time(page, " Its time was over ", text_of(status, "ends"));
	} else if (strcmp(phase, "Expired") == 0) {
		pic_html_text(html, "Nobody decided in time");
		write_time(page, ": it could be decided until ",
			   text_of(pic_object_spec(approval), "expires"));
		pic_html_text(html, ".");
	} else {
		pic_html_text(html, "This hub does not know that state; it allows nothing.");
	}
	pic_html_end(html);
	if (*text_of(status, "comment")) {
		pic_html_element(html, "blockquote", text_of(status, "comment"), NULL);
	}
}

/* What it is about. */

static void write_more(struct pic_page *page, size_t count, const char *what)
{
	if (count <= LIST_MAX)
		return;
	pic_html_begin(&page->html, "li", NULL);
	pic_html_format(&page->html, "and %zu more %s than this page shows.", count - LIST_MAX,
			what);
	pic_html_end(&page->html);
}

static void write_programs(struct pic_page *page, const struct pic_json *programs)
{
	size_t count = pic_json_count(programs);
	struct pic_html *html = &page->html;
	char sentence[PIC_SENTENCE_MAX];

	pic_html_element(html, "h3", "What runs in the kernel", NULL);
	if (count == 0) {
		pic_html_element(html, "p", "The request does not say which programs it holds.",
				 "class", "notice", NULL);
		return;
	}
	pic_html_begin(html, "ul", NULL);
	for (size_t i = 0; i < count && i < LIST_MAX; i++) {
		pic_sentence_program(pic_json_at(programs, i), sentence);
		pic_html_element(html, "li", sentence, NULL);
	}
	write_more(page, count, "programs");
	pic_html_end(html);
}

static bool is_in_the_network(const struct pic_json *programs)
{
	static const char *const types[] = { "xdp", "tc", "sched_cls" };

	for (size_t i = 0; i < pic_json_count(programs); i++)
		for (size_t j = 0; j < PIC_COUNT(types); j++)
			if (strcmp(text_of(pic_json_at(programs, i), "type"), types[j]) == 0)
				return true;
	return false;
}

/* What makes it safer, or less so, than its programs alone say. */
static void write_care(struct pic_page *page, const struct pic_json *facts)
{
	struct pic_html *html = &page->html;
	char length[PIC_SENTENCE_MAX];
	long long number;

	if (pic_json_integer(pic_json_get(facts, "kfuncs"), &number) && number > 0)
		pic_html_element(html, "p",
				 "It calls functions of the kernel that no policy knows by name.",
				 "class", "notice", NULL);
	if (!pic_json_integer(pic_json_get(facts, "confirmSeconds"), &number) || number <= 0) {
		if (is_in_the_network(pic_json_get(facts, "programs")))
			pic_html_element(html, "p",
					 "Nobody looks whether the device still reaches this hub: "
					 "if it cuts the device off, it stays until its end.",
					 "class", "notice", NULL);
		return;
	}
	pic_sentence_length(number, length);
	pic_html_begin(html, "p", NULL);
	pic_html_format(
		html,
		"If the device cannot reach this hub's address any more, it takes the program "
		"off within %s.",
		length);
	pic_html_end(html);
}

static void write_grants(struct pic_page *page, const struct pic_json *grants)
{
	size_t count = pic_json_count(grants);
	struct pic_html *html = &page->html;
	char sentence[PIC_SENTENCE_MAX];

	pic_html_element(html, "h3", "What it may do beyond that", NULL);
	if (count == 0) {
		pic_html_element(html, "p",
				 "Nothing: it may not read the kernel's memory and may not send "
				 "packets elsewhere.",
				 NULL);
		return;
	}
	pic_html_begin(html, "ul", "class", "grants", NULL);
	for (size_t i = 0; i < count && i < LIST_MAX; i++) {
		pic_sentence_grant(pic_json_text_or(pic_json_at(grants, i), ""), sentence);
		pic_html_element(html, "li", sentence, NULL);
	}
	write_more(page, count, "permissions");
	pic_html_end(html);
}

static bool any_helper_matters(const struct pic_json *helpers)
{
	char sentence[PIC_SENTENCE_MAX];

	for (size_t i = 0; i < pic_json_count(helpers); i++) {
		if (pic_sentence_helper(pic_json_text_or(pic_json_at(helpers, i), ""), sentence))
			return true;
	}
	return false;
}

static void write_helpers(struct pic_page *page, const struct pic_json *helpers)
{
	struct pic_html *html = &page->html;
	char sentence[PIC_SENTENCE_MAX];
	size_t told = 0;

	if (!any_helper_matters(helpers))
		return;
	pic_html_element(html, "h3", "What it asks of the kernel", NULL);
	pic_html_begin(html, "ul", NULL);
	/* calls that say nothing, in code that never runs, must not push one that matters off the page */
	for (size_t i = 0; i < pic_json_count(helpers); i++) {
		if (pic_sentence_helper(pic_json_text_or(pic_json_at(helpers, i), ""), sentence) &&
		    ++told <= LIST_MAX)
			pic_html_element(html, "li", sentence, NULL);
	}
	write_more(page, told, "functions");
	pic_html_end(html);
}

/* A list of texts, or of objects with a name, in one row. */
static void write_names(struct pic_page *page, const char *title, const struct pic_json *list)
{
	PIC_BUF struct pic_buf names = PIC_BUF_INIT(16 * 1024);

	for (size_t i = 0; i < pic_json_count(list) && i < LIST_MAX; i++) {
		const struct pic_json *item = pic_json_at(list, i);
		const char *name = pic_json_text(item);

		pic_buf_text_add(&names, names.size ? ", " : "");
		pic_buf_text_add(&names, name ? name : text_of(item, "name"));
	}
	if (pic_json_count(list) > LIST_MAX)
		pic_buf_format(&names, " and %zu more", pic_json_count(list) - LIST_MAX);
	pic_page_fact(page, title, pic_buf_text(&names));
}

static void write_details(struct pic_page *page, const struct pic_json *item, size_t index)
{
	const struct pic_json *facts = pic_json_get(item, "facts");
	struct pic_html *html = &page->html;
	char text[32];
	long long size;

	snprintf(text, sizeof(text), "details-%zu", index);
	pic_html_begin(html, "details", "id", text, NULL);
	pic_html_element(html, "summary", "More details", NULL);
	pic_html_begin(html, "dl", NULL);
	pic_page_fact(page, "Bytes (SHA-256)", text_of(item, "sha256"));
	pic_page_fact(page, "Terms (SHA-256)", text_of(item, "terms"));
	if (pic_json_integer(pic_json_get(facts, "size"), &size)) {
		snprintf(text, sizeof(text), "%lld bytes", size);
		pic_page_fact(page, "Size", text);
	}
	if (pic_json_integer(pic_json_get(facts, "kernelBytes"), &size)) {
		snprintf(text, sizeof(text), "%lld bytes", size);
		pic_page_fact(page, "Memory of the kernel", text);
	}
	pic_page_fact(page, "License", text_of(facts, "license"));
	write_names(page, "Functions of the kernel", pic_json_get(facts, "helpers"));
	write_names(page, "Maps", pic_json_get(facts, "maps"));
	pic_html_end(html);
	pic_html_end(html);
}

static void write_item(struct pic_page *page, const struct pic_json *item, size_t index)
{
	const struct pic_json *facts = pic_json_get(item, "facts");
	struct pic_html *html = &page->html;

	pic_html_begin(html, "section", "class", "card item", NULL);
	pic_html_begin(html, "h2", NULL);
	pic_html_format(html, "%s on %s", text_of(item, "component"), text_of(item, "target"));
	pic_html_end(html);
	pic_html_begin(html, "dl", NULL);
	pic_page_fact(page, "Type", text_of(item, "type"));
	pic_page_fact(page, "Instance", text_of(item, "instance"));
	pic_html_end(html);
	if (strcmp(text_of(item, "type"), "ebpf") == 0) {
		write_programs(page, pic_json_get(facts, "programs"));
		write_care(page, facts);
	}
	write_grants(page, pic_json_get(item, "grants"));
	write_helpers(page, pic_json_get(facts, "helpers"));
	write_details(page, item, index);
	pic_html_end(html);
}

/* Who, why, from when to when. */

static void write_devices(struct pic_page *page, const struct pic_json *items)
{
	PIC_BUF struct pic_buf names = PIC_BUF_INIT(16 * 1024);
	const char *last = "";

	for (size_t i = 0; i < pic_json_count(items) && i < LIST_MAX; i++) {
		const char *target = text_of(pic_json_at(items, i), "target");

		if (strcmp(target, last) == 0)
			continue;
		pic_buf_text_add(&names, names.size ? ", " : "");
		pic_buf_text_add(&names, target);
		last = target;
	}
	pic_page_fact(page, "Devices", pic_buf_text(&names));
}

static void write_window(struct pic_page *page, const struct pic_json *spec,
			 const struct pic_json *status)
{
	const char *opens = *text_of(status, "opens") ? text_of(status, "opens")
						      : text_of(spec, "opens");
	const char *ends = *text_of(status, "ends") ? text_of(status, "ends")
						    : text_of(spec, "closes");
	char length[PIC_SENTENCE_MAX];
	long long seconds = 0, most = 0;

	if (*opens)
		pic_page_fact_time(page, "From", opens);
	else
		pic_page_fact(page, "From", "the moment of the decision");
	if (*ends)
		pic_page_fact_time(page, "Until", ends);
	if (pic_json_integer(pic_json_get(spec, "leaseMaxSeconds"), &most) && most > 0) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_SENTENCE_MAX + 64);

		pic_sentence_length(most, length);
		pic_buf_format(&text, "%s: the device allows no more", length);
		pic_page_fact(page, "For at most", pic_buf_text(&text));
	} else if (pic_json_integer(pic_json_get(spec, "lengthSeconds"), &seconds) && seconds > 0) {
		pic_sentence_length(seconds, length);
		pic_page_fact(page, "For at most", length);
	}
}

static void write_campaign(struct pic_page *page, const struct pic_json *spec)
{
	struct pic_html *html = &page->html;

	if (!*text_of(spec, "campaign"))
		return;
	pic_html_element(html, "dt", "Campaign", NULL);
	pic_html_begin(html, "dd", NULL);
	pic_html_format(html, "%s, activation %s, stage %s", text_of(spec, "campaign"),
			text_of(spec, "activation"), text_of(spec, "stage"));
	pic_html_end(html);
}

void pic_request_facts(struct pic_page *page, const struct pic_object *approval)
{
	const struct pic_json *spec = pic_object_spec(approval);
	const struct pic_json *items = pic_json_get(spec, "items");
	const char *by = text_of(spec, "requestedBy"), *reason = text_of(spec, "reason");
	struct pic_html *html = &page->html;

	pic_html_begin(html, "section", "class", "card", NULL);
	pic_html_begin(html, "dl", NULL);
	pic_page_fact(page, "Who asks", *by ? by : "The request does not say who asks.");
	pic_page_fact(page, "Reason", *reason ? reason : "No reason is given.");
	write_devices(page, items);
	write_window(page, spec, pic_object_status(approval));
	write_campaign(page, spec);
	write_names(page, "May be decided by", pic_json_get(spec, "approvers"));
	pic_html_end(html);
	pic_html_end(html);
	for (size_t i = 0; i < pic_json_count(items) && i < LIST_MAX; i++)
		write_item(page, pic_json_at(items, i), i);
	if (pic_json_count(items) > LIST_MAX)
		pic_html_element(html, "p",
				 "There are more components than this page shows; look at the "
				 "request with kubectl before you decide.",
				 "class", "notice", NULL);
	if (pic_json_count(items) == 0)
		pic_html_element(html, "p", "The request names no component.", "class", "notice",
				 NULL);
}
