/* approve, reject, revoke NAME: decisions about a request for approval. */
#include <stdio.h>

#include "base/text.h"
#include "ctl/ctl.h"

static int decide(struct pic_ctl *ctl, const char *name, const char *verb,
		  struct pic_ctl_answer *answer, struct pic_error *err)
{
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048), body = PIC_BUF_INIT(16384);
	PIC_JSON struct pic_json *request = pic_json_new_object();
	struct pic_ctl_call call = { .method = "POST" };
	const char *space;
	int r = pic_ctl_space(ctl, &space, err);

	if (r < 0)
		return r;
	pic_buf_text_add(&path, "/piccolo/v1/approvals/");
	pic_percent_encode(space, &path);
	pic_buf_char(&path, '/');
	pic_percent_encode(name, &path);
	pic_buf_format(&path, "/%s", verb);
	if (ctl->comment && pic_json_set_text(request, "comment", ctl->comment) < 0)
		return pic_error_set(err, PIC_CTL_USAGE, "--comment is no text in UTF-8");
	pic_json_write(request, PIC_JSON_COMPACT, &body);
	call.path = pic_buf_text(&path);
	call.body = body.data;
	call.body_size = body.size;
	return pic_ctl_call(ctl, &call, answer, err);
}

static int decide_and_tell(struct pic_ctl *ctl, const char *name, const char *verb,
			   const char *done)
{
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };

	if (decide(ctl, name, verb, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	const char *ends = pic_json_get_text(answer.json, "ends");
	printf("approval %s %s", name, done);
	if (ends && *verb == 'a')
		printf(", ends %s", ends);
	putchar('\n');
	return PIC_EXIT_OK;
}

int pic_ctl_approve(void *program, int argc, char **argv)
{
	(void)argc;
	return decide_and_tell(program, argv[0], "approve", "approved");
}

int pic_ctl_reject(void *program, int argc, char **argv)
{
	(void)argc;
	return decide_and_tell(program, argv[0], "reject", "rejected");
}

int pic_ctl_revoke(void *program, int argc, char **argv)
{
	(void)argc;
	return decide_and_tell(program, argv[0], "revoke",
			       "revoked; what it allowed ends at once where the device can be "
			       "reached, else at its next contact or its end");
}
