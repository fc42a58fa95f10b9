/*
 * HTML, written in one way: tags and attribute names are the program's own literals, every text and every
 * attribute's value is escaped. There is no way to put bytes in unescaped. An address that does not
 * stay on this hub is left out, so no name or reason can become a link that runs something.
 *
 * The writer keeps the open elements; what is left open is closed at the end, so a page is always whole.
 * A full buffer marks the buffer failed, as its own functions do; ask pic_html_finish once. Pure.
 */
#ifndef PIC_HUB_WEB_HTML_H
#define PIC_HUB_WEB_HTML_H

#include "base/buffer.h"

#define PIC_HTML_DEPTH 32

struct pic_html {
	struct pic_buf *out; /* lent */
	const char *open[PIC_HTML_DEPTH];
	size_t depth;
	bool is_too_deep;
};

void pic_html_start(struct pic_html *html, struct pic_buf *out); /* writes the doctype */
/* 0, or the failure; closes what is open. */
int pic_html_finish(struct pic_html *html, struct pic_error *err);

/* Attributes are pairs of name and value, ended by NULL; a NULL value leaves the attribute out. */
void pic_html_begin(struct pic_html *html, const char *tag, ...) __attribute__((sentinel));
void pic_html_end(struct pic_html *html); /* of the innermost element */
void pic_html_void(struct pic_html *html, const char *tag, ...) __attribute__((sentinel));
/* begin, text, end. */
void pic_html_element(struct pic_html *html, const char *tag, const char *text, ...)
	__attribute__((sentinel));
void pic_html_text(struct pic_html *html, const char *text); /* NULL: nothing */
void pic_html_text_sized(struct pic_html *html, const char *text, size_t size);
void pic_html_format(struct pic_html *html, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What can stand in text and in a quoted value. Control characters, bytes that are not UTF-8 and characters
 * that turn the direction of writing are shown by their number; lines and tabs stay. */
void pic_html_escape(const char *text, size_t size, struct pic_buf *out);
/* "/a/b" and its like, "#x", "?x": an address on this hub. */
bool pic_html_is_own_address(const char *address);
/* "/devices/a%2Fb/...": `format` holds a %s for each of the texts, which are percent-encoded. */
void pic_html_path(struct pic_buf *out, const char *format, ...);

#endif
