/* The part of `piccolo check` that looks at the hub: is it there, and is it the one that was joined? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/store/identity.h"
#include "base/clock.h"
#include "base/version.h"
#include "crypto/certificate.h"
#include "device/verbs.h"
#include "net/client.h"

#define LIMIT_MS 10000

/* Without the agent's identity (another user asks) only the configured address is known. */
static int find_identity(const struct pic_device_options *options, struct pic_agent_identity *out,
			 struct pic_error *err)
{
	struct pic_agent_store store = { -1, -1, -1 };
	int r = pic_agent_store_open(&store, options->state, err);

	if (r == 0)
		r = pic_agent_identity_load(out, &store, err);
	pic_agent_store_close(&store);
	if (r == -ENOENT && options->hub)
		return pic_error_set(err, -ENODEV,
				     "hub %s is configured, but this device has not joined it: "
				     "`piccolo join`",
				     options->hub);
	return r;
}

static int check_certificate(const struct pic_agent_identity *identity, struct pic_error *err)
{
	struct pic_certificate_facts facts;
	int64_t now = pic_clock_wall_ms();
	int r = pic_certificate_read(identity->certificate, &facts, err);

	if (r < 0 || !pic_clock_wall_is_set(now))
		return r;
	if (now > facts.not_after_ms)
		return pic_error_set(
			err, -EKEYEXPIRED,
			"the device's certificate for %s has expired: join again with a new token",
			identity->hub);
	return 0;
}

static int ask_authority(const struct pic_agent_identity *identity, struct pic_error *err)
{
	const struct pic_client_settings settings = {
		.user_agent = "piccolo/" PIC_VERSION,
		.authority_pem = identity->authority,
		.server_pin = identity->tls_pin,
		.unverified = identity->tls_pin != NULL,
		.ignore_dates = !pic_clock_wall_is_set(pic_clock_wall_ms()),
	};
	char url[PIC_URL_MAX + 64];
	const struct pic_client_request request = {
		.method = "GET",
		.url = url,
		.timeout_ms = LIMIT_MS,
		.answer_fd = -1,
	};
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(64 * 1024);
	struct pic_client_answer answer = { .status = 0 };
	int r;

	snprintf(url, sizeof(url), "%s/device/v1/authority", identity->hub);
	r = pic_client_perform(&settings, &request, &body, &answer, err);
	if (r < 0)
		return r;
	if (answer.status != 200)
		return pic_error_set(err, -EPROTO,
				     "%s answers with status %d where a hub shows its authority",
				     identity->hub, answer.status);
	return 0;
}

int pic_check_hub(const struct pic_device_options *options, struct pic_error *err)
{
	PIC_IDENTITY struct pic_agent_identity identity = { .hub = NULL };
	int r = find_identity(options, &identity, err);

	if (r < 0)
		return r;
	r = ask_authority(&identity, err);
	return r < 0 ? r : check_certificate(&identity, err);
}
