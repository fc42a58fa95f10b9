/*
 * The HTTP server: libmicrohttpd in external epoll mode. Its epoll descriptor sits in our loop; its
 * time-outs come through pic_loop_prepare. Everything runs in the loop's thread.
 *
 * A kept exchange is a suspended connection. libmicrohttpd does not look at a suspended socket, so a watch
 * of ours on the same socket (EPOLLRDHUP) notices a peer that goes away.
 */
#include "net/server.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "net/server_exchange.h"
#include "net/server_listen.h"

#define CONNECTION_MEMORY (16 * 1024) /* head of a request and of its answer */
#define RUNS_MAX 64		      /* turns of libmicrohttpd before the loop gets its own again */

struct pic_server {
	struct pic_loop *loop;
	struct pic_server_settings settings;
	struct MHD_Daemon *daemon;
	struct pic_watch *watch;
	struct pic_exchange *exchanges;
	char address[PIC_PEER_TEXT];
	bool is_tls;
	bool closing;
};

/* ---- exchanges ---- */

static void link_exchange(struct pic_server *server, struct pic_exchange *exchange)
{
	exchange->server = server;
	exchange->next = server->exchanges;
	if (exchange->next)
		exchange->next->previous = exchange;
	server->exchanges = exchange;
}

static void unlink_exchange(struct pic_exchange *exchange)
{
	if (exchange->next)
		exchange->next->previous = exchange->previous;
	if (exchange->previous)
		exchange->previous->next = exchange->next;
	else
		exchange->server->exchanges = exchange->next;
}

static void free_exchange(struct pic_exchange *exchange)
{
	pic_watch_free(exchange->watch);
	unlink_exchange(exchange);
	if (exchange->response)
		MHD_destroy_response(exchange->response);
	pic_buf_free(&exchange->body);
	pic_buf_free(&exchange->headers);
	pic_buf_free(&exchange->stream);
	free(exchange->path);
	free(exchange->method);
	free(exchange);
}

/* Called by libmicrohttpd with the request line, before anything else: the raw path is only known here. */
static void *on_request_line(void *data, const char *uri, struct MHD_Connection *connection)
{
	struct pic_server *server = data;
	struct pic_exchange *exchange = calloc(1, sizeof(*exchange));
	const union MHD_ConnectionInfo *info;

	if (!exchange)
		return NULL;
	exchange->connection = connection;
	exchange->body = (struct pic_buf)PIC_BUF_INIT(server->settings.body_max);
	exchange->headers = (struct pic_buf)PIC_BUF_INIT(CONNECTION_MEMORY);
	exchange->path = strndup(uri, strcspn(uri, "?"));
	if (!exchange->path) {
		free(exchange);
		return NULL;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	pic_address_text(info ? info->client_addr : NULL, exchange->peer, sizeof(exchange->peer));
	link_exchange(server, exchange);
	return exchange;
}

static void tell_gone(struct pic_exchange *exchange)
{
	struct pic_server *server = exchange->server;

	if (exchange->gone)
		return;
	exchange->gone = true;
	if (server->settings.gone)
		server->settings.gone(server->settings.data, exchange);
}

static bool is_kept(const struct pic_exchange *exchange)
{
	return exchange->state == PIC_EXCHANGE_KEPT ||
	       (exchange->streaming && !exchange->stream_ended);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode how)
{
	struct pic_exchange *exchange = *context;

	(void)data;
	(void)connection;
	(void)how;
	if (!exchange)
		return;
	if (is_kept(exchange))
		tell_gone(exchange);
	*context = NULL;
	free_exchange(exchange);
}

/* ---- sleeping and waking ---- */

static void resume(struct pic_exchange *exchange)
{
	if (!exchange->suspended)
		return;
	exchange->suspended = false;
	MHD_resume_connection(exchange->connection);
}

static void on_hang_up(void *data, int fd, uint32_t events)
{
	struct pic_exchange *exchange = data;

	(void)fd;
	(void)events;
	pic_watch_free(exchange->watch);
	exchange->watch = NULL;
	tell_gone(exchange);
	/* Woken, the connection tries to go on, finds its peer gone and completes. */
	resume(exchange);
}

static void watch_peer(struct pic_exchange *exchange)
{
	const union MHD_ConnectionInfo *info;

	if (exchange->watch)
		return;
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info)
		return;
	if (pic_loop_watch(exchange->server->loop, info->connect_fd, EPOLLRDHUP, on_hang_up, exchange,
			   &exchange->watch, NULL) < 0)
		pic_log(PIC_LOG_WARNING, "connection-not-watched", PIC_TEXT("peer", exchange->peer));
}

