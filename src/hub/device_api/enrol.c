/*
 * How a machine becomes a device: GET authority, POST join with a one-time token, POST renew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "hub/device_api/state.h"
#include "hub/first_boot/first_boot.h"

#define CERTIFICATE_MAX (16 * 1024)

void pic_device_authority(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match)
{
	const char *pem = pic_identity_authority(hub->identity);

	(void)match;
	pic_reply(exchange, 200, "application/x-pem-file", pem, strlen(pem));
}

/* The text member of a body, or a sentence that names it. */
static int take_text(const struct pic_json *body, const char *key, const char **out,
		     struct pic_error *err)
{
	*out = pic_json_get_text(body, key);
	if (!*out || !**out)
		return pic_error_set(err, -EINVAL, "\"%s\" must be a text", key);
	return 0;
}

static int read_body(const struct pic_exchange *exchange, struct pic_json **out,
		     struct pic_error *err)
{
	struct pic_view body = pic_exchange_body(exchange);
	int r = pic_json_parse(out, body.data ? body.data : "", body.size, err);

	if (r == 0 && pic_json_type(*out) != PIC_JSON_OBJECT) {
		pic_json_unref(*out);
		*out = NULL;
		r = pic_error_set(err, -EINVAL, "the body must be a JSON object");
	}
	return r < 0 ? -EINVAL : 0;
}

struct join {
	const char *target, *token, *request;
	long long protocol;
};

static int read_join(const struct pic_json *body, struct join *out, struct pic_error *err)
{
	int r = 0;

	out->protocol = 0;
	pic_json_integer(pic_json_get(body, "protocol"), &out->protocol);
	if (out->protocol != PIC_PROTOCOL)
		return pic_error_set(err, -EINVAL,
				     "protocol %lld is not spoken here; this hub speaks %d",
				     out->protocol, PIC_PROTOCOL);
	r = take_text(body, "target", &out->target, err);
	if (r == 0)
		r = take_text(body, "token", &out->token, err);
	if (r == 0)
		r = take_text(body, "request", &out->request, err);
	return r;
}

/* Certificate and serial for the key of the request. */
static int certify(struct pic_hub *hub, const char *target, const char *request,
		   struct pic_buf *certificate, struct pic_sha256 *pin,
		   struct pic_certificate_facts *facts, struct pic_error *err)
{
	int r = pic_identity_certify(hub->identity, target, request, certificate, pin, err);

	return r < 0 ? r : pic_certificate_read(pic_buf_text(certificate), facts, err);
}

static struct pic_json *join_reply(struct pic_hub *hub, const struct pic_json *record,
				   const char *target, const struct pic_buf *certificate)
{
	struct pic_json *reply = pic_json_new_object();

	pic_json_set_integer(reply, "protocol", PIC_PROTOCOL);
	pic_json_set_text(reply, "device", target);
	pic_json_set_text(reply, "certificate", pic_buf_text(certificate));
	pic_json_set_text(reply, "authority", pic_identity_authority(hub->identity));
	pic_json_set(reply, "epoch", pic_json_ref(pic_json_find(record, "spec", "epoch", NULL)));
	return reply;
}

/* Token, certificate and record: all in one change. *reply is what the device gets when it is durable. */
static int join(struct pic_hub *hub, const struct join *join, struct pic_change *change,
		struct pic_json **reply, struct pic_error *err)
{
	PIC_BUF struct pic_buf certificate = PIC_BUF_INIT(CERTIFICATE_MAX);
	struct pic_certificate_facts facts;
	struct pic_record_enrolment enrolment = { .name = join->target,
						  .now_ms = pic_clock_wall_ms() };
	char epoch[PIC_EPOCH_TEXT];
	int r = pic_identity_redeem(hub->identity, join->target, join->token, change, err);

	if (r == 0)
		r = certify(hub, join->target, join->request, &certificate, &enrolment.key_pin,
			    &facts, err);
	if (r < 0)
		return r;
	pic_random_text(16, epoch);
	enrolment.epoch = epoch;
	enrolment.serial = facts.serial;
	struct pic_json *record =
		pic_record_enrol(pic_device_record(hub->devices, join->target), &enrolment);
	*reply = join_reply(hub, record, join->target, &certificate);
	r = pic_change_put(change, PIC_KIND_DEVICE, record, err);
	return r < 0 ? r : pic_first_boot_joined(hub->store, join->target, change, err);
}

