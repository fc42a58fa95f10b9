/* Status objects. */
#include "hub/kube_api/status_error.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MESSAGE_MAX 8192

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 400, "BadRequest" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "NotFound" },
	{ 405, "MethodNotAllowed" },
	{ 406, "NotAcceptable" },
	{ 408, "Timeout" },
	{ 409, "Conflict" },
	{ 410, "Expired" },
	{ 413, "RequestEntityTooLarge" },
	{ 415, "UnsupportedMediaType" },
	{ 422, "Invalid" },
	{ 429, "TooManyRequests" },
	{ 500, "InternalError" },
	{ 503, "ServiceUnavailable" },
	{ 504, "Timeout" },
};

const char *pic_kube_reason(int status)
{
	for (size_t i = 0; i < PIC_COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status >= 500 ? "InternalError" : "BadRequest";
}

const char *pic_kube_resource(const struct pic_kind_facts *facts, char out[PIC_KUBE_RESOURCE_TEXT])
{
	snprintf(out, PIC_KUBE_RESOURCE_TEXT, "%s%s%s", facts->plural, *facts->group ? "." : "",
		 facts->group);
	return out;
}

/* Texts of strangers stand in messages: what is no text becomes \xNN, so that it can be JSON. */
static int set_clean(struct pic_json *object, const char *key, const char *text)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(8 * MESSAGE_MAX);

	pic_text_escape(text, strlen(text), true, &clean);
	return pic_json_set_text(object, key, pic_buf_text(&clean));
}

/* `kind` is the resource's plural, but the Kind in a 422: kubectl prints it there. */
static struct pic_json *details_of(struct pic_kube_subject subject, const char *kind)
{
	struct pic_json *details = pic_json_new_object();

	if (subject.name && *subject.name)
		set_clean(details, "name", subject.name);
	if (subject.facts) {
		if (*subject.facts->group)
			pic_json_set_text(details, "group", subject.facts->group);
		pic_json_set_text(details, "kind", kind);
	}
	return details;
}

static void answer_status(struct pic_kube_answer *answer, int code, const char *reason,
			  const char *message, struct pic_json *details)
{
	struct pic_json *status = pic_json_new_object();

	pic_json_set_text(status, "kind", "Status");
	pic_json_set_text(status, "apiVersion", "v1");
	pic_json_set(status, "metadata", pic_json_new_object());
	pic_json_set_text(status, "status", code < 400 ? "Success" : "Failure");
	if (message)
		set_clean(status, "message", message);
	if (reason)
		pic_json_set_text(status, "reason", reason);
	if (details)
		pic_json_set(status, "details", details);
	if (code >= 400)
		pic_json_set_integer(status, "code", code);
	pic_kube_answer_json(answer, code, status);
}

void pic_kube_fail(struct pic_kube_answer *answer, int status, const char *reason,
		   struct pic_kube_subject subject, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	answer_status(answer, status, reason ? reason : pic_kube_reason(status), message,
		      subject.facts ? details_of(subject, subject.facts->plural) : NULL);
}

void pic_kube_fail_not_found(struct pic_kube_answer *answer, struct pic_kube_subject subject)
{
	char resource[PIC_KUBE_RESOURCE_TEXT];

	if (!subject.facts)
		pic_kube_fail(answer, 404, NULL, subject,
			      "the server could not find the requested resource");
	else
		pic_kube_fail(answer, 404, NULL, subject, "%s \"%s\" not found",
			      pic_kube_resource(subject.facts, resource), subject.name);
}

void pic_kube_fail_exists(struct pic_kube_answer *answer, struct pic_kube_subject subject)
{
	char resource[PIC_KUBE_RESOURCE_TEXT];

	pic_kube_fail(answer, 409, "AlreadyExists", subject, "%s \"%s\" already exists",
		      pic_kube_resource(subject.facts, resource), subject.name);
}

void pic_kube_fail_conflict(struct pic_kube_answer *answer, struct pic_kube_subject subject)
{
	char resource[PIC_KUBE_RESOURCE_TEXT];

	pic_kube_fail(
		answer, 409, "Conflict", subject,
		"Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
		"apply your changes to the latest version and try again",
		pic_kube_resource(subject.facts, resource), subject.name);
}

void pic_kube_fail_bad(struct pic_kube_answer *answer, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	answer_status(answer, 400, "BadRequest", message, NULL);
}

void pic_kube_fail_memory(struct pic_kube_answer *answer)
{
	answer_status(answer, 500, "InternalError", "the hub has no memory for this request", NULL);
}

void pic_kube_cause(struct pic_json *causes, const char *reason, const char *field,
		    const char *format, ...)
{
	struct pic_json *cause;
	char message[1024];
	va_list arguments;

	if (pic_json_count(causes) == PIC_KUBE_CAUSES_MAX)
		return;
	cause = pic_json_new_object();
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	pic_json_set_text(cause, "reason", reason);
	set_clean(cause, "message", message);
	set_clean(cause, "field", field);
	pic_json_append(causes, cause);
}

void pic_kube_fail_causes(struct pic_kube_answer *answer, int status, const char *reason,
			  struct pic_kube_subject subject, struct pic_json *causes,
			  const char *message)
{
	struct pic_json *details =
		details_of(subject, status == 422 ? subject.facts->name : subject.facts->plural);

	pic_json_set(details, "causes", causes);
	answer_status(answer, status, reason, message, details);
}

void pic_kube_fail_invalid(struct pic_kube_answer *answer, struct pic_kube_subject subject,
			   struct pic_json *causes)
{
	PIC_BUF struct pic_buf message = PIC_BUF_INIT(MESSAGE_MAX);
	size_t count = pic_json_count(causes);

	pic_buf_format(&message, "%s%s%s \"%s\" is invalid: ", subject.facts->name,
		       *subject.facts->group ? "." : "", subject.facts->group, subject.name);
	for (size_t i = 0; i < count; i++) {
		const struct pic_json *cause = pic_json_at(causes, i);
		pic_buf_format(&message, "%s%s: %s", i ? ", " : "",
			       pic_json_text_or(pic_json_get(cause, "field"), ""),
			       pic_json_text_or(pic_json_get(cause, "message"), ""));
	}
	pic_kube_fail_causes(answer, 422, "Invalid", subject, causes, pic_buf_text(&message));
}

void pic_kube_deleted(struct pic_kube_answer *answer, struct pic_kube_subject subject,
		      const char *uid)
{
	struct pic_json *details = details_of(subject, subject.facts->plural);

	if (uid && *uid)
		pic_json_set_text(details, "uid", uid);
	answer_status(answer, 200, NULL, NULL, details);
}