static void suspend(struct pic_exchange *exchange)
{
	exchange->suspended = true;
	MHD_suspend_connection(exchange->connection);
	watch_peer(exchange);
}

/* ---- the request arrives ---- */

static enum MHD_Result queue_response(struct pic_exchange *exchange)
{
	const char *at = exchange->headers.data;
	const char *end = at ? at + exchange->headers.size : NULL;
	enum MHD_Result result;

	while (at && at < end) {
		const char *value = at + strlen(at) + 1;

		MHD_add_response_header(exchange->response, at, value);
		at = value + strlen(value) + 1;
	}
	result = MHD_queue_response(exchange->connection, (unsigned)exchange->status, exchange->response);
	MHD_destroy_response(exchange->response);
	exchange->response = NULL;
	return result;
}

static void refuse(struct pic_exchange *exchange, int status, const char *why)
{
	struct pic_server *server = exchange->server;

	if (server->settings.refuse)
		server->settings.refuse(server->settings.data, exchange, status, why);
	if (exchange->state != PIC_EXCHANGE_REPLIED)
		pic_reply(exchange, status, "text/plain; charset=utf-8", why, strlen(why));
}

static enum MHD_Result dispatch(struct pic_exchange *exchange)
{
	exchange->state = PIC_EXCHANGE_HANDLING;
	if (exchange->body_too_large)
		refuse(exchange, 413, "the body of the request is too large");
	else if (exchange->body.failed)
		refuse(exchange, 500, "no memory for the body of the request");
	else
		exchange->server->settings.handle(exchange->server->settings.data, exchange);
	if (exchange->state == PIC_EXCHANGE_REPLIED)
		return queue_response(exchange);
	exchange->state = PIC_EXCHANGE_KEPT;
	suspend(exchange);
	return MHD_YES;
}

static void limit_body(struct pic_exchange *exchange)
{
	const struct pic_server_settings *settings = &exchange->server->settings;
	const size_t limit = settings->body_limit ? settings->body_limit(settings->data, exchange)
						  : settings->body_max;

	if (limit < exchange->body.maximum)
		exchange->body.maximum = limit;
}

static bool announces_too_much(const struct pic_exchange *exchange)
{
	const char *length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
							 "Content-Length");

	return length && strtoull(length, NULL, 10) > exchange->body.maximum;
}

