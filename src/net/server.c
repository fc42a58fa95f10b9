/*
 * The HTTP server: libmicrohttpd in external epoll mode. Its epoll descriptor sits in our loop; its
 * time-outs come through pic_loop_prepare. Everything runs in the loop's thread.
 */
#include "net/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "net/server_exchange.h"
#include "net/server_listen.h"

#define RUNS_MAX 64 /* turns of the library before the loop gets its own again */
#define CONNECTIONS_MAX 1024u
#define STRANGERS_PART 16
#define STRANGERS_LEAST 16u
#define IDLE_S 90u
/* A handshake and a head are a few round trips, even over a poor line. */
#define HEAD_MS 60000u
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Work that the library has and epoll does not show (bytes inside the TLS library, woken connections) is
 * done here; else the loop may sleep until the first idle connection is to be closed. */
static int64_t prepare(void *data)
{
	struct pic_server *server = data;
	uint64_t wait_ms = 0;

	for (int i = 0; i < RUNS_MAX; i++) {
		if (MHD_get_timeout64(server->daemon, &wait_ms) != MHD_YES)
			return -1;
		if (wait_ms > 0)
			return wait_ms < INT32_MAX ? (int64_t)wait_ms : INT32_MAX;
		MHD_run(server->daemon);
	}
	return 0;
}

static void on_ready(void *data, int fd, uint32_t events)
{
	struct pic_server *server = data;

	(void)fd;
	(void)events;
	MHD_run(server->daemon);
}

static void on_complaint(void *data, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static void on_complaint(void *data, const char *format, va_list arguments)
{
	struct pic_server *server = data;

	vsnprintf(server->complaint, sizeof(server->complaint), format, arguments);
	server->complaint[strcspn(server->complaint, "\n")] = '\0';
	pic_log(PIC_LOG_DEBUG, "http-server", PIC_TEXT("address", server->address),
		PIC_TEXT("text", server->complaint));
}

static struct MHD_Daemon *start(struct pic_server *server, int listen_fd)
{
	const struct pic_server_settings *settings = &server->settings;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)settings->certificate_pem },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)settings->key_pem },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES },
		{ server->checks_clients ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		  (void *)(uintptr_t)settings->client_authority_pem },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };

	if (server->is_tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, pic_guard_admits, server, pic_server_on_request, server,
				MHD_OPTION_EXTERNAL_LOGGER, on_complaint, server,
				MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK,
				pic_server_on_request_line, server, MHD_OPTION_NOTIFY_COMPLETED,
				pic_server_on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
				pic_guard_on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
				settings->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
				settings->idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)PIC_CONNECTION_MEMORY, MHD_OPTION_ARRAY,
				server->is_tls ? tls : none, MHD_OPTION_END);
}

static int open_daemon(struct pic_server *server, struct pic_error *err)
{
	PIC_FD int listen_fd = -1;
	int r = pic_server_listen(server->settings.address, &listen_fd, server->address,
				  sizeof(server->address), err);

	if (r < 0)
		return r;
	server->daemon = start(server, listen_fd);
	if (!server->daemon)
		return pic_error_set(err, -EINVAL, "cannot serve on %s: %s", server->address,
				     server->complaint[0] ? server->complaint
							  : "the HTTP library refused");
	PIC_STEAL_FD(listen_fd); /* the library closes it */
	return 0;
}

static int connect_to_loop(struct pic_server *server, struct pic_error *err)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int r;

	if (!info)
		return pic_error_set(err, -ENOSYS, "the HTTP library was built without epoll");
	r = pic_loop_watch(server->loop, info->epoll_fd, EPOLLIN, on_ready, server, &server->watch,
			   err);
	return r < 0 ? r : pic_loop_prepare(server->loop, prepare, server, err);
}

static void fill_in(struct pic_server_settings *settings)
{
	unsigned part;

	if (!settings->connections_max)
		settings->connections_max = CONNECTIONS_MAX;
	part = settings->connections_max / STRANGERS_PART;
	if (!settings->strangers_max)
		settings->strangers_max = part > STRANGERS_LEAST ? part : STRANGERS_LEAST;
	if (!settings->idle_timeout_s)
		settings->idle_timeout_s = IDLE_S;
	if (!settings->head_timeout_ms)
		settings->head_timeout_ms = HEAD_MS;
}

int pic_server_new(struct pic_server **out, struct pic_loop *loop,
		   const struct pic_server_settings *settings, struct pic_error *err)
{
	struct pic_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return pic_error_set(err, -ENOMEM, "no memory for a server");
	server->loop = loop;
	server->settings = *settings;
	fill_in(&server->settings);
	pic_guard_open(&server->guard);
	server->is_tls = settings->certificate_pem != NULL;
	server->checks_clients = server->is_tls && settings->client_authority_pem;
	r = open_daemon(server, err);
	if (r == 0)
		r = connect_to_loop(server, err);
	if (r < 0) {
		pic_server_free(server);
		return r;
	}
	/* lent for this call only */
	server->settings.address = server->settings.certificate_pem = server->settings.key_pem =
		NULL;
	server->settings.client_authority_pem = NULL;
	*out = server;
	return 0;
}

/* The library must not stop with sleeping connections. Woken, they find that the server closes and end. */
static void wake_all(struct pic_server *server)
{
	bool asleep = true;

	while (asleep) {
		asleep = false;
		for (struct pic_exchange *exchange = server->exchanges; exchange;
		     exchange = exchange->next) {
			asleep |= exchange->suspended;
			pic_exchange_tell_gone(exchange);
			pic_exchange_resume(exchange);
		}
		MHD_run(server->daemon);
	}
}

void pic_server_free(struct pic_server *server)
{
	if (!server)
		return;
	server->closing = true;
	pic_loop_prepare_remove(server->loop, prepare, server);
	pic_watch_free(server->watch);
	if (server->daemon) {
		wake_all(server);
		MHD_stop_daemon(server->daemon);
	}
	free(server);
}

const char *pic_server_address(const struct pic_server *server)
{
	return server->address;
}
