#include "hub/web/form.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

static bool is_text(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		uint32_t point;
		size_t step = pic_utf8_next(text + at, size - at, &point);

		if (step == 0 || point == 0)
			return false;
		at += step;
	}
	return true;
}

/* One name or value as it was before the browser encoded it; NULL: it cannot be one. */
static char *decode(const char *text, size_t size)
{
	PIC_BUF struct pic_buf blanks = PIC_BUF_INIT(PIC_FORM_SIZE_MAX + 1);
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(PIC_FORM_SIZE_MAX + 1);

	pic_buf_add(&blanks, text, size);
	for (size_t i = 0; i < blanks.size; i++) {
		if (blanks.data[i] == '+')
			blanks.data[i] = ' ';
	}
	if (blanks.failed || pic_percent_decode(pic_buf_text(&blanks), blanks.size, &out) < 0 ||
	    out.failed || !is_text(pic_buf_text(&out), out.size))
		return NULL;
	return out.data ? pic_buf_take(&out) : strdup("");
}

static int add_field(struct pic_form *form, const char *text, size_t size, struct pic_error *err)
{
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size;

	if (form->count == PIC_FORM_FIELDS_MAX)
		return pic_error_set(err, -E2BIG, "the form has more than %d fields",
				     PIC_FORM_FIELDS_MAX);
	PIC_FREE char *name = decode(text, name_size);
	PIC_FREE char *value = equals ? decode(equals + 1, size - name_size - 1) : decode("", 0);
	if (!name || !value)
		return pic_error_set(err, -EINVAL, "the form is damaged");
	if (pic_form_get(form, name))
		return pic_error_set(err, -EINVAL, "the form has a field twice");
	form->fields[form->count].name = PIC_STEAL(name);
	form->fields[form->count++].value = PIC_STEAL(value);
	return 0;
}

int pic_form_parse(struct pic_view body, struct pic_form *out, struct pic_error *err)
{
	struct pic_form form = { .count = 0 };
	const char *at = body.size ? body.data : "", *end = at + body.size;
	int r = 0;

	if (body.size > PIC_FORM_SIZE_MAX)
		return pic_error_set(err, -E2BIG, "the form is larger than %d bytes",
				     PIC_FORM_SIZE_MAX);
	while (r == 0 && at < end) {
		const char *and = memchr(at, '&', (size_t)(end - at));
		size_t size = (size_t)((and? and : end) - at);

		if (size > 0)
			r = add_field(&form, at, size, err);
		at += size + 1;
	}
	if (r < 0) {
		pic_form_free(&form);
		return r;
	}
	*out = form;
	return 0;
}

void pic_form_free(struct pic_form *form)
{
	for (size_t i = 0; i < form->count; i++) {
		/* one of them may be the admin token */
		explicit_bzero(form->fields[i].value, strlen(form->fields[i].value));
		free(form->fields[i].value);
		free(form->fields[i].name);
	}
	form->count = 0;
}

const char *pic_form_get(const struct pic_form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++) {
		if (strcmp(form->fields[i].name, name) == 0)
			return form->fields[i].value;
	}
	return NULL;
}

static bool is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
			return false;
	}
	return true;
}

bool pic_cookie_find(const char *header, const char *name, char *out, size_t size)
{
	const size_t name_size = strlen(name);

	for (const char *at = header; at && *at;) {
		size_t length = strcspn(at, ";");

		if (length > name_size && memcmp(at, name, name_size) == 0 &&
		    at[name_size] == '=') {
			const char *value = at + name_size + 1;
			size_t value_size = length - name_size - 1;

			if (value_size == 0 || value_size >= size || !is_plain(value, value_size))
				return false;
			memcpy(out, value, value_size);
			out[value_size] = '\0';
			return true;
		}
		at += length;
		at += strspn(at, "; ");
	}
	return false;
}
