/* requests: what waits for a decision, and what was decided. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"
#include "ctl/ctl.h"

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

/* "tiny-edge: counter" and how many more */
static void what_of(const struct pic_json *request, char *out, size_t size)
{
	const struct pic_json *items = pic_json_get(request, "items");
	size_t count = pic_json_count(items);
	const struct pic_json *first = pic_json_at(items, 0);
	char more[32] = "";

	if (count > 1)
		snprintf(more, sizeof(more), " and %zu more", count - 1);
	snprintf(out, size, "%.63s%s%.63s%s", text_of(first, "target"), count ? ": " : "",
		 text_of(first, "component"), more);
}

/* Until when: of a decision while it waits, of the effect afterwards. */
static void until_of(const struct pic_json *request, char out[PIC_TIME_TEXT + 8])
{
	const char *phase = text_of(request, "phase");
	const char *key = strcmp(phase, "Pending") == 0	   ? "expires"
			  : strcmp(phase, "Approved") == 0 ? "ends"
							   : NULL;
	int64_t then;

	out[0] = '\0';
	if (!key || pic_time_parse(text_of(request, key), &then) < 0)
		return;
	int64_t left = then - pic_clock_wall_ms();
	pic_duration_age(left < 0 ? 0 : left, out);
}

static void print_requests(const struct pic_json *list, bool wide)
{
	static const char *const titles[] = {
		"NAME", "PHASE", "FOR", "LEFT", "BY", "REASON", "URL"
	};
	const size_t shown = wide ? PIC_COUNT(titles) : PIC_COUNT(titles) - 1;
	struct pic_table *table = pic_table_new(shown, titles);

	for (size_t i = 0; table && i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);
		char what[192], until[PIC_TIME_TEXT + 8];

		what_of(one, what, sizeof(what));
		until_of(one, until);
		const char *cells[] = { text_of(one, "name"),
					text_of(one, "phase"),
					what,
					until,
					text_of(one, "decidedBy"),
					text_of(one, "reason"),
					text_of(one, "url") };
		pic_table_row(table, cells);
	}
	pic_table_print(table, stdout);
	pic_table_free(table);
}

static int read_list(struct pic_ctl *ctl, struct pic_ctl_answer *answer, struct pic_error *err)
{
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	struct pic_ctl_call call = { .method = "GET" };
	const char *space;
	int r = pic_ctl_space(ctl, &space, err);

	if (r < 0)
		return r;
	pic_buf_text_add(&path, "/piccolo/v1/approvals");
	if (!ctl->all_spaces) {
		pic_buf_text_add(&path, "?namespace=");
		pic_percent_encode(space, &path);
	}
	call.path = pic_buf_text(&path);
	return pic_ctl_call(ctl, &call, answer, err);
}

int pic_ctl_requests(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };

	(void)argc;
	(void)argv;
	if (read_list(ctl, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (ctl->show_url) {
		puts(text_of(answer.json, "approve-url"));
		return PIC_EXIT_OK;
	}
	/* the address with its key is shown to who asks for it, not to every script */
	pic_json_delete(answer.json, "approve-url");
	if (strcmp(ctl->output, "table") != 0 && strcmp(ctl->output, "wide") != 0)
		return pic_ctl_print_value(answer.json, ctl->output, &err) < 0 ? pic_ctl_fail(&err)
									       : PIC_EXIT_OK;
	const struct pic_json *list = pic_json_get(answer.json, "approvals");
	if (pic_json_count(list) == 0)
		fprintf(stderr, "no requests\n");
	else
		print_requests(list, strcmp(ctl->output, "wide") == 0);
	return PIC_EXIT_OK;
}
