/* patch and edit: a change of one object that exists. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ctl/ctl.h"
#include "symphony/yaml.h"

#define OBJECT_MAX (4 * 1024 * 1024)

static int object_path(struct pic_ctl *ctl, int argc, char **argv,
		       struct pic_ctl_resource *resource, struct pic_buf *path,
		       struct pic_error *err)
{
	const char *space;
	int r = pic_ctl_object(argc, argv, resource, err);

	if (r == 0)
		r = pic_ctl_space(ctl, &space, err);
	return r < 0 ? r : pic_ctl_path(resource->kind, space, resource->name, path, err);
}

/* A patch may be written as YAML or JSON. */
static int patch_body(const struct pic_ctl *ctl, struct pic_buf *body, struct pic_error *err)
{
	PIC_CLEANUP(pic_yaml_free) struct pic_yaml yaml = { 0 };
	int r;

	if (!ctl->patch)
		return pic_error_set(err, PIC_CTL_USAGE, "name the patch with -p, as JSON or YAML");
	r = pic_yaml_parse(&yaml, ctl->patch, strlen(ctl->patch), "-p", err);
	if (r < 0)
		return r;
	if (yaml.count != 1)
		return pic_error_set(err, -EINVAL, "-p: one document is wanted, there are %zu",
				     yaml.count);
	r = pic_json_write(yaml.documents[0].value, PIC_JSON_COMPACT, body);
	return r < 0 ? pic_error_set(err, r, "-p: too large") : 0;
}

int pic_ctl_patch(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(OBJECT_MAX);
	struct pic_ctl_resource resource;
	struct pic_ctl_call call = { .method = "PATCH" };
	const bool json_patch = strcmp(ctl->patch_type, "json") == 0;

	if (object_path(ctl, argc, argv, &resource, &path, &err) < 0 ||
	    patch_body(ctl, &body, &err) < 0)
		return pic_ctl_fail(&err);
	pic_buf_format(&path, "?fieldManager=piccoloctl&fieldValidation=Strict%s",
		       ctl->dry_run ? "&dryRun=All" : "");
	call.path = pic_buf_text(&path);
	call.content_type = json_patch ? "application/json-patch+json"
				       : "application/merge-patch+json";
	call.body = body.data;
	call.body_size = body.size;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	printf("%s/%s patched%s\n", resource.kind->singular, resource.name,
	       ctl->dry_run ? " (dry run)" : "");
	return PIC_EXIT_OK;
}

static int run_editor(const char *file, struct pic_error *err)
{
	const char *editor = getenv("VISUAL");
	int status;
	pid_t pid;

	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = "vi";
	pid = fork();
	if (pid < 0)
		return pic_error_errno(err, errno, "cannot start %s", editor);
	if (pid == 0) {
		/* the variable may hold arguments, so a shell splits it; the file is its own argument */
		PIC_FREE char *line = NULL;

		if (asprintf(&line, "exec %s \"$1\"", editor) > 0)
			execl("/bin/sh", "sh", "-c", line, "sh", file, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return pic_error_errno(err, errno, "waiting for %s", editor);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return pic_error_set(err, -ECANCELED, "%s ended with an error; nothing was changed",
				     editor);
	return 0;
}

/* Writes `object` to a file, lets a person change it, reads it back; *same when nothing changed. */
static int edit_text(const struct pic_json *object, struct pic_json **out, bool *same,
		     struct pic_error *err)
{
	PIC_BUF struct pic_buf before = PIC_BUF_INIT(OBJECT_MAX);
	PIC_BUF struct pic_buf after = PIC_BUF_INIT(OBJECT_MAX);
	PIC_CLEANUP(pic_yaml_free) struct pic_yaml yaml = { 0 };
	char name[] = "/tmp/piccoloctl-edit-XXXXXX.yaml";
	PIC_FD int fd = -1;
	int r = pic_yaml_write(object, &before);

	if (r < 0)
		return pic_error_set(err, r, "the object is too large to edit");
	fd = mkostemps(name, 5, O_CLOEXEC);
	if (fd < 0)
		return pic_error_errno(err, errno, "%s", name);
	r = pic_fd_write_all(fd, before.data, before.size);
	if (r < 0)
		r = pic_error_errno(err, -r, "%s", name);
	if (r == 0)
		r = run_editor(name, err);
	if (r == 0)
		r = pic_file_read(AT_FDCWD, name, &after, err);
	unlink(name);
	if (r < 0)
		return r;
	*same = before.size == after.size && memcmp(before.data, after.data, after.size) == 0;
	if (*same)
		return 0;
	r = pic_yaml_parse(&yaml, pic_buf_text(&after), after.size, "edited text", err);
	if (r < 0)
		return r;
	if (yaml.count != 1)
		return pic_error_set(err, -EINVAL,
				     "the edited text holds %zu documents instead of one",
				     yaml.count);
	*out = pic_json_ref(yaml.documents[0].value);
	return 0;
}

static int edit(struct pic_ctl *ctl, const char *path, const struct pic_ctl_resource *resource,
		struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer old = { 0 };
	PIC_ANSWER struct pic_ctl_answer new = { 0 };
	PIC_JSON struct pic_json *edited = NULL;
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(OBJECT_MAX);
	struct pic_ctl_call call = { .method = "GET", .path = path };
	bool same = false;
	int r = pic_ctl_call(ctl, &call, &old, err);

	if (r == 0)
		r = edit_text(old.json, &edited, &same, err);
	if (r < 0)
		return r;
	if (same) {
		printf("%s/%s unchanged\n", resource->kind->singular, resource->name);
		return 0;
	}
	r = pic_json_write(edited, PIC_JSON_COMPACT, &body);
	if (r < 0)
		return pic_error_set(err, r, "the edited object is too large");
	/* resourceVersion is in the text: somebody else's change in between is a conflict, not lost */
	call = (struct pic_ctl_call){
		.method = "PUT", .path = path, .body = body.data, .body_size = body.size
	};
	r = pic_ctl_call(ctl, &call, &new, err);
	if (r == 0)
		printf("%s/%s edited\n", resource->kind->singular, resource->name);
	return r;
}

int pic_ctl_edit(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	struct pic_ctl_resource resource;

	if (object_path(ctl, argc, argv, &resource, &path, &err) < 0 ||
	    edit(ctl, pic_buf_text(&path), &resource, &err) < 0)
		return pic_ctl_fail(&err);
	return PIC_EXIT_OK;
}
