/*
 * supervisor.sock: who may connect, what comes in, what goes out. A peer that sends what is no request,
 * or does not read what it is sent, loses its connection; it can come again and ask for the list.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/message.h"
#include "supervisor/context.h"

#define CONNECTIONS_MAX 16
#define SEND_ROOM (512 * 1024) /* a list of many entries fits */

struct pic_connection {
	struct pic_connection *next;
	struct pic_supervisor *supervisor;
	uint64_t serial;
	int fd;
	struct pic_watch *watch;
	uid_t user;
	bool subscribed;
};

static struct pic_connection *find(struct pic_supervisor *supervisor, uint64_t serial)
{
	struct pic_connection *c = supervisor->connections;

	while (c && c->serial != serial)
		c = c->next;
	return c;
}

static void connection_free(struct pic_connection *connection)
{
	struct pic_connection **at = &connection->supervisor->connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	connection->supervisor->connection_count--;
	pic_watch_free(connection->watch);
	close(connection->fd);
	free(connection);
}

/* -- out -------------------------------------------------------------------------------------- */

static void send_message(struct pic_connection *connection,
			 const struct pic_supervisor_message *message, const int *fds, size_t count)
{
	struct pic_message out = { .data = (void *)message, .size = sizeof(*message) };

	while (out.fd_count < count) {
		out.fds[out.fd_count] = fds[out.fd_count];
		out.fd_count++;
	}
	/* its end of file comes to on_readable, which frees it: nobody up the stack loses it */
	if (pic_message_send(connection->fd, &out) < 0)
		shutdown(connection->fd, SHUT_RDWR);
}

void pic_connection_send(struct pic_supervisor *supervisor, uint64_t serial,
			 const struct pic_supervisor_message *message, const int *fds, size_t count)
{
	struct pic_connection *connection = find(supervisor, serial);

	if (connection)
		send_message(connection, message, fds, count);
}

void pic_reply_status(struct pic_supervisor *supervisor, const struct pic_waiter *who, int status,
		      const char *text, const struct pic_ledger_entry *evidence)
{
	struct pic_supervisor_message reply = {
		.version = PIC_SUPERVISOR_VERSION,
		.kind = PIC_SUPERVISOR_REPLY,
		.id = who->request,
		.status = status,
	};

	snprintf(reply.text, sizeof(reply.text), "%s", text);
	if (evidence)
		reply.entry = *evidence;
	pic_connection_send(supervisor, who->connection, &reply, NULL, 0);
}

void pic_event_send(struct pic_supervisor *supervisor, const struct pic_ledger_entry *entry)
{
	struct pic_supervisor_message event = {
		.version = PIC_SUPERVISOR_VERSION,
		.kind = PIC_SUPERVISOR_EVENT,
		.entry = *entry,
	};

	for (struct pic_connection *c = supervisor->connections; c; c = c->next)
		if (c->subscribed)
			send_message(c, &event, NULL, 0);
}

void pic_connection_subscribe(struct pic_supervisor *supervisor, uint64_t serial)
{
	struct pic_connection *connection = find(supervisor, serial);

	if (connection)
		connection->subscribed = true;
}

int pic_waiter_add(struct pic_waiter **list, const struct pic_waiter *who)
{
	struct pic_waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter)
		return -ENOMEM;
	*waiter = *who;
	waiter->next = *list;
	*list = waiter;
	return 0;
}

void pic_waiters_answer(struct pic_supervisor *supervisor, struct pic_waiter **list,
			const struct pic_ledger_entry *evidence)
{
	for (struct pic_waiter *waiter; (waiter = *list);) {
		*list = waiter->next;
		pic_reply_status(supervisor, waiter, 0, "", evidence);
		free(waiter);
	}
}

/* -- in --------------------------------------------------------------------------------------- */

static void drop(struct pic_connection *connection, const char *why)
{
	if (why)
		pic_log(PIC_LOG_WARNING, "request-malformed", PIC_NUMBER("user", connection->user),
			PIC_TEXT("why", why));
	connection_free(connection);
}

static void on_readable(void *data, int fd, uint32_t events)
{
	struct pic_connection *connection = data;
	struct pic_supervisor_request request;
	struct pic_message message = { .data = &request, .size = sizeof(request) };
	struct pic_waiter who = { .connection = connection->serial };
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_message_receive(fd, &message);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		drop(connection, r == -EMSGSIZE ? "it is too long" : NULL);
		return;
	}
	who.request = request.id;
	if (pic_supervisor_request_check(&request, message.size, message.fd_count, &err) < 0)
		drop(connection, err.text);
	else if (request.operation > PIC_SUPERVISOR_ROOT_ONLY && connection->user != 0)
		pic_reply_status(connection->supervisor, &who, -EPERM, "only root may ask for this", NULL);
	else
		pic_request_handle(connection->supervisor, &who, &request,
				   message.fd_count ? message.fds[0] : -1);
	pic_message_close(&message);
}

static int connection_new(struct pic_supervisor *supervisor, int fd, uid_t user)
{
	struct pic_connection *connection = calloc(1, sizeof(*connection));
	const int room = SEND_ROOM;

	if (!connection)
		return -ENOMEM;
	*connection = (struct pic_connection){
		.supervisor = supervisor, .fd = fd, .user = user, .serial = ++supervisor->last_serial,
	};
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)); /* without it, lists are shorter */
	if (pic_loop_watch(supervisor->loop, fd, EPOLLIN, on_readable, connection, &connection->watch,
			   NULL) < 0) {
		free(connection);
		return -ENOMEM;
	}
	connection->next = supervisor->connections;
	supervisor->connections = connection;
	supervisor->connection_count++;
	return 0;
}

static void on_connect(void *data, int listen_fd, uint32_t events)
{
	struct pic_supervisor *supervisor = data;
	PIC_FD int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	(void)events;
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    (peer.uid != 0 && peer.uid != supervisor->agent_user) ||
	    supervisor->connection_count >= CONNECTIONS_MAX)
		return;
	if (connection_new(supervisor, fd, peer.uid) == 0)
		(void)PIC_STEAL_FD(fd);
}

int pic_connections_open(struct pic_supervisor *supervisor, struct pic_error *err)
{
	PIC_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r = pic_unix_address(supervisor, "supervisor.sock", &address, err);

	if (r < 0)
		return r;
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchownat(supervisor->run_fd, "supervisor.sock", 0, supervisor->agent_group,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(supervisor->run_fd, "supervisor.sock", 0660, 0) < 0 ||
	    listen(fd, CONNECTIONS_MAX) < 0)
		return pic_error_errno(err, errno, "%s cannot be made", address.sun_path);
	r = pic_loop_watch(supervisor->loop, fd, EPOLLIN, on_connect, supervisor,
			   &supervisor->listen_watch, err);
	if (r == 0)
		supervisor->listen_fd = PIC_STEAL_FD(fd);
	return r;
}
