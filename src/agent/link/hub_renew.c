/* The device's certificate is renewed when two thirds of its life are over, between two polls. */
#include "agent/link/hub_link.h"

#include <errno.h>
#include <string.h>

#include "agent/link/hub_answer.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/certificate.h"
#include "protocol/place.h"

#define RETRY_MS (10 * 60 * 1000)
#define REQUEST_MAX 8192
#define CERTIFICATE_MAX 16384

static bool is_due(const struct pic_link *link)
{
	struct pic_certificate_facts facts;
	int64_t now = pic_clock_wall_ms();

	if (!pic_clock_wall_is_set(now) || pic_clock_boot_ms() < link->renew_after_boot_ms ||
	    pic_certificate_read(link->settings.identity->certificate, &facts, NULL) < 0)
		return false;
	return now >= facts.not_before_ms + (facts.not_after_ms - facts.not_before_ms) / 3 * 2;
}

static int write_request(struct pic_link *link, struct pic_error *err)
{
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	PIC_BUF struct pic_buf request = PIC_BUF_INIT(REQUEST_MAX);
	PIC_JSON struct pic_json *body = pic_json_new_object();
	int r = pic_key_parse(&key, link->settings.identity->key, err);

	if (r == 0)
		r = pic_request_write(key, link->settings.identity->target, &request, err);
	if (r < 0)
		return r;
	pic_json_set_text(body, "request", pic_buf_text(&request));
	pic_buf_free(&link->renewal_body);
	link->renewal_body = (struct pic_buf)PIC_BUF_INIT(2 * REQUEST_MAX);
	return pic_json_write(body, PIC_JSON_COMPACT, &link->renewal_body);
}

/* It must be for our key and from our authority; then it replaces the old one, on disk first. */
static int take(struct pic_link *link, const char *certificate, struct pic_error *err)
{
	struct pic_agent_identity *identity = link->settings.identity;
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	struct pic_agent_identity renewed = *identity;
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;
	int r = pic_certificate_verify(certificate, identity->authority, 0, err);

	if (r == 0)
		r = pic_certificate_read(certificate, &facts, err);
	if (r == 0)
		r = pic_key_parse(&key, identity->key, err);
	if (r == 0)
		r = pic_key_pin(key, &pin, err);
	if (r < 0)
		return r;
	if (!pic_sha256_equal(&pin, &facts.key_pin))
		return pic_error_set(err, -EBADMSG, "the hub's new certificate is for another key");
	renewed.certificate = strdup(certificate);
	if (!renewed.certificate)
		return pic_error_set(err, -ENOMEM, "no memory for the certificate");
	r = pic_agent_identity_save(&renewed, link->settings.store, err);
	if (r < 0) {
		free(renewed.certificate);
		return r;
	}
	free(identity->certificate);
	identity->certificate = renewed.certificate;
	return 0;
}

static int read_answer(struct pic_link *link, const struct pic_client_answer *answer,
		       struct pic_error *err)
{
	PIC_JSON struct pic_json *value = NULL;
	const char *certificate;
	char reason[48];

	if (answer->failure != PIC_CLIENT_OK)
		return pic_error_set(err, -EIO, "%s", answer->error.text);
	if (answer->status != 200) {
		pic_hub_refusal_parse(answer->status, answer->body.data, answer->body.size,
				      answer->content_type, reason, err);
		return -EPERM;
	}
	if (pic_json_parse(&value, answer->body.data, answer->body.size, err) < 0)
		return pic_error_wrap(err, -EBADMSG, "the hub's answer");
	certificate = pic_json_get_text(value, "certificate");
	if (!certificate || strlen(certificate) > CERTIFICATE_MAX)
		return pic_error_set(err, -EBADMSG, "the hub's answer has no certificate");
	return take(link, certificate, err);
}

static void on_renewed(void *data, const struct pic_client_answer *answer)
{
	struct pic_link *link = data;
	struct pic_error err = PIC_ERROR_INIT;

	link->renewal = NULL;
	pic_buf_free(&link->renewal_body);
	if (read_answer(link, answer, &err) == 0) {
		pic_log(PIC_LOG_INFO, "certificate-renewed");
		link->client_is_old = true;
	} else {
		pic_log(PIC_LOG_WARNING, "certificate-not-renewed", PIC_TEXT("why", err.text));
		link->renew_after_boot_ms = pic_clock_boot_ms() + RETRY_MS;
	}
	pic_timer_set(link->poll_timer, 0);
}

bool pic_hub_renew(struct pic_link *link)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	char url[PIC_URL_MAX];
	struct pic_client_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.timeout_ms = PIC_HUB_SHORT_MS,
		.answer_fd = -1,
		.done = on_renewed,
		.data = link,
	};
	struct pic_client *client;
	struct pic_error err = PIC_ERROR_INIT;

	if (link->renewal)
		return true;
	if (!is_due(link))
		return false;
	pic_hub_url(link, url, sizeof(url), "/device/v1/renew");
	if (write_request(link, &err) == 0 && pic_hub_client(link, &client, &err) == 0) {
		request.body = pic_buf_text(&link->renewal_body);
		request.body_size = link->renewal_body.size;
		if (pic_client_send(client, &request, &link->renewal, &err) == 0)
			return true;
	}
	pic_log(PIC_LOG_WARNING, "certificate-not-renewed", PIC_TEXT("why", err.text));
	link->renew_after_boot_ms = pic_clock_boot_ms() + RETRY_MS;
	return false;
}

void pic_hub_cancel_renewal(struct pic_link *link)
{
	pic_client_cancel(PIC_STEAL(link->renewal));
	pic_buf_free(&link->renewal_body);
}
