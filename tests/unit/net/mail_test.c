/* Mail over SMTP against a server that fails in one way at one reply; the loop must go on meanwhile. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "net/mail.h"

enum step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_TEXT,
	STEP_QUIT,
	STEP_COUNT,
};

enum fault {
	FAULT_NONE,
	FAULT_CLOSE,
	FAULT_LATER,  /* 4yz */
	FAULT_NEVER,  /* 5yz */
	FAULT_SILENT, /* no reply at all */
	FAULT_NOISE,
};

struct server {
	enum step step;
	enum fault fault;
	int fd;
	char url[64];
	pthread_t thread;
	char text[65536]; /* of the last message */
	char commands[8192];
	int messages, connections;
};

static const char *const good[STEP_COUNT] = {
	"220 hello\r\n", "250-hub.test\r\n250 SIZE 100000\r\n",
	"250 ok\r\n",	 "250 ok\r\n",
	"354 go on\r\n", "250 taken\r\n",
	"221 bye\r\n",
};

/* One reply, right or wrong; false ends the connection. */
static bool reply(struct server *server, FILE *peer, enum step step)
{
	enum fault fault = step == server->step ? server->fault : FAULT_NONE;
	char byte;

	switch (fault) {
	case FAULT_CLOSE:
		return false;
	case FAULT_LATER:
		fputs("421 not now\r\n", peer);
		break;
	case FAULT_NEVER:
		fputs("550 never\r\n", peer);
		break;
	case FAULT_SILENT:
		while (recv(fileno(peer), &byte, 1, 0) > 0)
			continue;
		return false;
	case FAULT_NOISE:
		fputs("\x01\x02 what?\r\n", peer);
		break;
	case FAULT_NONE:
		fputs(good[step], peer);
		break;
	}
	return fflush(peer) == 0;
}

static bool read_text(struct server *server, FILE *peer)
{
	char line[2048];

	server->text[0] = '\0';
	while (fgets(line, sizeof(line), peer)) {
		if (strcmp(line, ".\r\n") == 0) {
			server->messages++;
			return true;
		}
		if (strlen(server->text) + strlen(line) < sizeof(server->text))
			strcat(server->text, line);
	}
	return false;
}

static enum step step_of(const char *line)
{
	static const char *const words[] = { "?", "EHLO", "MAIL", "RCPT", "DATA" };

	for (size_t i = 1; i < PIC_COUNT(words); i++)
		if (strncmp(line, words[i], 4) == 0)
			return (enum step)i;
	return strncmp(line, "HELO", 4) == 0 ? STEP_EHLO : STEP_QUIT;
}

static void talk(struct server *server, FILE *peer)
{
	char line[2048];

	if (!reply(server, peer, STEP_GREETING))
		return;
	while (fgets(line, sizeof(line), peer)) {
		enum step step = step_of(line);

		if (strlen(server->commands) + strlen(line) < sizeof(server->commands))
			strcat(server->commands, line);
		if (!reply(server, peer, step))
			return;
		bool broken = server->fault != FAULT_NONE && server->step == STEP_DATA;
		if (step == STEP_DATA && !broken &&
		    (!read_text(server, peer) || !reply(server, peer, STEP_TEXT)))
			return;
		if (step == STEP_QUIT)
			return;
	}
}

static void *serve(void *data)
{
	struct server *server = data;
	int fd;

	while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		FILE *peer = fdopen(fd, "r+");

		server->connections++;
		setvbuf(peer, NULL, _IONBF, 0);
		talk(server, peer);
		fclose(peer);
	}
	return NULL;
}

