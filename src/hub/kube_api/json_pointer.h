/*
 * JSON pointers (RFC 6901): "/spec/components/0/na~1me" as unescaped tokens, and the value one points
 * to. Internal to kube_api. A pointer owns its text.
 */
#ifndef PIC_HUB_KUBE_API_JSON_POINTER_H
#define PIC_HUB_KUBE_API_JSON_POINTER_H

#include "base/json.h"

struct pic_pointer {
	char *text;
	size_t count; /* 0: the whole document */
	const char *tokens[PIC_JSON_DEPTH_MAX];
};

/* -EBADMSG with a sentence: no leading slash, a bad escape, too deep. */
int pic_pointer_parse(const char *text, struct pic_pointer *out, struct pic_error *err);
void pic_pointer_free(struct pic_pointer *pointer);
/* The value at the first `count` tokens; NULL when there is none. */
struct pic_json *pic_pointer_walk(struct pic_json *root, const struct pic_pointer *pointer,
				  size_t count);
bool pic_pointer_is_prefix(const struct pic_pointer *prefix, const struct pic_pointer *of);
/* An array index below `limit`: no sign, no leading zero. */
bool pic_pointer_index(const char *token, size_t limit, size_t *out);

#define PIC_POINTER PIC_CLEANUP(pic_pointer_free)

#endif