static void take_body(struct pic_exchange *exchange, const char *data, size_t size)
{
	if (exchange->body_too_large)
		return;
	if (exchange->body.size + size > exchange->body.maximum) {
		exchange->body_too_large = true;
		pic_buf_free(&exchange->body);
		return;
	}
	pic_buf_add(&exchange->body, data, size);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **context)
{
	struct pic_exchange *exchange = *context;

	(void)data;
	(void)connection;
	(void)url;
	(void)version;
	if (!exchange)
		return MHD_NO;
	if (!exchange->method) { /* the head is complete, the body comes */
		exchange->method = strdup(method);
		if (!exchange->method)
			return MHD_NO;
		limit_body(exchange);
		if (announces_too_much(exchange)) { /* answered before the body is sent */
			exchange->body_too_large = true;
			return dispatch(exchange);
		}
		return MHD_YES;
	}
	if (*upload_size > 0) {
		take_body(exchange, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (exchange->state == PIC_EXCHANGE_READING)
		return dispatch(exchange);
	if (exchange->response) /* kept before, replied meanwhile */
		return queue_response(exchange);
	return MHD_NO; /* woken without a reply: the peer is gone or the server closes */
}

/* ---- what handlers see ---- */

const char *pic_exchange_method(const struct pic_exchange *exchange)
{
	return exchange->method;
}

const char *pic_exchange_path(const struct pic_exchange *exchange)
{
	return exchange->path;
}

const char *pic_exchange_query(const struct pic_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *pic_exchange_header(const struct pic_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct pic_view pic_exchange_body(const struct pic_exchange *exchange)
{
	return pic_buf_view(&exchange->body);
}

const char *pic_exchange_peer(const struct pic_exchange *exchange)
{
	return exchange->peer;
}

bool pic_exchange_is_tls(const struct pic_exchange *exchange)
{
	return exchange->server->is_tls;
}

struct pic_view pic_exchange_certificate(const struct pic_exchange *exchange)
{
	struct pic_exchange *own = (struct pic_exchange *)exchange; /* remembers the answer */

	if (!own->certificate_checked && own->server->settings.client_authority_pem) {
		own->certificate = pic_exchange_tls_certificate(own);
		own->certificate_checked = true;
	}
	return own->certificate;
}

struct pic_server *pic_exchange_server(const struct pic_exchange *exchange)
{
	return exchange->server;
}

void pic_exchange_set_data(struct pic_exchange *exchange, void *data)
{
	exchange->data = data;
}

void *pic_exchange_data(const struct pic_exchange *exchange)
{
	return exchange->data;
}

/* ---- replies ---- */

void pic_reply_header(struct pic_exchange *exchange, const char *name, const char *value)
{
	/* A newline in a value would begin a header of its own. */
	if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
		return;
	pic_buf_add(&exchange->headers, name, strlen(name) + 1);
	pic_buf_add(&exchange->headers, value, strlen(value) + 1);
}

/* The response is made; inside a handler it is queued on return, else the connection is woken for it. */
static void answer_with(struct pic_exchange *exchange, int status, const char *content_type,
			struct MHD_Response *response)
{
	const bool was_kept = exchange->state == PIC_EXCHANGE_KEPT;

	if (exchange->state == PIC_EXCHANGE_REPLIED || !response) {
		if (response)
			MHD_destroy_response(response);
		else
			resume(exchange); /* no memory: the connection ends */
		return;
	}
	if (content_type)
		pic_reply_header(exchange, "Content-Type", content_type);
	exchange->response = response;
	exchange->status = status;
	exchange->state = PIC_EXCHANGE_REPLIED;
	if (!was_kept)
		return;
	pic_watch_free(exchange->watch);
	exchange->watch = NULL;
	resume(exchange);
}

void pic_reply(struct pic_exchange *exchange, int status, const char *content_type, const void *body,
	       size_t size)
{
	answer_with(exchange, status, size ? content_type : NULL,
		    MHD_create_response_from_buffer_copy(size, size ? body : ""));
}

void pic_reply_fd(struct pic_exchange *exchange, int status, const char *content_type, int fd,
		  uint64_t offset, uint64_t size)
{
	struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(size, fd, offset);

	if (!response)
		close(fd);
	answer_with(exchange, status, content_type, response);
}

static ssize_t read_stream(void *data, uint64_t position, char *out, size_t room)
{
	struct pic_exchange *exchange = data;
	const size_t size = exchange->stream.size < room ? exchange->stream.size : room;

	(void)position;
	if (exchange->gone || exchange->server->closing)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (size == 0 && exchange->stream_ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (size == 0) {
		suspend(exchange);
		return 0;
	}
	memcpy(out, exchange->stream.data, size);
	pic_buf_consume(&exchange->stream, size);
	return (ssize_t)size;
}

void pic_stream_start(struct pic_exchange *exchange, int status, const char *content_type,
		      size_t maximum)
{
	exchange->streaming = true;
	exchange->stream = (struct pic_buf)PIC_BUF_INIT(maximum);
	answer_with(exchange, status, content_type,
		    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, read_stream, exchange, NULL));
}

bool pic_stream_write(struct pic_exchange *exchange, const void *data, size_t size)
{
	if (exchange->gone || exchange->stream.size + size > exchange->stream.maximum)
		return false;
	pic_buf_add(&exchange->stream, data, size);
	if (exchange->stream.failed)
		return false;
	/* Asleep in read_stream, not in the handler: only then there is something to wake. */
	resume(exchange);
	return true;
}

void pic_stream_end(struct pic_exchange *exchange)
{
	exchange->stream_ended = true;
	resume(exchange);
}

/* ---- the server ---- */

/* libmicrohttpd answers 0 while it has work that epoll does not show (bytes inside the TLS library). */
static int64_t prepare(void *data)
{
	struct pic_server *server = data;
	uint64_t wait_ms = 0;

	for (int i = 0; i < RUNS_MAX; i++) {
		if (MHD_get_timeout64(server->daemon, &wait_ms) != MHD_YES)
			return -1;
		if (wait_ms > 0)
			return wait_ms > INT32_MAX ? INT32_MAX : (int64_t)wait_ms;
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

static void log_library(void *data, const char *format, va_list arguments)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(512);

	(void)data;
	pic_buf_vformat(&text, format, arguments);
	pic_log(PIC_LOG_DEBUG, "http-server", PIC_TEXT("text", pic_buf_text(&text)));
}

static int start_daemon(struct pic_server *server, int listen_fd, struct pic_error *err)
{
	const struct pic_server_settings *settings = &server->settings;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)settings->certificate_pem},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)settings->key_pem},
		{settings->client_authority_pem ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		 (void *)settings->client_authority_pem},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	if (server->is_tls)
		flags |= MHD_USE_TLS;
	server->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, server,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
		settings->connections_max ? settings->connections_max : 1024u,
		MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout_s ? settings->idle_timeout_s : 90u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY,
		server->is_tls ? tls : none, MHD_OPTION_END);
	if (!server->daemon)
		return pic_error_set(err, -EINVAL, "cannot serve on %s: %s", settings->address,
				     server->is_tls ? "the TLS library refused its certificate or key"
						    : "the HTTP library could not start");
	return 0;
}

