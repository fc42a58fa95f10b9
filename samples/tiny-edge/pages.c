#include "pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE "/trace_pipe"
#define TRACE_MAX 16384u	     /* bytes of the last lines */
#define ESCAPED_MAX (TRACE_MAX * 6u) /* "&quot;" for each */
#define PAGE_MAX (ESCAPED_MAX + 4096u)

static const char before[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	"<title>Piccolo</title><style>"
	":root{color-scheme:light dark}"
	"body{margin:0 auto;max-width:44rem;padding:2rem 1.25rem;"
	"font:1.05rem/1.6 system-ui,sans-serif}"
	"h1{font-size:1.7rem;line-height:1.25;margin:0 0 .5rem}"
	"a{display:inline-block;padding:.4rem 0;color:light-dark(#0b5cad,#7db8f5)}"
	"pre{overflow-x:auto;padding:1rem;border-radius:.5rem;font-size:.85rem;"
	"background:light-dark(#f2f4f7,#1d2126)}"
	"</style></head><body>\n";
static const char after[] = "\n</body></html>\n";
static const char home[] =
	"<h1>Web server inside WebAssembly</h1>\n"
	"<p>A WASI module of a few kilobytes answers you. It opened its own socket, sees no file but those "
	"it was given, and is managed by Piccolo.</p>\n"
	"<p><a href=\"/trace\">eBPF traces</a></p>";
static const char trace_head[] = "<h1>eBPF traces</h1>\n";
static const char trace_none[] = "<p>Nothing is traced now.</p>\n";
static const char trace_quiet[] = "<p>A program is traced; it has said nothing yet.</p>\n";
static const char trace_tail[] = "<p><a href=\"/\">Back</a></p>";

static struct {
	char *data;
	size_t size;
} constant[5]; /* home and missing with and without keep-alive, refused */
static char page[PAGE_MAX], lines[TRACE_MAX];
static size_t lines_size;
static char body[ESCAPED_MAX + sizeof(trace_head) + 512];

/* A number in decimal; snprintf would bring 20 KB of code with it. */
static size_t put_number(char *out, size_t number)
{
	char digits[12];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

static size_t put(char *out, const char *text)
{
	size_t size = strlen(text);

	memcpy(out, text, size);
	return size;
}

/* Head and frame around a body, into `out` (which has room: see PAGE_MAX). `more` are header lines. */
static size_t build(char *out, const char *status, int keep, const char *more, const char *content,
		    size_t size)
{
	size_t used = put(out, "HTTP/1.1 ");

	used += put(out + used, status);
	used += put(out + used, "\r\nContent-Type: text/html; charset=utf-8\r\n"
				"Cache-Control: no-store\r\nContent-Length: ");
	used += put_number(out + used, sizeof(before) - 1 + size + sizeof(after) - 1);
	used += put(out + used, "\r\n");
	used += put(out + used, more);
	used += put(out + used, keep ? "\r\n" : "Connection: close\r\n\r\n");
	used += put(out + used, before);
	memcpy(out + used, content, size);
	used += size;
	return used + put(out + used, after);
}

static int keep_constant(unsigned which, const char *status, int keep, const char *content)
{
	size_t size = build(page, status, keep, "", content, strlen(content));

	constant[which].data = malloc(size);
	constant[which].size = size;
	if (!constant[which].data)
		return -1;
	memcpy(constant[which].data, page, size);
	return 0;
}

int pages_init(void)
{
	static const char missing[] = "<h1>Not found</h1>\n<p><a href=\"/\">Back</a></p>";

	if (keep_constant(0, "200 OK", 0, home) < 0 || keep_constant(1, "200 OK", 1, home) < 0 ||
	    keep_constant(2, "404 Not Found", 0, missing) < 0 ||
	    keep_constant(3, "404 Not Found", 1, missing) < 0)
		return -1;
	return keep_constant(4, "400 Bad Request", 0,
			     "<h1>Bad request</h1>\n<p>That was not HTTP as it is known here.</p>");
}

static struct page constant_page(unsigned which)
{
	return (struct page){ constant[which].data, constant[which].size };
}

struct page page_home(int keep)
{
	return constant_page(keep ? 1 : 0);
}

struct page page_missing(int keep)
{
	return constant_page(keep ? 3 : 2);
}

struct page page_refused(void)
{
	return constant_page(4);
}

/* The oldest half goes, up to the end of a line. */
static void make_room(void)
{
	size_t gone = TRACE_MAX / 2;

	while (gone < lines_size && lines[gone - 1] != '\n')
		gone++;
	lines_size -= gone;
	memmove(lines, lines + gone, lines_size);
}

/* Takes what is in the pipe now. Opened each time: it comes and goes with what is traced, and with it the lines that
 * are kept. 1: somebody may still write. */
static int read_trace(void)
{
	int fd = open(PIPE, O_RDONLY | O_NONBLOCK);
	ssize_t n = 0;

	while (fd >= 0) {
		if (lines_size == TRACE_MAX)
			make_room();
		n = read(fd, lines + lines_size, TRACE_MAX - lines_size);
		if (n <= 0)
			break;
		lines_size += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && n < 0)
		return 1;
	lines_size = 0;
	return 0;
}

static size_t escape(char *out, char c)
{
	switch (c) {
	case '<':
		return put(out, "&lt;");
	case '>':
		return put(out, "&gt;");
	case '&':
		return put(out, "&amp;");
	case '"':
		return put(out, "&quot;");
	default:
		break;
	}
	*out = (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 127 ? '?' : c;
	return 1;
}

struct page page_trace(int keep)
{
	int live = read_trace();
	size_t used = put(body, trace_head);

	if (lines_size == 0) {
		used += put(body + used, live ? trace_quiet : trace_none);
	} else {
		used += put(body + used, "<pre>");
		for (size_t i = 0; i < lines_size; i++)
			used += escape(body + used, lines[i]);
		used += put(body + used, "</pre>\n");
	}
	used += put(body + used, trace_tail);
	return (struct page){ page, build(page, "200 OK", keep, "Refresh: 2\r\n", body, used) };
}
