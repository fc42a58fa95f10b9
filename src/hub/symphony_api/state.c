/*
 * Objects as they are answered. A component of a staged catalog may name what was pushed to this hub, as
 * "/artifacts/NAME" or by the hub's public address; agents of other makes want a whole address, by which they
 * reach this hub, and the bytes are served by their digest.
 */
#include <string.h>

#include "hub/symphony_api/room.h"
#include "symphony/component_types.h"

/* "http://127.0.0.1:8082": as the caller calls us; the gate has checked the name. */
static void own_address(const struct pic_hub *hub, const struct pic_exchange *exchange,
			struct pic_buf *out)
{
	const char *host = pic_exchange_header(exchange, "Host");

	if (host && *host)
		pic_buf_format(out, "http%s://%s", pic_exchange_is_tls(exchange) ? "s" : "", host);
	else
		pic_buf_text_add(out, hub->public_url);
}

static void complete_url(struct pic_json *properties, const char *key, const char *address)
{
	PIC_BUF struct pic_buf digest_key = PIC_BUF_INIT(512);
	PIC_BUF struct pic_buf url = PIC_BUF_INIT(1024);
	const char *digest;

	pic_buf_add(&digest_key, key, strlen(key) - strlen("url"));
	pic_buf_text_add(&digest_key, "sha256");
	digest = pic_json_get_text(properties, pic_buf_text(&digest_key));
	if (!digest)
		return; /* nothing is staged without it */
	pic_buf_format(&url, "%s/artifacts/%s", address, digest);
	if (!url.failed)
		pic_json_set_text(properties, key, pic_buf_text(&url));
}

static bool is_ours(const struct pic_hub *hub, const char *url)
{
	const size_t size = strlen(hub->public_url);

	return pic_component_url_is_own(url) ||
	       (pic_text_starts(url, hub->public_url) && pic_component_url_is_own(url + size));
}

static void complete_list(const struct pic_hub *hub, const struct pic_json *list,
			  const char *address)
{
	for (size_t i = 0; i < pic_json_count(list); i++) {
		struct pic_json *properties = pic_json_get(pic_json_at(list, i), "properties");

		pic_json_each(properties, j) {
			const char *value = pic_json_text(pic_json_value(j));

			if (value && pic_text_ends(pic_json_key(j), ".url") && is_ours(hub, value))
				complete_url(properties, pic_json_key(j), address);
		}
	}
}

struct pic_json *pic_symphony_state(const struct pic_hub *hub, const struct pic_exchange *exchange,
				    const struct pic_object *object)
{
	struct pic_json *state = pic_object_to_symphony(object);
	const struct pic_json *properties = pic_json_find(state, "spec", "properties", NULL);
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(512);

	if (object->kind != PIC_KIND_CATALOG || !pic_json_get(properties, "staged"))
		return state;
	own_address(hub, exchange, &address);
	complete_list(hub, pic_json_get(properties, "components"), pic_buf_text(&address));
	complete_list(hub, pic_json_get(properties, "removed-components"), pic_buf_text(&address));
	complete_list(hub, pic_json_find(properties, "staged", "components", NULL),
		      pic_buf_text(&address));
	complete_list(hub, pic_json_find(properties, "staged", "removed-components", NULL),
		      pic_buf_text(&address));
	return state;
}
