/* POST /piccolo/v1/enroll: a one-time token, and the line to run on the device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "hub/admin_api/admin.h"

#define VALID_DEFAULT_S (60 * 60)
#define VALID_MAX_S (30 * 24 * 60 * 60)

static struct pic_json *reply_for(struct pic_hub *hub, const char *target, const char *token,
				  int64_t expires_ms)
{
	struct pic_json *reply = pic_json_new_object();
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(4096);
	char hex[PIC_SHA256_TEXT], pin[PIC_SHA256_TEXT + 8], time[PIC_TIME_TEXT];
	struct pic_sha256 digest;

	pic_identity_authority_pin(hub->identity, &digest);
	pic_sha256_text(&digest, hex);
	snprintf(pin, sizeof(pin), "sha256:%s", hex);
	pic_time_format(expires_ms, time);
	pic_buf_format(&line, "piccolo join %s --target %s --ca-pin %s", hub->public_url, target,
		       pin);
	if (hub->tls_pin)
		pic_buf_format(&line, " --tls-pin %s", hub->tls_pin);
	pic_buf_text_add(&line, " --token-file -");
	pic_json_set_text(reply, "target", target);
	pic_json_set_text(reply, "token", token);
	pic_json_set_text(reply, "ca-pin", pin);
	if (hub->tls_pin)
		pic_json_set_text(reply, "tls-pin", hub->tls_pin);
	pic_json_set_text(reply, "join", pic_buf_text(&line));
	pic_json_set_text(reply, "expires", time);
	return reply;
}

/* Replied when the token is durable: one that the hub forgets would send a person to the device in vain. */
struct waiting {
	struct pic_kept kept;
	struct pic_exchange *exchange;
	struct pic_json *reply;
};

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	((struct waiting *)kept)->exchange = NULL;
}

static void on_stored(void *data, int status, const struct pic_error *err)
{
	struct waiting *waiting = data;

	if (waiting->exchange) {
		pic_exchange_set_data(waiting->exchange, NULL);
		if (status < 0)
			pic_plain_refuse(waiting->exchange, pic_status_of_error(status), err->text);
		else
			pic_reply_json(waiting->exchange, 200, waiting->reply);
	}
	pic_json_unref(waiting->reply);
	free(waiting);
}

static void enroll(struct pic_hub *hub, struct pic_exchange *exchange,
		   const struct pic_route_match *match, const char *target, int64_t valid_ms)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	struct pic_error err = PIC_ERROR_INIT;
	char token[PIC_TOKEN_TEXT], who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "enroll", who);
	int r = waiting ? pic_identity_enroll(hub->identity, &actor, target, valid_ms, token,
					      on_stored, waiting, &err)
			: pic_error_set(&err, -ENOMEM, "no memory to enrol %s", target);

	if (r < 0) {
		free(waiting);
		pic_plain_refuse(exchange, pic_status_of_error(r), err.text);
		return;
	}
	*waiting = (struct waiting){
		{ on_gone }, exchange, reply_for(hub, target, token, pic_clock_wall_ms() + valid_ms)
	};
	explicit_bzero(token, sizeof(token));
	pic_exchange_set_data(exchange, waiting);
}

void pic_admin_enroll(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	struct pic_view text = pic_exchange_body(exchange);
	struct pic_error err = PIC_ERROR_INIT;
	long long valid_s = VALID_DEFAULT_S;

	if (pic_json_parse(&body, text.data ? text.data : "", text.size, &err) < 0) {
		pic_plain_refuse(exchange, 400, err.text);
		return;
	}
	const char *target = pic_json_get_text(body, "target");
	const struct pic_json *valid = pic_json_get(body, "valid-seconds");
	if (!target || (valid && !pic_json_integer(valid, &valid_s)) || valid_s < 1 ||
	    valid_s > VALID_MAX_S) {
		pic_plain_refuse(
			exchange, 400,
			"\"target\" must be a text, \"valid-seconds\" a number up to 30 days");
		return;
	}
	if (hub->is_loopback_only && !hub->is_dev) {
		pic_plain_refuse(
			exchange, 409,
			"the hub listens on loopback only, so no device can reach it; start it with "
			"--listen ADDR:PORT, or say listen = ADDR:PORT in its hub.conf");
		return;
	}
	enroll(hub, exchange, match, target, valid_s * 1000);
}
