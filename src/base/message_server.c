#include "base/message_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SEND_ROOM (512 * 1024) /* a long answer in many messages fits */

struct connection {
	struct connection *next;
	struct pic_message_server *server;
	uint64_t serial;
	int fd;
	struct pic_watch *watch;
	uid_t user;
	bool marked;
};

struct pic_message_server {
	struct pic_message_server_settings settings;
	struct pic_loop *loop;
	int fd;
	struct pic_watch *watch;
	struct connection *connections;
	unsigned count;
	uint64_t last_serial;
	char *room; /* for one message; its pages are touched only as far as messages reach */
};

static struct connection *find(struct pic_message_server *server, uint64_t serial)
{
	struct connection *c = server ? server->connections : NULL;

	while (c && c->serial != serial)
		c = c->next;
	return c;
}

static void drop(struct connection *connection)
{
	struct connection **at = &connection->server->connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	connection->server->count--;
	pic_watch_free(connection->watch);
	close(connection->fd);
	free(connection);
}

static void send_to(struct connection *connection, const struct pic_message *message)
{
	/* its end of file comes to on_readable, which drops it: nobody up the stack loses it */
	if (pic_message_send(connection->fd, message) < 0)
		shutdown(connection->fd, SHUT_RDWR);
}

void pic_message_server_send(struct pic_message_server *server, uint64_t connection,
			     const struct pic_message *message)
{
	struct connection *found = find(server, connection);

	if (found)
		send_to(found, message);
}

void pic_message_server_mark(struct pic_message_server *server, uint64_t connection)
{
	struct connection *found = find(server, connection);

	if (found)
		found->marked = true;
}

void pic_message_server_broadcast(struct pic_message_server *server,
				  const struct pic_message *message)
{
	for (struct connection *c = server ? server->connections : NULL; c; c = c->next)
		if (c->marked)
			send_to(c, message);
}

static void on_readable(void *data, int fd, uint32_t events)
{
	struct connection *connection = data;
	struct pic_message_server *server = connection->server;
	struct pic_message message = { .data = server->room, .size = server->settings.message_max };
	int r = pic_message_receive(fd, &message);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r <= 0 || !server->settings.receive(server->settings.data, connection->serial,
						connection->user, &message))
		drop(connection);
	if (r > 0)
		pic_message_close(&message);
}

static int take(struct pic_message_server *server, int fd, uid_t user)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	const int room = SEND_ROOM;

	if (!connection)
		return -ENOMEM;
	*connection = (struct connection){
		.server = server,
		.fd = fd,
		.user = user,
		.serial = ++server->last_serial,
	};
	/* without the right to have more, long answers must be shorter */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (pic_loop_watch(server->loop, fd, EPOLLIN, on_readable, connection, &connection->watch,
			   NULL) < 0) {
		free(connection);
		return -ENOMEM;
	}
	connection->next = server->connections;
	server->connections = connection;
	server->count++;
	return 0;
}

static void on_connect(void *data, int listen_fd, uint32_t events)
{
	struct pic_message_server *server = data;
	PIC_FD int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	(void)events;
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    !server->settings.admits(server->settings.data, peer.uid) ||
	    server->count >= server->settings.connections_max -
				     (peer.uid == 0 ? 0 : server->settings.root_reserve))
		return;
	if (take(server, fd, peer.uid) == 0)
		(void)PIC_STEAL_FD(fd);
}

int pic_unix_address(const char *folder, const char *name, struct sockaddr_un *out,
		     struct pic_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name) >=
	    (int)sizeof(address.sun_path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the path %s/%s is too long for a socket: "
				     "choose a shorter folder",
				     folder, name);
	*out = address;
	return 0;
}

static int listen_at(struct pic_message_server *server, struct pic_error *err)
{
	const struct pic_message_server_settings *settings = &server->settings;
	struct sockaddr_un address;
	int r = pic_unix_address(settings->folder, settings->name, &address, err);

	if (r < 0)
		return r;
	unlink(address.sun_path);
	server->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* nobody can connect before listen(), so the rights are right from the first moment */
	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chown(address.sun_path, (uid_t)-1, settings->group) < 0 ||
	    chmod(address.sun_path, settings->mode) < 0 ||
	    listen(server->fd, (int)settings->connections_max) < 0)
		return pic_error_errno(err, errno, "%s cannot be made", address.sun_path);
	return pic_loop_watch(server->loop, server->fd, EPOLLIN, on_connect, server, &server->watch,
			      err);
}

int pic_message_server_new(struct pic_message_server **out, struct pic_loop *loop,
			   const struct pic_message_server_settings *settings,
			   struct pic_error *err)
{
	struct pic_message_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return pic_error_set(err, -ENOMEM, "no memory for a socket");
	*server = (struct pic_message_server){ .settings = *settings, .loop = loop, .fd = -1 };
	server->room = malloc(settings->message_max);
	r = server->room ? listen_at(server, err)
			 : pic_error_set(err, -ENOMEM, "no memory for messages");
	if (r < 0)
		pic_message_server_free(server);
	else
		*out = server;
	return r;
}

void pic_message_server_free(struct pic_message_server *server)
{
	if (!server)
		return;
	while (server->connections)
		drop(server->connections);
	pic_watch_free(server->watch);
	pic_close_fd(&server->fd);
	free(server->room);
	free(server);
}

void pic_message_server_let_go(struct pic_message_server *server)
{
	if (server)
		pic_close_fd(&server->fd);
}