static void server_start(struct server *server, enum step step, enum fault fault)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	*server = (struct server){ .step = step, .fault = fault };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->fd, 8), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	snprintf(server->url, sizeof(server->url), "smtp://127.0.0.1:%d", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

struct world {
	struct pic_loop *loop;
	struct pic_mailer *mailer;
	struct pic_timer *tick, *limit;
	int64_t last_tick, longest; /* how long the loop stood still */
	int left;
	enum pic_mail_result result;
	struct pic_error error;
};

static void on_tick(void *data)
{
	struct world *world = data;
	int64_t now = pic_clock_boot_ms();

	if (now - world->last_tick > world->longest)
		world->longest = now - world->last_tick;
	world->last_tick = now;
	pic_timer_set(world->tick, 5);
}

static void on_limit(void *data)
{
	(void)data;
	fail_msg("no answer within ten seconds");
}

static void on_done(void *data, enum pic_mail_result result, const struct pic_error *err)
{
	struct world *world = data;

	world->result = result;
	world->error = *err;
	if (--world->left == 0)
		pic_loop_stop(world->loop);
}

static void world_open(struct world *world, const char *url)
{
	struct pic_mailer_settings settings = { .url = url,
						.from = "hub@edge.test",
						.reply_ms = 300 };
	struct pic_error err = PIC_ERROR_INIT;

	*world = (struct world){ .last_tick = pic_clock_boot_ms() };
	assert_int_equal(pic_loop_new(&world->loop, &err), 0);
	if (pic_mailer_new(&world->mailer, world->loop, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pic_loop_timer(world->loop, on_tick, world, &world->tick, &err), 0);
	assert_int_equal(pic_loop_timer(world->loop, on_limit, world, &world->limit, &err), 0);
	pic_timer_set(world->tick, 5);
	pic_timer_set(world->limit, 10000);
}

static void world_close(struct world *world)
{
	pic_mailer_free(world->mailer);
	pic_loop_free(world->loop);
}

static void mail(struct world *world)
{
	world->left++;
	assert_int_equal(pic_mailer_send(world->mailer, "ops@edge.test",
					 strdup("Subject: x\r\n\r\n.a dot\r\nend\r\n"), on_done,
					 world, NULL),
			 0);
}

static void run(struct world *world)
{
	assert_int_equal(pic_loop_run(world->loop, NULL), 0);
	assert_true(world->longest < 200);
}

static void a_mail_arrives_whole(void **state)
{
	struct server server;
	struct world world;

	(void)state;
	server_start(&server, STEP_QUIT, FAULT_NONE);
	world_open(&world, server.url);
	mail(&world);
	mail(&world);
	run(&world);
	assert_int_equal(world.result, PIC_MAIL_SENT);
	mail(&world); /* and once more when its thread has gone */
	run(&world);
	assert_int_equal(world.result, PIC_MAIL_SENT);
	world_close(&world);
	server_stop(&server);
	assert_int_equal(server.messages, 3);
	assert_string_equal(server.text, "Subject: x\r\n\r\n..a dot\r\nend\r\n");
	assert_contains(server.commands, "MAIL FROM:<hub@edge.test>");
	assert_contains(server.commands, "RCPT TO:<ops@edge.test>");
}

/* What has to come of each fault at each reply. */
static enum pic_mail_result expected(enum step step, enum fault fault)
{
	if (step == STEP_QUIT)
		return PIC_MAIL_SENT; /* it had taken the mail */
	if (fault == FAULT_NEVER)
		return PIC_MAIL_REFUSED;
	return PIC_MAIL_LATER;
}

static void each_fault_at_each_reply(void **state)
{
	(void)state;
	for (enum step step = 0; step < STEP_COUNT; step++) {
		for (enum fault fault = FAULT_CLOSE; fault <= FAULT_NOISE; fault++) {
			struct server server;
			struct world world;

			server_start(&server, step, fault);
			world_open(&world, server.url);
			mail(&world);
			run(&world);
			if (world.result != expected(step, fault))
				fail_msg("reply %d, fault %d: %d, %s", step, fault, world.result,
					 world.error.text);
			if (world.result != PIC_MAIL_SENT)
				assert_contains(world.error.text, "ops@edge.test");
			world_close(&world);
			server_stop(&server);
		}
	}
}

static void nobody_there(void **state)
{
	struct server server;
	struct world world;

	(void)state;
	server_start(&server, STEP_QUIT, FAULT_NONE);
	server_stop(&server);
	world_open(&world, server.url);
	mail(&world);
	run(&world);
	assert_int_equal(world.result, PIC_MAIL_LATER);
	assert_contains(world.error.text, server.url);
	world_close(&world);
}

static void ending_breaks_off(void **state)
{
	struct server server;
	struct world world;
	int64_t before;

	(void)state;
	server_start(&server, STEP_EHLO, FAULT_SILENT);
	world_open(&world, server.url);
	mail(&world);
	while (__atomic_load_n(&server.connections, __ATOMIC_SEQ_CST) == 0)
		usleep(1000);
	before = pic_clock_boot_ms();
	world_close(&world); /* and no `done` */
	assert_true(pic_clock_boot_ms() - before < 2000);
	server_stop(&server);
	assert_int_equal(server.messages, 0);
}

static void check_refused(const char *url, const char *password, const char *sentence)
{
	struct pic_mailer_settings settings = { .url = url,
						.password = password,
						.from = "hub@edge.test" };
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_mailer *mailer = NULL;
	struct pic_loop *loop;

	assert_int_equal(pic_loop_new(&loop, &err), 0);
	assert_int_equal(pic_mailer_new(&mailer, loop, &settings, &err), -EINVAL);
	assert_contains(err.text, sentence);
	assert_null(strstr(err.text, "secret"));
	assert_null(mailer);
	pic_loop_free(loop);
}

static void wrong_settings_are_refused(void **state)
{
	(void)state;
	check_refused("http://mail.test", NULL, "smtp://");
	check_refused("mail", NULL, "smtp://");
	check_refused("smtp://", NULL, "smtp://");
	check_refused("file:///etc/passwd", NULL, "smtp://");
	check_refused("smtp-plain://me:secret@mail.test", NULL, "without TLS");
	check_refused("smtp://mail.test:587", "secret", "needs a user");
}

static void a_password_is_not_shown(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "smtp://me:secret@mail.test:587");
	assert_string_equal(pic_mailer_server(world.mailer), "smtp://mail.test:587");
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_arrives_whole),
		cmocka_unit_test(each_fault_at_each_reply),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(ending_breaks_off),
		cmocka_unit_test(wrong_settings_are_refused),
		cmocka_unit_test(a_password_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
