#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/notify.h"

static int listen_at(const char *path, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, size);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
			 0);
	return fd;
}

static void tells_systemd(void **state)
{
	char path[] = "/tmp/pic-notify-XXXXXX", text[64] = "", abstract[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_equal(chdir(path), 0);
	strcat(strcpy(text, path), "/s");
	fd = listen_at(text, strlen(text) + 1);
	setenv("NOTIFY_SOCKET", text, 1);
	pic_notify("READY=1");
	memset(text, 0, sizeof(text));
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
	unlink("s");
	assert_int_equal(chdir("/"), 0);
	rmdir(path);

	snprintf(abstract, sizeof(abstract), "@pic-notify-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", abstract, 1);
	abstract[0] = '\0';
	fd = listen_at(abstract, 1 + strlen(abstract + 1));
	pic_notify("STOPPING=1");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 10);
	close(fd);
	pic_notify("nobody listens");
	unsetenv("NOTIFY_SOCKET");
	pic_notify("nobody asked");
}

static void asks_for_the_watchdog(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_true(pic_notify_watchdog_ms() == 0);
	setenv("WATCHDOG_USEC", "3000000", 1);
	assert_true(pic_notify_watchdog_ms() == 1500);
	setenv("WATCHDOG_PID", "1", 1);
	assert_true(pic_notify_watchdog_ms() == 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_true(pic_notify_watchdog_ms() == 1500);
	setenv("WATCHDOG_USEC", "many", 1);
	assert_true(pic_notify_watchdog_ms() == 0);
}

static void stop(void *data, int fd, uint32_t events)
{
	char text[64];
	ssize_t size = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	static int seen;

	(void)events;
	assert_int_equal(size, 10);
	assert_memory_equal(text, "WATCHDOG=1", 10);
	if (++seen == 3)
		pic_loop_stop(data);
}

static void feeds_the_watchdog(void **state)
{
	struct pic_watchdog watchdog = { NULL };
	struct pic_loop *loop = NULL;
	struct pic_watch *watch = NULL;
	char name[64], pid[16];
	int fd;

	(void)state;
	assert_int_equal(pic_loop_new(&loop, NULL), 0);
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(pic_watchdog_start(&watchdog, loop, NULL), 0);
	assert_null(watchdog.timer);
	snprintf(name, sizeof(name), "@pic-watchdog-%d", (int)getpid());
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	name[0] = '\0';
	fd = listen_at(name, 1 + strlen(name + 1));
	assert_int_equal(pic_loop_watch(loop, fd, EPOLLIN, stop, loop, &watch, NULL), 0);
	assert_int_equal(pic_watchdog_start(&watchdog, loop, NULL), 0);
	assert_int_equal(pic_loop_run(loop, NULL), 0);
	pic_loop_free(loop);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_systemd),
		cmocka_unit_test(asks_for_the_watchdog),
		cmocka_unit_test(feeds_the_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
