/* push FILE: stores an artifact at the hub and prints its address and SHA-256. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ctl/ctl.h"

int pic_ctl_push_file(struct pic_ctl *ctl, const char *file, const char *name,
		      struct pic_ctl_answer *answer, struct pic_error *err)
{
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	PIC_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
	const char *slash = strrchr(file, '/');
	struct pic_ctl_call call = { .method = "POST", .timeout_ms = 600000 };
	struct stat status;
	void *bytes;
	int r;

	if (fd < 0 || fstat(fd, &status) < 0)
		return pic_error_errno(err, errno, "%s", file);
	if (!S_ISREG(status.st_mode) || status.st_size == 0)
		return pic_error_set(err, -EINVAL, "%s is %s", file,
				     S_ISREG(status.st_mode) ? "empty" : "no regular file");
	pic_buf_text_add(&path, "/piccolo/v1/artifacts?name=");
	pic_percent_encode(name ? name : slash ? slash + 1 : file, &path);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return pic_error_errno(err, errno, "%s", file);
	call.path = pic_buf_text(&path);
	call.content_type = "application/octet-stream";
	call.body = bytes;
	call.body_size = (size_t)status.st_size;
	r = pic_ctl_call(ctl, &call, answer, err);
	munmap(bytes, (size_t)status.st_size);
	return r < 0 ? pic_error_wrap(err, r, "%s", file) : 0;
}

int pic_ctl_push(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };

	(void)argc;
	if (pic_ctl_push_file(ctl, argv[0], ctl->name, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (strcmp(ctl->output, "table") != 0 && strcmp(ctl->output, "wide") != 0)
		return pic_ctl_print_value(answer.json, ctl->output, &err) < 0 ? pic_ctl_fail(&err)
									       : PIC_EXIT_OK;
	printf("name:    %s\n", pic_json_text_or(pic_json_get(answer.json, "name"), ""));
	printf("url:     %s\n", pic_json_text_or(pic_json_get(answer.json, "url"), ""));
	printf("sha256:  %s\n", pic_json_text_or(pic_json_get(answer.json, "sha256"), ""));
	return PIC_EXIT_OK;
}
