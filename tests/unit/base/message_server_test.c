/* The message server: answers find their asker or nobody, a bad peer harms only itself. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/message_server.h"

#define ROOM 64

static struct pic_loop *loop;
static struct pic_message_server *server;
static char folder[] = "/tmp/piccolo-server-XXXXXX";
static bool admitted;
static uid_t stranger; /* admitted as well */
static unsigned root_reserve;
static uint64_t last_connection;
static unsigned received;

static bool admits(void *data, uid_t user)
{
	(void)data;
	return admitted && (user == getuid() || user == stranger);
}

/* "echo..." is answered, "mark" subscribes, "keep" only remembers, anything else ends the connection. */
static bool receive(void *data, uint64_t connection, uid_t user, struct pic_message *message)
{
	(void)data;
	(void)user;
	last_connection = connection;
	received++;
	if (message->size >= 4 && memcmp(message->data, "echo", 4) == 0)
		pic_message_server_send(server, connection, message);
	else if (message->size == 4 && memcmp(message->data, "mark", 4) == 0)
		pic_message_server_mark(server, connection);
	else
		return message->size == 4 && memcmp(message->data, "keep", 4) == 0;
	return true;
}

static void stop(void *data)
{
	pic_loop_stop(data);
}

/* What is under way is done; nothing else wakes the loop in that time. */
static void turn(void)
{
	struct pic_timer *timer;

	assert_int_equal(pic_loop_timer(loop, stop, loop, &timer, NULL), 0);
	pic_timer_set(timer, 20);
	assert_int_equal(pic_loop_run(loop, NULL), 0);
	pic_timer_free(timer);
}

static int set_up(void **state)
{
	const struct pic_message_server_settings settings = {
		.folder = folder,
		.name = "s",
		.group = getgid(),
		.mode = 0640,
		.connections_max = 4,
		.root_reserve = root_reserve,
		.message_max = ROOM,
		.admits = admits,
		.receive = receive,
	};

	(void)state;
	admitted = true;
	received = 0;
	strcpy(strrchr(folder, '-'), "-XXXXXX");
	if (!mkdtemp(folder) || pic_loop_new(&loop, NULL) < 0)
		return -1;
	return pic_message_server_new(&server, loop, &settings, NULL);
}

static int set_up_with_reserve(void **state)
{
	char path[128];
	int r;

	root_reserve = 2;
	stranger = 65534;
	r = set_up(state);
	root_reserve = 0;
	snprintf(path, sizeof(path), "%s/s", folder);
	return r + chmod(folder, 0755) + chmod(path, 0666);
}

static int tear_down(void **state)
{
	char path[128];

	(void)state;
	pic_message_server_free(server);
	pic_loop_free(loop);
	snprintf(path, sizeof(path), "%s/s", folder);
	return unlink(path) + rmdir(folder);
}

