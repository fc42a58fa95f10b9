/* `piccolo run FILE.json`: supervisor and agent with a desired state from a file, until Ctrl-C. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "device/desired_file.h"
#include "device/verbs.h"

static void free_document(struct pic_document **document)
{
	pic_document_free(*document);
}

/* A mistake in the file is said at once, not in a log. */
static int look_at(const char *path, struct pic_error *err)
{
	PIC_CLEANUP(free_document) struct pic_document *document = NULL;

	return pic_device_desired_file(&document, path, err);
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