int pic_server_new(struct pic_server **out, struct pic_loop *loop,
		   const struct pic_server_settings *settings, struct pic_error *err)
{
	struct pic_server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	PIC_FD int listen_fd = -1;
	int r;

	if (!server)
		return pic_error_set(err, -ENOMEM, "no memory for a server");
	server->loop = loop;
	server->settings = *settings;
	server->is_tls = settings->certificate_pem != NULL;
	r = pic_server_listen(settings->address, &listen_fd, server->address, sizeof(server->address), err);
	if (r == 0)
		r = start_daemon(server, listen_fd, err);
	if (r < 0) {
		free(server);
		return r;
	}
	listen_fd = -1; /* the library closes it */
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = pic_loop_watch(loop, info->epoll_fd, EPOLLIN, on_ready, server, &server->watch, err);
	if (r == 0)
		r = pic_loop_prepare(loop, prepare, server, err);
	if (r < 0) {
		pic_watch_free(server->watch);
		MHD_stop_daemon(server->daemon);
		free(server);
		return r;
	}
	*out = server;
	return 0;
}

void pic_server_free(struct pic_server *server)
{
	if (!server)
		return;
	server->closing = true;
	/* The library must not stop with sleeping connections. Woken ones find no reply and end. */
	for (struct pic_exchange *exchange = server->exchanges, *next; exchange; exchange = next) {
		next = exchange->next;
		if (is_kept(exchange))
			tell_gone(exchange);
		resume(exchange);
	}
	MHD_run(server->daemon);
	pic_loop_prepare_remove(server->loop, prepare, server);
	pic_watch_free(server->watch);
	MHD_stop_daemon(server->daemon);
	free(server);
}

const char *pic_server_address(const struct pic_server *server)
{
	return server->address;
}
