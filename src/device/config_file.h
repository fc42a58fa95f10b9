/*
 * The configuration file as `piccolo join` writes it and `piccolo purge --all` takes it back: the keys that
 * joining settles are replaced where they stand or added at the end; every other line stays as it is.
 */
#ifndef PIC_DEVICE_CONFIG_FILE_H
#define PIC_DEVICE_CONFIG_FILE_H

#include "base/buffer.h"

struct pic_config_value {
	const char *key;
	const char *value; /* NULL: the key goes */
};

/* Pure: `text` is the file as it is ("" when there is none), `out` as it should be. */
void pic_config_merge(const char *text, const struct pic_config_value *values, size_t count,
		      struct pic_buf *out);
enum pic_config_change {
	PIC_CONFIG_AS_BEFORE,
	PIC_CONFIG_WRITTEN,
	PIC_CONFIG_REMOVED, /* nothing was left in it */
};
/* Reads, merges, writes or removes the file when something changes: what became of it, or -errno. */
int pic_config_update(const char *path, const struct pic_config_value *values, size_t count,
		      struct pic_error *err);

#endif
