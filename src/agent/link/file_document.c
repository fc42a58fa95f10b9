#include "agent/link/file_document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"
#include "crypto/digest.h"
#include "protocol/place.h"

#define NO_EPOCH "00000000000000000000000000000000"
#define PATH_MAX_TEXT 1024

static bool is_address(const char *url)
{
	return pic_text_starts(url, "http://") || pic_text_starts(url, "https://");
}

/* "web.wasm", "./web.wasm", "file:web.wasm", "file:///srv/web.wasm" -> the path to open. */
static int path_of(const char *url, const char *folder, char out[PATH_MAX_TEXT],
		   struct pic_error *err)
{
	const char *path = pic_text_starts(url, "file://") ? url + 7
			   : pic_text_starts(url, "file:") ? url + 5
							   : url;
	int length = path[0] == '/' ? snprintf(out, PATH_MAX_TEXT, "%s", path)
				    : snprintf(out, PATH_MAX_TEXT, "%s/%s", folder, path);

	if (length < 0 || length >= PATH_MAX_TEXT)
		return pic_error_set(err, -ENAMETOOLONG, "the path '%.60s...' is too long", url);
	return 0;
}

static int hash_file(const char *path, char out[PIC_SHA256_TEXT], struct pic_error *err)
{
	PIC_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct pic_sha256 digest;
	int r;

	if (fd < 0)
		return pic_error_errno(err, errno, "%s cannot be opened", path);
	r = pic_sha256_of_fd(fd, &digest, err);
	if (r < 0)
		return pic_error_wrap(err, r, "%s", path);
	pic_sha256_text(&digest, out);
	return 0;
}

/* The member, or else the property of the component's type. */
static const char *find_text(const struct pic_json *component, const char *type, const char *name)
{
	const char *own = pic_json_get_text(component, name);
	char key[PIC_TYPE_MAX + 16];

	if (own)
		return own;
	snprintf(key, sizeof(key), "%.*s.%s", PIC_TYPE_MAX, type, name);
	return pic_json_get_text(pic_json_get(component, "properties"), key);
}

static int set_file(struct pic_json *component, const char *url, const char *sha256,
		    const struct pic_file_frame *frame, struct pic_error *err)
{
	char path[PATH_MAX_TEXT], address[PATH_MAX_TEXT + 8], digest[PIC_SHA256_TEXT];
	int r = path_of(url, frame->folder, path, err);

	if (r == 0)
		r = hash_file(path, digest, err);
	if (r < 0)
		return r;
	snprintf(address, sizeof(address), "file:%s", path);
	pic_json_set_text(component, "sha256", sha256 ? sha256 : digest);
	pic_json_set_text(component, "url", address);
	return 0;
}

static int set_artifact(const struct pic_place *place, struct pic_json *component, const char *type,
			const struct pic_file_frame *frame, struct pic_error *err)
{
	const char *url = find_text(component, type, "url");
	const char *sha256 = find_text(component, type, "sha256");
	PIC_FREE char *copy = url ? strdup(url) : NULL, *digest = sha256 ? strdup(sha256) : NULL;
	int r;

	if (!url)
		return 0;
	if (!is_address(url)) {
		r = set_file(component, copy, digest, frame, err);
		return r < 0 ? pic_error_wrap(err, r, "%s", place->path) : 0;
	}
	if (!sha256)
		return pic_place_error(
			place, NULL, err,
			"the SHA-256 of %.100s must be told, as \"sha256\" or \"%s.sha256\"", url,
			type);
	pic_json_set_text(component, "sha256", digest);
	pic_json_set_text(component, "url", copy);
	return 0;
}

static int complete(const struct pic_place *place, struct pic_json *component, int64_t revision,
		    const struct pic_file_frame *frame, struct pic_error *err)
{
	const char *name = pic_json_get_text(component, "name");
	const char *type = pic_json_get_text(component, "type");

	if (!pic_json_get(component, "component") && name)
		pic_json_set_text(component, "component", name);
	if (!pic_json_get(component, "instance"))
		pic_json_set_text(component, "instance", "local");
	if (!pic_json_get(component, "revision"))
		pic_json_set_integer(component, "revision", revision);
	return type ? set_artifact(place, component, type, frame, err) : 0;
}

static void complete_head(struct pic_json *root, const struct pic_file_frame *frame)
{
	char now[PIC_TIME_TEXT];

	pic_time_format(frame->now_wall_ms, now);
	pic_json_set_integer(root, "protocol", PIC_PROTOCOL);
	if (!pic_json_get(root, "epoch"))
		pic_json_set_text(root, "epoch", NO_EPOCH);
	if (!pic_json_get(root, "revision"))
		pic_json_set_integer(root, "revision", frame->revision);
	pic_json_set_text(root, "device", frame->device);
	if (!pic_json_get(root, "issued-at"))
		pic_json_set_text(root, "issued-at", now);
	if (!pic_json_get(root, "removed"))
		pic_json_set(root, "removed", pic_json_new_array());
}

int pic_file_document(const char *text, size_t size, const struct pic_file_frame *frame,
		      struct pic_buf *out, struct pic_error *err)
{
	PIC_JSON struct pic_json *root = NULL;
	long long revision = frame->revision;
	struct pic_place place, item;
	size_t count = 0;
	int r = pic_json_parse(&root, text, size, err);

	if (r == 0)
		r = pic_place_root(&place, root, "document", err);
	if (r == 0)
		r = pic_place_count(&place, "components", PIC_DOCUMENT_COMPONENTS_MAX, &count, err);
	if (r == 0 && !pic_json_get(root, "components"))
		r = pic_place_error(&place, "components", err, "is missing");
	if (r < 0)
		return r;
	complete_head(root, frame);
	pic_json_integer(pic_json_get(root, "revision"), &revision);
	for (size_t i = 0; i < count; i++) {
		r = pic_place_item(&place, "components", i, &item, err);
		if (r == 0)
			r = complete(&item, pic_json_at(pic_json_get(root, "components"), i),
				     revision, frame, err);
		if (r < 0)
			return r;
	}
	return pic_json_write(root, PIC_JSON_COMPACT, out) < 0
		       ? pic_error_set(err, -EFBIG, "the desired state is too large")
		       : 0;
}