static int connect_to(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	assert_int_equal(pic_unix_address(folder, "s", &address, NULL), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool is_closed(int fd)
{
	char room[ROOM];
	ssize_t n = recv(fd, room, sizeof(room), 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void a_message_is_answered_with_its_descriptors(void **state)
{
	char room[ROOM], text[] = "echo this";
	struct pic_message out = { .data = text, .size = 9, .fds = { 0, 1 }, .fd_count = 2 };
	struct pic_message in = { .data = room, .size = sizeof(room) };
	int fd = connect_to();
	char path[128];
	struct stat facts;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0640);
	assert_int_equal(pic_message_send(fd, &out), 0);
	turn();
	assert_int_equal(pic_message_receive(fd, &in), 1);
	assert_memory_equal(room, "echo this", 9);
	assert_int_equal(in.fd_count, 2);
	pic_message_close(&in);
	close(fd);
}

static void a_bad_peer_is_dropped_and_others_are_not(void **state)
{
	int good = connect_to(), bad = connect_to(), loud = connect_to();
	char much[ROOM + 1];

	(void)state;
	memset(much, 'e', sizeof(much));
	put(bad, "nonsense");
	assert_int_equal(send(loud, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	put(good, "echo");
	turn();
	assert_true(is_closed(bad));
	assert_true(is_closed(loud));
	assert_false(is_closed(good));
	close(good);
	close(bad);
	close(loud);
}

static void an_answer_that_comes_late_finds_nobody(void **state)
{
	char text[] = "late";
	const struct pic_message late = { .data = text, .size = 4 };
	int first = connect_to(), second;
	uint64_t gone;

	(void)state;
	put(first, "keep");
	turn();
	gone = last_connection;
	close(first);
	turn();
	second = connect_to();
	put(second, "keep");
	turn();
	assert_int_not_equal(last_connection, gone);
	pic_message_server_send(server, gone, &late);
	assert_int_equal(recv(second, text, sizeof(text), 0), -1);
	assert_int_equal(errno, EAGAIN);
	pic_message_server_send(NULL, gone, &late);
	close(second);
}

static void only_the_marked_get_broadcasts(void **state)
{
	char text[] = "news", room[ROOM];
	const struct pic_message news = { .data = text, .size = 4 };
	int marked = connect_to(), other = connect_to();

	(void)state;
	put(marked, "mark");
	put(other, "keep");
	turn();
	pic_message_server_broadcast(server, &news);
	assert_int_equal(recv(marked, room, sizeof(room), 0), 4);
	assert_int_equal(recv(other, room, sizeof(room), 0), -1);
	close(marked);
	close(other);
}

static void who_does_not_read_is_dropped(void **state)
{
	char text[] = "news";
	const struct pic_message news = { .data = text, .size = 4 };
	int deaf = connect_to(), other = connect_to();

	(void)state;
	put(deaf, "mark");
	put(other, "keep");
	turn();
	for (int i = 0; i < 100000; i++)
		pic_message_server_broadcast(server, &news);
	turn();
	put(other, "echo");
	turn();
	assert_false(is_closed(other));
	while (recv(deaf, text, sizeof(text), 0) > 0)
		;
	assert_true(is_closed(deaf));
	close(deaf);
	close(other);
}

static void few_and_only_the_admitted_come_in(void **state)
{
	int fds[6], turned_away = 0;

	(void)state;
	admitted = false;
	fds[0] = connect_to();
	turn();
	assert_true(is_closed(fds[0]));
	close(fds[0]);
	admitted = true;
	for (int i = 0; i < 6; i++) {
		fds[i] = connect_to();
		turn();
	}
	for (int i = 0; i < 6; i++) {
		turned_away += is_closed(fds[i]);
		close(fds[i]);
	}
	assert_int_equal(turned_away, 2);
	turn();
	fds[0] = connect_to();
	put(fds[0], "echo");
	turn();
	assert_false(is_closed(fds[0]));
	close(fds[0]);
}

/* In a child that is another user: connects four times and holds on until the pipe ends. */
static pid_t crowd(const int ends[2])
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	close(ends[1]);
	if (setgid(getgid()) < 0 || setuid(stranger) < 0)
		_exit(2);
	for (int i = 0; i < 4; i++)
		(void)!send(connect_to(), "keep", 4, MSG_NOSIGNAL); /* it may be closed already */
	_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
}

static void others_cannot_fill_what_is_kept_for_root(void **state)
{
	int ends[2], fds[3], turned_away = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can be root\n");
		skip();
	}
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = crowd(ends);
	for (int i = 0; i < 100 && received < 2; i++)
		turn();
	for (int i = 0; i < 3; i++) {
		fds[i] = connect_to();
		put(fds[i], "keep");
		turn();
	}
	assert_int_equal(received, 4); /* two of the crowd, two of root's */
	for (int i = 0; i < 3; i++) {
		turned_away += is_closed(fds[i]);
		close(fds[i]);
	}
	assert_int_equal(turned_away, 1);
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_long_path_is_told(void **state)
{
	char path[200];
	struct sockaddr_un address;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[199] = '\0';
	assert_int_equal(pic_unix_address(path, "s", &address, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.text, "too long"));
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SERVED(a_message_is_answered_with_its_descriptors),
		SERVED(a_bad_peer_is_dropped_and_others_are_not),
		SERVED(an_answer_that_comes_late_finds_nobody),
		SERVED(only_the_marked_get_broadcasts),
		SERVED(who_does_not_read_is_dropped),
		SERVED(few_and_only_the_admitted_come_in),
		cmocka_unit_test_setup_teardown(others_cannot_fill_what_is_kept_for_root,
						set_up_with_reserve, tear_down),
		cmocka_unit_test(a_long_path_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