static void forget_sessions(struct pic_hub *hub, const char *target)
{
	struct pic_device *device = pic_device_find(hub->devices, target);

	if (!device)
		return;
	pic_poll_refuse(device, 409, "Superseded", "this device was enrolled afresh");
	pic_device_forget_sessions(device);
}

/* Strangers may fail here as often as they like, so it goes to the log and not to the disk. */
static void refuse_join(struct pic_exchange *exchange, int code, const struct pic_error *err)
{
	pic_log(PIC_LOG_WARNING, "join-refused", PIC_TEXT("peer", pic_exchange_peer(exchange)),
		PIC_TEXT("error", err->text));
	pic_plain_refuse_reason(exchange, pic_status_of_error(code),
				code == -EACCES ? "TokenRefused" : NULL, err->text);
}

void pic_device_join(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	PIC_JSON struct pic_json *reply = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	struct join request;
	int r = read_body(exchange, &body, &err);

	(void)match;
	if (r == 0)
		r = read_join(body, &request, &err);
	if (r < 0) {
		pic_plain_refuse(exchange, 400, err.text);
		return;
	}
	char who[PIC_WHO_TEXT + 8];
	snprintf(who, sizeof(who), "device:%.63s", request.target);
	const struct pic_actor actor = { who, pic_exchange_peer(exchange), "join" };
	struct pic_change *change = pic_change_new(hub->store, &actor);
	r = change ? join(hub, &request, change, &reply, &err)
		   : pic_error_set(&err, -ENOMEM, "no memory for the device");
	if (r < 0) {
		pic_change_drop(change);
		refuse_join(exchange, r, &err);
		return;
	}
	forget_sessions(hub, request.target);
	pic_log(PIC_LOG_INFO, "device-joined", PIC_TEXT("device", request.target),
		PIC_TEXT("peer", pic_exchange_peer(exchange)));
	pic_reply_when_durable(exchange, change, 200, PIC_STEAL(reply), pic_plain_refuse);
}

/* The old key counts until the new one is used: the answer may never arrive. */
static int renew(struct pic_hub *hub, const char *name, const char *request,
		 struct pic_change *change, struct pic_json **reply, struct pic_error *err)
{
	PIC_BUF struct pic_buf certificate = PIC_BUF_INIT(CERTIFICATE_MAX);
	struct pic_json *json = pic_record_edit(pic_device_record(hub->devices, name));
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;
	char hex[PIC_SHA256_TEXT];
	int r = certify(hub, name, request, &certificate, &pin, &facts, err);

	if (r < 0) {
		pic_json_unref(json);
		return r;
	}
	pic_sha256_text(&pin, hex);
	pic_json_set_text(pic_json_get(json, "spec"), "nextKeyPin", hex);
	pic_json_set_text(pic_json_get(json, "spec"), "certificateSerial", facts.serial);
	*reply = pic_json_new_object();
	pic_json_set_text(*reply, "certificate", pic_buf_text(&certificate));
	return pic_change_put(change, PIC_KIND_DEVICE, json, err);
}

void pic_device_renew(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	struct pic_device *device = pic_device_entry(hub->devices, match->caller.name);
	PIC_JSON struct pic_json *body = NULL;
	PIC_JSON struct pic_json *reply = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_TEXT];
	const char *request;
	int r = read_body(exchange, &body, &err);

	if (r == 0)
		r = take_text(body, "request", &request, &err);
	if (r < 0 || !device) {
		pic_plain_refuse(exchange, r < 0 ? 400 : 503, r < 0 ? err.text : "no memory");
		return;
	}
	if (pic_device_admit(device, exchange, NULL) < 0)
		return;
	const struct pic_actor actor = pic_match_actor(match, exchange, "renew", who);
	struct pic_change *change = pic_change_new(hub->store, &actor);
	r = change ? renew(hub, device->name, request, change, &reply, &err)
		   : pic_error_set(&err, -ENOMEM, "no memory to renew a certificate");
	if (r < 0) {
		pic_change_drop(change);
		pic_plain_refuse(exchange, pic_status_of_error(r), err.text);
		return;
	}
	pic_reply_when_durable(exchange, change, 200, PIC_STEAL(reply), pic_plain_refuse);
}
