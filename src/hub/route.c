#include "hub/route.h"

#include <errno.h>
#include <string.h>

/* One segment of a path or pattern: up to the next slash. */
struct segment {
	const char *text;
	size_t size;
};

/* Takes the next segment off `*rest`; false at the end. "/a/" has the segments "a" and "". */
static bool next_segment(const char **rest, struct segment *out)
{
	if (**rest != '/')
		return false;
	out->text = *rest + 1;
	out->size = strcspn(out->text, "/");
	*rest = out->text + out->size;
	return true;
}

enum shape {
	SHAPE_FIXED,
	SHAPE_CAPTURED,
	SHAPE_REST,
};

static enum shape shape_of(const struct segment *pattern)
{
	if (pattern->size < 2 || pattern->text[0] != '{')
		return SHAPE_FIXED;
	if (pattern->size > 5 && memcmp(pattern->text + pattern->size - 4, "...}", 4) == 0)
		return SHAPE_REST;
	return SHAPE_CAPTURED;
}

static bool same(const struct segment *a, const struct segment *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static bool fits(const char *pattern, const char *path)
{
	struct segment expected, given;

	while (next_segment(&pattern, &expected)) {
		enum shape shape = shape_of(&expected);

		if (shape == SHAPE_REST)
			return *path == '/' || *path == '\0';
		if (!next_segment(&path, &given))
			return false;
		if (shape == SHAPE_FIXED ? !same(&expected, &given) : given.size == 0)
			return false;
	}
	return *path == '\0';
}

/* Both fit the same path; does `a` say more about it? Decided at the first segment that differs. */
static bool is_closer(const char *a, const char *b)
{
	struct segment left, right;

	while (next_segment(&a, &left)) {
		if (!next_segment(&b, &right))
			return false;
		if (shape_of(&left) != shape_of(&right))
			return shape_of(&left) < shape_of(&right);
	}
	return next_segment(&b, &right); /* "/apis" before "/apis/{rest...}" */
}

static bool method_fits(const char *expected, const char *given)
{
	return strcmp(expected, given) == 0 ||
	       (strcmp(expected, "GET") == 0 && strcmp(given, "HEAD") == 0);
}

/* Decodes into the match's text; nothing that ends a line, climbs, or hides a slash gets through. */
static int capture(struct pic_route_match *match, size_t *used, const char *text, size_t size,
		   bool rest)
{
	PIC_BUF struct pic_buf decoded = PIC_BUF_INIT(PIC_ROUTE_TEXT_MAX);
	char *out = match->text + *used;

	if (match->count == PIC_ROUTE_CAPTURES_MAX)
		return -EINVAL;
	if (pic_percent_decode(text, size, &decoded) < 0 || decoded.failed)
		return -EINVAL;
	if (*used + decoded.size + 1 > sizeof(match->text))
		return -EINVAL;
	for (size_t i = 0; i < decoded.size; i++) {
		if ((unsigned char)decoded.data[i] < ' ' || decoded.data[i] == 0x7f)
			return -EINVAL;
	}
	const char *plain = pic_buf_text(&decoded);
	if (strcmp(plain, ".") == 0 || strcmp(plain, "..") == 0)
		return -EINVAL;
	if (rest && memmem(text, size, "%2", 2) &&
	    (memmem(text, size, "%2f", 3) || memmem(text, size, "%2F", 3)))
		return -EINVAL;
	memcpy(out, plain, decoded.size + 1);
	match->captured[match->count++] = out;
	*used += decoded.size + 1;
	return 0;
}

static int capture_all(struct pic_route_match *match, const char *path)
{
	const char *pattern = match->route->pattern;
	struct segment expected, given;
	size_t used = 0;
	int r = 0;

	match->count = 0;
	while (r == 0 && next_segment(&pattern, &expected)) {
		enum shape shape = shape_of(&expected);

		if (shape == SHAPE_REST) {
			const char *rest = *path == '/' ? path + 1 : path;

			return capture(match, &used, rest, strlen(rest), true);
		}
		next_segment(&path, &given);
		if (shape == SHAPE_CAPTURED)
			r = capture(match, &used, given.text, given.size, false);
	}
	return r;
}

int pic_route_find(const struct pic_route *const *tables, const char *method, const char *path,
		   enum pic_listener listener, struct pic_route_match *match)
{
	const struct pic_route *best = NULL;
	bool path_known = false, listener_known = false;

	for (; *tables; tables++) {
		for (const struct pic_route *row = *tables; row->method; row++) {
			if (!fits(row->pattern, path))
				continue;
			path_known = true;
			if (!(row->listeners & listener))
				continue;
			listener_known = true;
			if (!method_fits(row->method, method))
				continue;
			if (!best || is_closer(row->pattern, best->pattern))
				best = row;
		}
	}
	if (!best)
		return listener_known ? -ENOTSUP : path_known ? -EPERM : -ENOENT;
	match->route = best;
	return capture_all(match, path);
}

const char *pic_access_text(enum pic_access access)
{
	switch (access) {
	case PIC_ACCESS_OPEN:
		return "open";
	case PIC_ACCESS_DEVICE:
		return "device";
	case PIC_ACCESS_READER:
		return "reader";
	case PIC_ACCESS_ADMIN:
		return "admin";
	case PIC_ACCESS_PAGE:
		return "page";
	}
	return "";
}
