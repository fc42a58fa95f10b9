/* POST /piccolo/v1/artifacts?name=N: the body's bytes, kept by their digest and published as N. */
#include <string.h>

#include "hub/admin_api/admin.h"
#include "hub/artifacts/artifacts.h"

static struct pic_json *reply_for(struct pic_hub *hub, const char *name,
				  const struct pic_sha256 *digest, size_t size)
{
	struct pic_json *reply = pic_json_new_object();
	PIC_BUF struct pic_buf url = PIC_BUF_INIT(4096);
	char hex[PIC_SHA256_TEXT];

	pic_sha256_text(digest, hex);
	pic_buf_format(&url, "%s/artifacts/%s", hub->public_url, name ? name : hex);
	if (name)
		pic_json_set_text(reply, "name", name);
	pic_json_set_text(reply, "sha256", hex);
	pic_json_set_integer(reply, "size", (long long)size);
	pic_json_set_text(reply, "url", pic_buf_text(&url));
	return reply;
}

void pic_admin_artifact_put(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	struct pic_view body = pic_exchange_body(exchange);
	const char *name = pic_exchange_query(exchange, "name");
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "push", who);

	if (body.size == 0) {
		pic_plain_refuse(exchange, 400,
				 "the body is empty; it should be the artifact's bytes");
		return;
	}
	int r = pic_artifacts_put(hub->artifacts, body.data, body.size, name ? name : "pushed",
				  &digest, &err);
	if (r == 0 && name)
		r = pic_artifacts_publish(hub->artifacts, &actor, name, &digest, NULL, NULL, &err);
	if (r < 0) {
		pic_plain_refuse(exchange, pic_status_of_error(r), err.text);
		return;
	}
	/* An empty change: durable when everything before it is. */
	pic_reply_when_durable(exchange, pic_change_new(hub->store, &actor), 200,
			       reply_for(hub, name, &digest, body.size), pic_plain_refuse);
}
