#include "hub/web/assets.h"

#include <stdio.h>
#include <string.h>

#include "hub/web/room.h"

const struct pic_web_asset *pic_web_asset_find(const char *name)
{
	for (size_t i = 0; i < pic_web_asset_count; i++) {
		if (strcmp(pic_web_assets[i].name, name) == 0)
			return &pic_web_assets[i];
	}
	return NULL;
}

const char *pic_web_asset_path(const char *name, char out[PIC_WEB_ASSET_PATH])
{
	const struct pic_web_asset *asset = pic_web_asset_find(name);

	out[0] = '\0';
	if (asset)
		snprintf(out, PIC_WEB_ASSET_PATH, "/assets/%s/%s", asset->hash, asset->name);
	return out;
}

void pic_web_serve_asset(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match)
{
	const struct pic_web_asset *asset = pic_web_asset_find(match->captured[1]);

	(void)hub;
	pic_page_headers(exchange);
	/* Another digest is another version of this program: its page is loaded again, not mended. */
	if (!asset || strcmp(asset->hash, match->captured[0]) != 0) {
		pic_reply_header(exchange, "Cache-Control", "no-store");
		pic_plain_refuse(exchange, 404, "the hub's page has no such file");
		return;
	}
	pic_reply_header(exchange, "Cache-Control", "public, max-age=31536000, immutable");
	pic_reply(exchange, 200, asset->type, asset->data, asset->size);
}
