/* `piccolo logs INSTANCE/COMPONENT`: the log of a workload, out of the supervisor's hand. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "agent/supervisor_link.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "device/verbs.h"
#include "workload/log.h"

#define LIMIT_MS 10000
#define TEXT_MAX (16 * 1024 * 1024)
#define LOOK_AGAIN_MS 500 /* where a file cannot be watched */

static int open_log(const struct pic_device_options *options, const char *text, int segments[2],
		    struct pic_error *err)
{
	struct pic_workload_name name;
	struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_LOG,
					    .name = &name,
					    .fd = -1 };
	struct pic_supervisor_message reply;
	int r = pic_workload_name_parse(text, &name, err);

	if (r == 0)
		r = pic_supervisor_perform(options->run_dir, &call, LIMIT_MS, &reply, segments,
					   err);
	/* it was reached: an answer like ENOENT is about the log, not about the supervisor */
	if (r == 0 && reply.status < 0)
		r = pic_error_set(err, reply.status == -EPERM ? -EPERM : -EIO, "%s", reply.text);
	return r;
}

/* What a program wrote is a stranger's: no byte of it may command the terminal. */
static int print(const int segments[2], uint64_t *position, size_t lines, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(TEXT_MAX), safe = PIC_BUF_INIT(4 * TEXT_MAX);
	int r = pic_workload_log_read(segments, *position, lines, &text, position, err);

	if (r < 0)
		return r;
	pic_text_escape(pic_buf_text(&text), text.size, true, &safe);
	r = pic_buf_check(&safe, "the log", err);
	if (r < 0)
		return r;
	fwrite(pic_buf_text(&safe), 1, safe.size, stdout);
	fflush(stdout);
	return ferror(stdout) ? pic_error_set(err, -EPIPE, "standard output is closed") : 0;
}

static void wait_for_more(int watch_fd)
{
	struct pollfd item = { .fd = watch_fd, .events = POLLIN };
	char events[4096];

	if (poll(&item, 1, watch_fd >= 0 ? -1 : LOOK_AGAIN_MS) > 0 &&
	    read(watch_fd, events, sizeof(events)) < 0)
		perror("piccolo logs");
}

static int follow(const int segments[2], uint64_t position, struct pic_error *err)
{
	PIC_FD int watch_fd = inotify_init1(IN_CLOEXEC);
	char path[64];
	int r = 0;

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", segments[i]);
		if (inotify_add_watch(watch_fd, path, IN_MODIFY) < 0)
			pic_close_fd(&watch_fd);
	}
	while (r == 0) {
		r = print(segments, &position, 0, err);
		if (r == 0)
			wait_for_more(watch_fd);
	}
	return r;
}

int pic_verb_logs(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	int segments[2] = { -1, -1 };
	struct pic_error err = PIC_ERROR_INIT;
	uint64_t position = 0;
	int r = open_log(options, argv[0], segments, &err);

	(void)argc;
	if (r == 0)
		r = print(segments, &position, (size_t)options->lines, &err);
	if (r == 0 && options->follow)
		r = follow(segments, position, &err);
	pic_close_fd(&segments[0]);
	pic_close_fd(&segments[1]);
	return r < 0 ? pic_device_complain(r, &err) : PIC_EXIT_OK;
}
