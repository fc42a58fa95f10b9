/* /api/v1/namespaces/{ns}/{plural}/{name}/status and its shorter forms. */
#include "hub/kube_api/path.h"

#include <errno.h>
#include <string.h>

#define SEGMENTS_MAX 8
#define PATH_TEXT_MAX 1024

struct segments {
	char text[PATH_TEXT_MAX];
	const char *items[SEGMENTS_MAX];
	size_t count;
};

/* Names in a path are printable ASCII without slash and percent sign, and no relative step. */
static bool is_segment(const char *text)
{
	if (!*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '/' || *at == '%')
			return false;
	return true;
}

static int split(const char *path, struct segments *out)
{
	size_t used = 0;

	out->count = 0;
	while (*path == '/' && path[1]) {
		PIC_BUF struct pic_buf one = PIC_BUF_INIT(PATH_TEXT_MAX);
		size_t size = strcspn(++path, "/");
		if (out->count == SEGMENTS_MAX || pic_percent_decode(path, size, &one) < 0)
			return -ENOENT;
		const char *text = pic_buf_text(&one);
		size_t room = strlen(text) + 1;
		if (!is_segment(text) || used + room > sizeof(out->text))
			return -ENOENT;
		memcpy(out->text + used, text, room);
		out->items[out->count++] = out->text + used;
		used += room;
		path += size;
	}
	return 0;
}

static int keep(char *to, size_t size, const char *text)
{
	if (strlen(text) >= size)
		return -ENOENT;
	strcpy(to, text);
	return 0;
}

/* What stands behind the group and version. */
static int read_rest(struct pic_kube_path *out, const char *const *items, size_t count)
{
	/* "namespaces/{ns}/{plural}..." names a namespace, "namespaces[/{name}[/status]]" is one. */
	bool scoped = count >= 3 && strcmp(items[0], "namespaces") == 0 &&
		      !(count == 3 && !*out->group && strcmp(items[2], "status") == 0);

	if (scoped) {
		if (keep(out->space, sizeof(out->space), items[1]) < 0)
			return -ENOENT;
		items += 2;
		count -= 2;
	}
	if (count < 1 || count > 3 || keep(out->plural, sizeof(out->plural), items[0]) < 0)
		return -ENOENT;
	if (count > 1 && keep(out->name, sizeof(out->name), items[1]) < 0)
		return -ENOENT;
	out->status = count == 3;
	if (out->status && strcmp(items[2], "status") != 0)
		return -ENOENT;
	out->facts = pic_kind_by_plural(out->group, out->plural);
	/* the later era's second name of a kind is not a resource of its own */
	if (out->facts && strcmp(out->facts->plural, out->plural) != 0)
		return -ENOENT;
	if (!out->facts)
		return scoped || count > 1 ? -ENOENT : 0;
	if (strcmp(out->facts->version, out->version) != 0 || out->facts->namespaced < scoped)
		return -ENOENT;
	if (out->facts->namespaced && !scoped && *out->name)
		return -ENOENT;
	return out->status && !out->facts->has_status ? -ENOENT : 0;
}

int pic_kube_path_parse(const char *path, struct pic_kube_path *out)
{
	struct segments all;
	size_t used;

	*out = (struct pic_kube_path){ 0 };
	if (split(path, &all) < 0 || all.count < 2)
		return -ENOENT;
	if (strcmp(all.items[0], "api") == 0)
		used = 1;
	else if (strcmp(all.items[0], "apis") == 0 &&
		 keep(out->group, sizeof(out->group), all.items[1]) == 0)
		used = 2;
	else
		return -ENOENT;
	if (all.count <= used || keep(out->version, sizeof(out->version), all.items[used]) < 0)
		return -ENOENT;
	used++;
	return read_rest(out, all.items + used, all.count - used);
}
