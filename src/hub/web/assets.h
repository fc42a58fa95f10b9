/*
 * The files of src/hub/web/page, put into the program when it is built (cmake/embed.cmake). Each is served at
 * an address that holds a digest of its bytes, so browsers may keep it for ever.
 */
#ifndef PIC_HUB_WEB_ASSETS_H
#define PIC_HUB_WEB_ASSETS_H

#include <stddef.h>

struct pic_web_asset {
	const char *name; /* "style.css" */
	const char *type; /* content type */
	const char *hash; /* 16 hexadecimal digits of its SHA-256 */
	const unsigned char *data;
	size_t size;
};

extern const struct pic_web_asset pic_web_assets[];
extern const size_t pic_web_asset_count;

const struct pic_web_asset *pic_web_asset_find(const char *name); /* NULL: there is none */
/* "/assets/<hash>/<name>"; "" when there is none of that name. */
#define PIC_WEB_ASSET_PATH 96
const char *pic_web_asset_path(const char *name, char out[PIC_WEB_ASSET_PATH]);

#endif
