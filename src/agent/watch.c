/* Files that others change while the agent runs: policy.conf (root), identity.json (`piccolo join`). */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "agent/context.h"
#include "base/log.h"

static bool is_file(const struct inotify_event *event, const char *path)
{
	const char *slash = strrchr(path, '/');

	return event->len > 0 && strcmp(event->name, slash ? slash + 1 : path) == 0;
}

static void on_event(void *data, int fd, uint32_t events)
{
	struct pic_agent *agent = data;
	bool policy = false, identity = false;
	union {
		char bytes[4096];
		struct inotify_event align;
	} buffer;
	ssize_t size = read(fd, buffer.bytes, sizeof(buffer.bytes));

	(void)events;
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer.bytes + at);

		policy |= event->wd == agent->policy_watch &&
			  is_file(event, agent->settings->policy_file);
		identity |= event->wd == agent->identity_watch && is_file(event, "identity.json");
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	if (policy)
		pic_agent_policy_changed(agent);
	if (identity)
		pic_agent_identity_changed(agent);
}

static int watch_folder(int fd, const char *path)
{
	return inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
}

/* A folder that cannot be watched costs comfort only: what is in it is read again at the next start. */
int pic_agent_watch_files(struct pic_agent *agent, struct pic_error *err)
{
	PIC_FREE char *copy = strdup(agent->settings->policy_file);
	char path[512];

	agent->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (agent->watch_fd < 0 || !copy)
		return pic_error_errno(err, errno, "files cannot be watched");
	agent->policy_watch = watch_folder(agent->watch_fd, dirname(copy));
	snprintf(path, sizeof(path), "%s/agent", agent->settings->state_folder);
	agent->identity_watch = watch_folder(agent->watch_fd, path);
	if (agent->policy_watch < 0 || agent->identity_watch < 0)
		pic_log(PIC_LOG_INFO, "folder-not-watched", PIC_TEXT("why", strerror(errno)));
	return pic_loop_watch(agent->loop, agent->watch_fd, EPOLLIN, on_event, agent, &agent->watch,
			      err);
}
