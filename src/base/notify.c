#include "base/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

/* "/path" or "@abstract"; false when it is neither or too long. */
static bool address_of(const char *path, struct sockaddr_un *address, socklen_t *size)
{
	size_t length = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || length < 2 || length >= sizeof(address->sun_path))
		return false;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, length);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '/'));
	return true;
}

void pic_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t size;
	PIC_FD int fd = -1;

	if (!path || !address_of(path, &address, &size))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* nobody to tell if this fails: systemd will see that nothing came */
	if (fd >= 0 && sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
			      (const struct sockaddr *)&address, size) < 0)
		return;
}

int64_t pic_notify_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long usec, wanted;

	if (!text || pic_integer_parse(text, 1, INT64_MAX, &usec) < 0)
		return 0;
	/* meant for another process, which started us */
	if (pid && (pic_integer_parse(pid, 1, INT64_MAX, &wanted) < 0 || wanted != getpid()))
		return 0;
	return usec / 2000 > 0 ? usec / 2000 : 1;
}

static void on_watchdog(void *data)
{
	struct pic_watchdog *watchdog = data;

	pic_notify("WATCHDOG=1");
	pic_timer_set(watchdog->timer, pic_notify_watchdog_ms());
}

int pic_watchdog_start(struct pic_watchdog *watchdog, struct pic_loop *loop, struct pic_error *err)
{
	int r;

	if (pic_notify_watchdog_ms() == 0)
		return 0;
	r = pic_loop_timer(loop, on_watchdog, watchdog, &watchdog->timer, err);
	if (r == 0)
		pic_timer_set(watchdog->timer, pic_notify_watchdog_ms());
	return r;
}
