/* Short forms that handlers of every face share. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/route.h"

#define REPLY_MAX (32 * 1024 * 1024)

void pic_reply_json(struct pic_exchange *exchange, int status, const struct pic_json *value)
{
	static const char failed[] = "{\"error\":\"the answer could not be written\"}";
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(REPLY_MAX);

	if (pic_json_write(value, PIC_JSON_COMPACT, &body) < 0 || body.failed)
		pic_reply(exchange, 500, "application/json", failed, sizeof(failed) - 1);
	else
		pic_reply(exchange, status, "application/json", body.data, body.size);
}

void pic_plain_refuse(struct pic_exchange *exchange, int status, const char *why)
{
	pic_plain_refuse_reason(exchange, status, NULL, why);
}

void pic_plain_refuse_reason(struct pic_exchange *exchange, int status, const char *reason,
			     const char *why)
{
	PIC_JSON struct pic_json *body = pic_json_new_object();

	/* A sentence may quote what a stranger sent: bytes that are not UTF-8 would leave no text. */
	if (pic_json_set_text(body, "error", why) < 0) {
		PIC_BUF struct pic_buf escaped = PIC_BUF_INIT(8 * PIC_ERROR_TEXT);

		pic_text_escape(why, strlen(why), false, &escaped);
		pic_json_set_text(body, "error", pic_buf_text(&escaped));
	}
	if (reason)
		pic_json_set_text(body, "reason", reason);
	pic_reply_json(exchange, status, body);
}

int pic_status_of_error(int code)
{
	switch (code) {
	case -ENOENT:
		return 404;
	case -EINVAL:
	case -EILSEQ:
	case -ERANGE:
		return 400;
	case -EACCES:
	case -EPERM:
		return 403;
	case -EEXIST:
	case -EBUSY:
	case -EALREADY:
		return 409;
	case -ETIME:
		return 410;
	case -EFBIG:
	case -ENOBUFS:
		return 413;
	case -ENOSPC:
		return 507;
	default:
		return 500;
	}
}

struct durable_reply {
	struct pic_kept kept;	       /* first */
	struct pic_exchange *exchange; /* NULL: its peer went away */
	int status;
	struct pic_json *body;
	pic_refuse_fn *refuse;
};

static void durable_reply_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	struct durable_reply *reply = (struct durable_reply *)kept;

	(void)exchange;
	reply->exchange = NULL;
}

static void durable_reply_done(void *data, int status, const struct pic_error *err)
{
	struct durable_reply *reply = data;

	if (reply->exchange) {
		pic_exchange_set_data(reply->exchange, NULL);
		if (status < 0)
			reply->refuse(reply->exchange, pic_status_of_error(status), err->text);
		else if (reply->body)
			pic_reply_json(reply->exchange, reply->status, reply->body);
		else
			pic_reply(reply->exchange, reply->status, NULL, NULL, 0);
	}
	pic_json_unref(reply->body);
	free(reply);
}

void pic_reply_when_durable(struct pic_exchange *exchange, struct pic_change *change, int status,
			    struct pic_json *body, pic_refuse_fn *refuse)
{
	struct durable_reply *reply = calloc(1, sizeof(*reply));

	if (!reply || !change) {
		free(reply);
		pic_json_unref(body);
		pic_change_drop(change);
		refuse(exchange, 500, "no memory for the change");
		return;
	}
	*reply = (struct durable_reply){ { durable_reply_gone }, exchange, status, body, refuse };
	pic_exchange_set_data(exchange, reply);
	pic_change_commit(change, durable_reply_done, reply);
}

struct pic_actor pic_match_actor(const struct pic_route_match *match, struct pic_exchange *exchange,
				 const char *verb, char out_who[PIC_WHO_TEXT])
{
	switch (match->caller.role) {
	case PIC_ROLE_ADMIN:
		snprintf(out_who, PIC_WHO_TEXT, "%s",
			 match->caller.is_demo ? "insecure-demo" : "admin");
		break;
	case PIC_ROLE_DEVICE:
		snprintf(out_who, PIC_WHO_TEXT, "device:%s", match->caller.name);
		break;
	case PIC_ROLE_BOOT:
		snprintf(out_who, PIC_WHO_TEXT, "first-boot:%s", match->caller.name);
		break;
	case PIC_ROLE_NOBODY:
		snprintf(out_who, PIC_WHO_TEXT, "anybody");
		break;
	}
	return (struct pic_actor){ out_who, pic_exchange_peer(exchange), verb };
}
