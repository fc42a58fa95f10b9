#include "hub/web/html.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#define SENTENCE_MAX (16 * 1024)

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void pic_html_escape(const char *text, size_t size, struct pic_buf *out)
{
	for (size_t at = 0; at < size;) {
		uint32_t point;
		size_t step = pic_utf8_next(text + at, size - at, &point);
		const char *entity = entity_of(text[at]);

		if (step == 0) {
			pic_buf_format(out, "\\x%02x", (unsigned char)text[at]);
			step = 1;
		} else if (entity) {
			pic_buf_text_add(out, entity);
		} else if (point != '\n' && point != '\t' && pic_utf8_is_control(point)) {
			pic_buf_format(out, point < 0x100 ? "\\x%02x" : "\\u%04x", point);
		} else {
			pic_buf_add(out, text + at, step);
		}
		at += step;
	}
}

bool pic_html_is_own_address(const char *address)
{
	if (*address == '#' || *address == '?')
		return true;
	/* "//host" and "/\host" lead elsewhere */
	return *address == '/' && address[1] != '/' && address[1] != '\\' &&
	       strpbrk(address, "\r\n\t\\") == NULL;
}

static bool is_address(const char *attribute)
{
	return strcmp(attribute, "href") == 0 || strcmp(attribute, "src") == 0 ||
	       strcmp(attribute, "action") == 0;
}

static void write_tag(struct pic_html *html, const char *tag, va_list attributes)
{
	const char *name;

	pic_buf_char(html->out, '<');
	pic_buf_text_add(html->out, tag);
	while ((name = va_arg(attributes, const char *))) {
		const char *value = va_arg(attributes, const char *);

		if (!value || (is_address(name) && !pic_html_is_own_address(value)))
			continue;
		pic_buf_char(html->out, ' ');
		pic_buf_text_add(html->out, name);
		pic_buf_text_add(html->out, "=\"");
		pic_html_escape(value, strlen(value), html->out);
		pic_buf_char(html->out, '"');
	}
	pic_buf_char(html->out, '>');
}

static void push(struct pic_html *html, const char *tag)
{
	if (html->depth < PIC_HTML_DEPTH)
		html->open[html->depth++] = tag;
	else
		html->is_too_deep = true;
}

void pic_html_start(struct pic_html *html, struct pic_buf *out)
{
	*html = (struct pic_html){ .out = out };
	pic_buf_text_add(out, "<!doctype html>");
}

int pic_html_finish(struct pic_html *html, struct pic_error *err)
{
	while (html->depth > 0)
		pic_html_end(html);
	if (html->is_too_deep)
		return pic_error_set(err, -ELOOP, "the page has too many elements in each other");
	return pic_buf_check(html->out, "the page", err);
}

void pic_html_begin(struct pic_html *html, const char *tag, ...)
{
	va_list attributes;

	va_start(attributes, tag);
	write_tag(html, tag, attributes);
	va_end(attributes);
	push(html, tag);
}

/* A new line behind these changes nothing of how the page looks; behind others it would be a blank. */
static bool is_block(const char *tag)
{
	static const char *const blocks[] = { "head", "body", "header", "main", "section",
					      "p",    "ul",   "ol",	"li",	"dl",
					      "dd",   "form", "tr" };

	for (size_t i = 0; i < PIC_COUNT(blocks); i++) {
		if (strcmp(tag, blocks[i]) == 0)
			return true;
	}
	return false;
}

void pic_html_end(struct pic_html *html)
{
	if (html->depth == 0)
		return;
	const char *tag = html->open[--html->depth];
	pic_buf_text_add(html->out, "</");
	pic_buf_text_add(html->out, tag);
	pic_buf_text_add(html->out, is_block(tag) ? ">\n" : ">");
}

void pic_html_void(struct pic_html *html, const char *tag, ...)
{
	va_list attributes;

	va_start(attributes, tag);
	write_tag(html, tag, attributes);
	va_end(attributes);
}

void pic_html_element(struct pic_html *html, const char *tag, const char *text, ...)
{
	va_list attributes;

	va_start(attributes, text);
	write_tag(html, tag, attributes);
	va_end(attributes);
	push(html, tag);
	pic_html_text(html, text);
	pic_html_end(html);
}

void pic_html_text(struct pic_html *html, const char *text)
{
	if (text)
		pic_html_escape(text, strlen(text), html->out);
}

void pic_html_text_sized(struct pic_html *html, const char *text, size_t size)
{
	pic_html_escape(text, size, html->out);
}

void pic_html_format(struct pic_html *html, const char *format, ...)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(SENTENCE_MAX);
	va_list arguments;

	va_start(arguments, format);
	pic_buf_vformat(&text, format, arguments);
	va_end(arguments);
	if (text.failed)
		html->out->failed = true;
	pic_html_escape(pic_buf_text(&text), text.size, html->out);
}

void pic_html_path(struct pic_buf *out, const char *format, ...)
{
	va_list texts;

	va_start(texts, format);
	for (; *format; format++) {
		if (format[0] == '%' && format[1] == 's') {
			pic_percent_encode(va_arg(texts, const char *), out);
			format++;
		} else {
			pic_buf_char(out, *format);
		}
	}
	va_end(texts);
}
