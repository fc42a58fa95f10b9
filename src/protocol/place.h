/*
 * A place in a JSON text that a stranger wrote: an object and its path. The codecs of this folder read
 * members through it, so that each error names the path: "document.components[3].sha256: ...".
 *
 * A place lends the object. A member that is absent or null leaves the output untouched when it is
 * optional and is an error when it is required; a wrong type or value is always one. Errors: -EINVAL.
 */
#ifndef PIC_PROTOCOL_PLACE_H
#define PIC_PROTOCOL_PLACE_H

#include <stdint.h>

#include "base/json.h"

#define PIC_PLACE_PATH_MAX 160

struct pic_place {
	const struct pic_json *object;
	char path[PIC_PLACE_PATH_MAX];
};

enum pic_presence {
	PIC_OPTIONAL,
	PIC_REQUIRED,
};

/* `name` is how errors call the whole text. Fails unless `value` is an object. */
int pic_place_root(struct pic_place *out, const struct pic_json *value, const char *name,
		   struct pic_error *err);
int pic_place_object(const struct pic_place *place, const char *key, struct pic_place *out,
		     struct pic_error *err);
/* How many objects `key` holds; 0 when it is absent or null. */
int pic_place_count(const struct pic_place *place, const char *key, size_t maximum, size_t *out,
		    struct pic_error *err);
int pic_place_item(const struct pic_place *place, const char *key, size_t index,
		   struct pic_place *out, struct pic_error *err);

/* Text of less than `size` bytes. Control characters are refused. */
int pic_place_text(const struct pic_place *place, const char *key, enum pic_presence presence,
		   char *out, size_t size, struct pic_error *err);
/* A sentence for people: cut at a character when it is longer, whatever it contains. */
int pic_place_sentence(const struct pic_place *place, const char *key, char *out, size_t size,
		       struct pic_error *err);
/* A name as pic_name_is_valid wants it; `out` holds PIC_NAME_MAX + 1. */
int pic_place_name(const struct pic_place *place, const char *key, enum pic_presence presence,
		   char *out, struct pic_error *err);
int pic_place_integer(const struct pic_place *place, const char *key, enum pic_presence presence,
		      int64_t minimum, int64_t maximum, int64_t *out, struct pic_error *err);
int pic_place_bool(const struct pic_place *place, const char *key, bool *out,
		   struct pic_error *err);
/* `bytes` bytes as lower-case hexadecimal. *present may be NULL. */
int pic_place_bytes(const struct pic_place *place, const char *key, enum pic_presence presence,
		    void *out, size_t bytes, bool *present, struct pic_error *err);
/* The same, kept as text: `out` holds 2 * bytes + 1. */
int pic_place_hex(const struct pic_place *place, const char *key, enum pic_presence presence,
		  char *out, size_t bytes, struct pic_error *err);
int pic_place_time(const struct pic_place *place, const char *key, enum pic_presence presence,
		   int64_t *wall_ms, struct pic_error *err);
/* "protocol" must be the number this program speaks. */
int pic_place_protocol(const struct pic_place *place, struct pic_error *err);

/* An error at a member (or, with key NULL, at the place itself). Returns -EINVAL. */
int pic_place_error(const struct pic_place *place, const char *key, struct pic_error *err,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
