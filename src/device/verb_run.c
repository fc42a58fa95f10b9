/* `piccolo run FILE.json`: supervisor and agent with a desired state from a file, until Ctrl-C. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/link/file_document.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "device/verbs.h"

static void free_document(struct pic_document **document)
{
	pic_document_free(*document);
}

/* A mistake in the file is said at once, not in a log. */
static int look_at(const char *path, struct pic_error *err)
{
	PIC_CLEANUP(free_document) struct pic_document *document = NULL;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	PIC_BUF struct pic_buf made = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	PIC_FREE char *folder = strdup(path);
	struct pic_file_frame frame = {
		.folder = folder,
		.device = "local",
		.revision = 1,
		.now_wall_ms = pic_clock_wall_ms(),
	};
	int r = pic_file_read_path(path, &text, err);

	if (r < 0)
		return r;
	if (!folder)
		return pic_error_set(err, -ENOMEM, "no memory to read %s", path);
	*strrchr(folder, '/') = '\0';
	r = pic_file_document(pic_buf_text(&text), text.size, &frame, &made, err);
	if (r == 0)
		r = pic_document_parse(&document, pic_buf_text(&made), made.size, err);
	return r < 0 ? pic_error_wrap(err, r, "%s", path) : 0;
}

int pic_verb_run(void *program, int argc, char **argv)
{
	struct pic_device_options *options = program;
	char path[PATH_MAX];
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	(void)argc;
	if (!realpath(argv[0], path)) {
		pic_error_errno(&err, errno, "%s cannot be read", argv[0]);
		return pic_device_complain(-EINVAL, &err);
	}
	r = look_at(path, &err);
	if (r < 0)
		return pic_device_complain(r, &err);
	options->run_file = path;
	return pic_verb_daemon(program, 0, NULL);
}
