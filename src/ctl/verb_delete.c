/* delete: by name or by the files that made the objects. Returns at once; the device follows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static int delete_one(struct pic_ctl *ctl, const struct pic_kind_facts *kind, const char *space,
		      const char *name, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	struct pic_ctl_call call = { .method = "DELETE" };
	int r = 0;

	if (!space)
		r = pic_ctl_space(ctl, &space, err);
	if (r == 0)
		r = pic_ctl_path(kind, space, name, &path, err);
	if (r < 0)
		return r;
	call.path = pic_buf_text(&path);
	r = pic_ctl_call(ctl, &call, &answer, err);
	if (r < 0)
		return pic_error_wrap(err, r, "%s/%s", kind->singular, name);
	printf("%s/%s deleted\n", kind->singular, name);
	return 0;
}

static int delete_files(struct pic_ctl *ctl)
{
	struct pic_error err = PIC_ERROR_INIT;
	PIC_CLEANUP(pic_ctl_inputs_free) struct pic_ctl_inputs inputs = { 0 };
	int status = PIC_EXIT_OK;

	if (pic_ctl_inputs_read(&ctl->files, &inputs, &err) < 0)
		return pic_ctl_fail(&err);
	for (size_t i = inputs.count; i-- > 0;) { /* what was made last goes first */
		const struct pic_ctl_input *input = &inputs.items[i];
		const char *space =
			pic_json_text(pic_json_find(input->object, "metadata", "namespace", NULL));

		if (delete_one(ctl, input->kind, space, input->name, &err) < 0) {
			status = pic_ctl_fail(&err);
			if (pic_ctl_is_hopeless(&err))
				return status;
		}
	}
	return status;
}

/* "instance tiny-app", "instance/tiny-app solution/tiny-app ...", or -f. */
int pic_ctl_delete(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ctl_resource resource;
	int status = PIC_EXIT_OK;

	if (argc == 0 && ctl->files.count > 0)
		return delete_files(ctl);
	if (argc == 0 || (argc == 1 && !strchr(argv[0], '/'))) {
		pic_error_set(&err, PIC_CTL_USAGE,
			      "name what to delete: `piccoloctl delete KIND NAME` or -f FILE");
		return pic_ctl_fail(&err);
	}
	for (int i = 0; i < argc; i++) {
		const bool pair = !strchr(argv[0], '/');

		if (pair && i == 0)
			continue;
		if (pic_ctl_resource(pair ? argv[0] : argv[i], pair ? argv[i] : NULL, &resource,
				     &err) < 0)
			return pic_ctl_fail(&err);
		if (!resource.name) {
			pic_error_set(&err, PIC_CTL_USAGE, "'%s' names no object; write KIND/NAME",
				      argv[i]);
			return pic_ctl_fail(&err);
		}
		if (delete_one(ctl, resource.kind, NULL, resource.name, &err) < 0)
			status = pic_ctl_fail(&err);
	}
	return status;
}
