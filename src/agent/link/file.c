/*
 * The dialect without a hub: the desired state is a file, read at the start and whenever it changes. What
 * it does not list is removed, since the file is all there is.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "agent/link/file_document.h"
#include "agent/link/link.h"
#include "agent/sentence.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define SETTLE_MS 20 /* an editor moves files about */

struct pic_link {
	struct pic_link_settings settings;
	struct pic_link_state state;
	struct pic_timer *timer;
	int watch_fd;
	bool watches_folder;
	struct pic_watch *watch;
	char *folder, *name;
	int64_t revision;
};

static void set_problem(struct pic_link *link, const char *reason, const char *problem)
{
	snprintf(link->state.reason, sizeof(link->state.reason), "%s", reason);
	pic_sentence_copy(link->state.problem, sizeof(link->state.problem), problem);
	if (problem[0])
		pic_log(PIC_LOG_ERROR, "file-not-taken", PIC_TEXT("file", link->settings.file),
			PIC_TEXT("why", problem));
	link->settings.handler.changed(link->settings.handler.data);
}

/* The folder tells of every way a file can change. Where it may not be read the file itself is watched, each
 * time anew, since an editor may have put another one in its place. */
static void watch_file(struct pic_link *link)
{
	if (link->watches_folder || link->watch_fd < 0)
		return;
	if (inotify_add_watch(link->watch_fd, link->folder, IN_CLOSE_WRITE | IN_MOVED_TO) >= 0)
		link->watches_folder = true;
	else if (inotify_add_watch(link->watch_fd, link->settings.file,
				   IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF) < 0)
		pic_log(PIC_LOG_INFO, "file-not-watched", PIC_TEXT("why", strerror(errno)));
}

/* A file that cannot be read or makes no sense changes nothing: the last good state stays. */
static void read_file(void *data)
{
	struct pic_link *link = data;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	PIC_BUF struct pic_buf document = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	const struct pic_file_frame frame = {
		.folder = link->folder,
		.device = "local",
		.revision = ++link->revision,
		.now_wall_ms = pic_clock_wall_ms(),
	};
	int r;

	watch_file(link); /* before it is read: a change in between is not lost */
	r = pic_file_read_path(link->settings.file, &text, &err);

	if (r == 0)
		r = pic_file_document(pic_buf_text(&text), text.size, &frame, &document, &err);
	if (r < 0) {
		set_problem(link, "BadFile", err.text);
		return;
	}
	set_problem(link, "", "");
	link->settings.handler.document(link->settings.handler.data, document.data, document.size,
					true);
}

static void on_event(void *data, int fd, uint32_t events)
{
	struct pic_link *link = data;
	union {
		char bytes[4096];
		struct inotify_event align;
	} buffer;
	ssize_t size = read(fd, buffer.bytes, sizeof(buffer.bytes));

	(void)events;
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer.bytes + at);

		if (event->len == 0 || strcmp(event->name, link->name) == 0)
			pic_timer_set(link->timer, SETTLE_MS);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

static void close_link(struct pic_link *link)
{
	if (!link)
		return;
	pic_watch_free(link->watch);
	pic_timer_free(link->timer);
	pic_close_fd(&link->watch_fd);
	free(link->folder);
	free(link->name);
	free(link);
}

static int split(struct pic_link *link)
{
	PIC_FREE char *first = strdup(link->settings.file), *second = strdup(link->settings.file);

	if (!first || !second)
		return -ENOMEM;
	link->folder = strdup(dirname(first));
	link->name = strdup(basename(second));
	return link->folder && link->name ? 0 : -ENOMEM;
}

static int open_link(struct pic_link **out, const struct pic_link_settings *settings,
		     struct pic_error *err)
{
	struct pic_link *link = calloc(1, sizeof(*link));

	if (!link)
		return pic_error_set(err, -ENOMEM, "no memory for the file");
	link->settings = *settings;
	link->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (split(link) < 0 ||
	    pic_loop_timer(settings->loop, read_file, link, &link->timer, err) < 0) {
		close_link(link);
		return pic_error_set(err, -ENOMEM, "no memory for the file");
	}
	if (link->watch_fd >= 0 && pic_loop_watch(settings->loop, link->watch_fd, EPOLLIN, on_event,
						  link, &link->watch, err) < 0) {
		close_link(link);
		return -ENOMEM;
	}
	pic_timer_set(link->timer, 0);
	*out = link;
	return 0;
}

/* Nobody listens: what is to be said is said by `piccolo status` and the log. */
static void drop_report(struct pic_link *link, struct pic_buf *body)
{
	(void)link;
	pic_buf_free(body);
}

static void drop_answer(struct pic_link *link, const struct pic_link_reply *reply,
			struct pic_buf *body)
{
	(void)reply;
	drop_report(link, body);
}

static void ignore_stamp(struct pic_link *link, const unsigned char *bytes)
{
	(void)link;
	(void)bytes;
}

static struct pic_client *lend_nothing(struct pic_link *link, bool *keep)
{
	(void)link;
	(void)keep;
	return NULL;
}

static const struct pic_link_state *state_of(const struct pic_link *link)
{
	return &link->state;
}

const struct pic_link_dialect pic_link_file = {
	.name = "file",
	.open = open_link,
	.close = close_link,
	.report = drop_report,
	.answer = drop_answer,
	.stamp = ignore_stamp,
	.state = state_of,
	.borrow = lend_nothing,
};
