/*
 * What browsers send: the fields of a form (application/x-www-form-urlencoded) and cookies. Everything comes
 * from strangers; sizes and counts are bounded, a field that comes twice is refused. Pure.
 */
#ifndef PIC_HUB_WEB_FORM_H
#define PIC_HUB_WEB_FORM_H

#include "base/buffer.h"

#define PIC_FORM_SIZE_MAX (16 * 1024)
#define PIC_FORM_FIELDS_MAX 16

struct pic_form {
	struct {
		char *name, *value; /* decoded, UTF-8 without NUL, owned */
	} fields[PIC_FORM_FIELDS_MAX];
	size_t count;
};

/* -EINVAL, -E2BIG with the sentence; nothing to free then. */
int pic_form_parse(struct pic_view body, struct pic_form *out, struct pic_error *err);
void pic_form_free(struct pic_form *form);
const char *pic_form_get(const struct pic_form *form, const char *name); /* NULL: no such field */

/* The value of one cookie out of the header; false: not there, or not of [A-Za-z0-9_-], or too long. */
bool pic_cookie_find(const char *header, const char *name, char *out, size_t size);

#endif
