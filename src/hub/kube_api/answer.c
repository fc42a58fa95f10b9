/* Answers of the kube API: one body, some warnings. */
#include "hub/kube_api/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void pic_kube_answer_free(struct pic_kube_answer *answer)
{
	for (size_t i = 0; i < PIC_KUBE_WARNINGS_MAX; i++)
		free(answer->warnings[i]);
	pic_buf_free(&answer->body);
	*answer = (struct pic_kube_answer)PIC_KUBE_ANSWER_INIT;
}

/* Constant, so that it can be said without memory. */
static const char starved[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
	"\"message\":\"the hub has no memory for this answer, or it is too large\","
	"\"reason\":\"InternalError\",\"code\":500}\n";

void pic_kube_answer_text(struct pic_kube_answer *answer, int status, const char *content_type,
			  const void *body, size_t size)
{
	pic_buf_clear(&answer->body);
	pic_buf_add(&answer->body, body, size);
	answer->status = status;
	answer->content_type = content_type;
}

void pic_kube_answer_json(struct pic_kube_answer *answer, int status, struct pic_json *body)
{
	PIC_JSON struct pic_json *owned = body;

	pic_buf_clear(&answer->body);
	answer->status = status;
	answer->content_type = "application/json";
	int r = pic_json_write(owned, PIC_JSON_COMPACT, &answer->body);
	pic_buf_char(&answer->body, '\n');
	if (r < 0 || answer->body.failed)
		pic_kube_answer_text(answer, 500, "application/json", starved, strlen(starved));
}

void pic_kube_answer_warn(struct pic_kube_answer *answer, const char *format, ...)
{
	size_t index = answer->warning_count++;
	char text[PIC_KUBE_WARNING_TEXT];
	va_list arguments;

	if (index >= PIC_KUBE_WARNINGS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	answer->warnings[index] = strdup(text); /* a lost warning is no reason to fail */
}

void pic_kube_warning_header(const char *text, struct pic_buf *out)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(8 * PIC_KUBE_WARNING_TEXT);

	pic_text_escape(text, strlen(text), false, &clean);
	pic_buf_text_add(out, "299 - \"");
	for (const char *at = pic_buf_text(&clean); *at; at++) {
		if (*at == '"' || *at == '\\')
			pic_buf_char(out, '\\');
		pic_buf_char(out, *at);
	}
	pic_buf_char(out, '"');
}
