/* approver add, list, remove: who may decide requests for approval. */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "ctl/ctl.h"

int pic_ctl_approver_add(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(4096);
	PIC_JSON struct pic_json *request = pic_json_new_object();
	struct pic_ctl_call call = { .method = "POST", .path = "/piccolo/v1/approvers" };

	(void)argc;
	pic_json_set_text(request, "mail", argv[0]);
	pic_json_set_bool(request, "byMail", ctl->by_mail);
	pic_json_write(request, PIC_JSON_COMPACT, &body);
	call.body = body.data;
	call.body_size = body.size;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	printf("approver %s added; %s\n", argv[0],
	       ctl->by_mail ? "the link of a mail is enough to decide"
			    : "who decides has to sign in");
	const struct pic_json *sent = pic_json_get(answer.json, "mailIsSent");
	if (ctl->by_mail && pic_json_type(sent) == PIC_JSON_BOOL && !pic_json_true(sent))
		fprintf(stderr, "warning: this hub sends no mail, it was started without "
				"--smtp-url; until it does, decide on the page or with "
				"piccoloctl approve\n");
	return PIC_EXIT_OK;
}

int pic_ctl_approver_remove(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	struct pic_ctl_call call = { .method = "DELETE" };

	(void)argc;
	pic_buf_text_add(&path, "/piccolo/v1/approvers/");
	pic_percent_encode(argv[0], &path);
	call.path = pic_buf_text(&path);
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	printf("approver %s removed; links of mails that were sent decide nothing any more\n",
	       argv[0]);
	return PIC_EXIT_OK;
}

int pic_ctl_approver_list(void *program, int argc, char **argv)
{
	static const char *const titles[] = { "MAIL", "BY-MAIL", "NAME" };
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	const struct pic_ctl_call call = { .method = "GET", .path = "/piccolo/v1/approvers" };

	(void)argc;
	(void)argv;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (strcmp(ctl->output, "table") != 0 && strcmp(ctl->output, "wide") != 0)
		return pic_ctl_print_value(answer.json, ctl->output, &err) < 0 ? pic_ctl_fail(&err)
									       : PIC_EXIT_OK;
	const struct pic_json *list = pic_json_get(answer.json, "approvers");
	if (pic_json_count(list) == 0) {
		fprintf(stderr, "no approvers; `piccoloctl approver add MAIL` makes one\n");
		return PIC_EXIT_OK;
	}
	struct pic_table *table = pic_table_new(PIC_COUNT(titles), titles);
	for (size_t i = 0; table && i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);
		const char *cells[] = {
			pic_json_text_or(pic_json_get(one, "mail"), ""),
			pic_json_true(pic_json_get(one, "byMail")) ? "yes" : "no",
			pic_json_text_or(pic_json_get(one, "name"), ""),
		};

		pic_table_row(table, cells);
	}
	pic_table_print(table, stdout);
	pic_table_free(table);
	return PIC_EXIT_OK;
}
