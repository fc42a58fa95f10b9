/* A request arrives: line, head, body, and then the handler. */
#include <stdlib.h>
#include <string.h>

#include "net/server_exchange.h"
#include "net/server_listen.h"

/* A body that is too large is read on for so long, so that its sender can hear the answer. */
#define DROPPED_MAX (1024 * 1024)

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

/* The raw path is only known here: what comes later has been decoded. */
void *pic_server_on_request_line(void *data, const char *uri, struct MHD_Connection *connection)
{
	struct pic_server *server = data;
	struct pic_exchange *exchange = calloc(1, sizeof(*exchange));
	const union MHD_ConnectionInfo *info;

	if (!exchange)
		return NULL;
	exchange->connection = connection;
	exchange->body.maximum = server->settings.body_max;
	exchange->headers.maximum = PIC_CONNECTION_MEMORY;
	exchange->guarded = pic_guarded(connection);
	exchange->path = strndup(uri, strcspn(uri, "?"));
	if (!exchange->path || !exchange->guarded) {
		free(exchange->path);
		free(exchange);
		return NULL;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	pic_address_text(info ? info->client_addr : NULL, exchange->peer, sizeof(exchange->peer));
	link_exchange(server, exchange);
	return exchange;
}

void pic_server_on_completed(void *data, struct MHD_Connection *connection, void **context,
			     enum MHD_RequestTerminationCode how)
{
	struct pic_exchange *exchange = *context;

	(void)data;
	(void)connection;
	(void)how;
	if (!exchange)
		return;
	pic_exchange_tell_gone(exchange);
	pic_connection_expect_head(exchange->guarded);
	*context = NULL;
	free_exchange(exchange);
}

static void refuse(struct pic_exchange *exchange, int status, const char *why)
{
	const struct pic_server_settings *settings = &exchange->server->settings;

	if (settings->refuse)
		settings->refuse(settings->data, exchange, status, why);
	if (exchange->state != PIC_EXCHANGE_REPLIED)
		pic_reply(exchange, status, "text/plain; charset=utf-8", why, strlen(why));
}

static void answer(struct pic_exchange *exchange)
{
	const struct pic_server_settings *settings = &exchange->server->settings;

	if (exchange->body_refused)
		refuse(exchange, 413, "the body of the request is too large");
	else if (exchange->body.failed)
		refuse(exchange, 503, "no memory for the body of the request");
	else if (exchange->path[0] != '/')
		refuse(exchange, 400, "the request names no path");
	else
		settings->handle(settings->data, exchange);
}

static enum MHD_Result dispatch(struct pic_exchange *exchange)
{
	pic_connection_expect_nothing(exchange->guarded);
	exchange->state = PIC_EXCHANGE_HANDLING;
	answer(exchange);
	if (exchange->state == PIC_EXCHANGE_REPLIED)
		return pic_exchange_queue(exchange);
	exchange->state = PIC_EXCHANGE_KEPT;
	pic_exchange_suspend(exchange);
	return MHD_YES;
}

static void limit_body(struct pic_exchange *exchange)
{
	const struct pic_server_settings *settings = &exchange->server->settings;
	size_t limit = settings->body_limit ? settings->body_limit(settings->data, exchange)
					    : settings->body_max;

	if (limit < exchange->body.maximum)
		exchange->body.maximum = limit;
}

/* As it is announced, or as large as it may be. The library has checked that it is a number. */
static uint64_t size_of_body(const struct pic_exchange *exchange)
{
	const char *length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length ? strtoull(length, NULL, 10) : exchange->body.maximum;
}

static enum MHD_Result take_head(struct pic_exchange *exchange, const char *method)
{
	uint64_t size;

	/* whoever answers a GET answers a HEAD; the library leaves the body out */
	exchange->method =
		strdup(strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 ? MHD_HTTP_METHOD_GET : method);
	if (!exchange->method)
		return MHD_NO;
	limit_body(exchange);
	size = size_of_body(exchange);
	pic_connection_expect_body(exchange->guarded, size);
	if (size <= exchange->body.maximum)
		return MHD_YES;
	exchange->body_refused = true; /* answered before it is sent */
	return dispatch(exchange);
}

static enum MHD_Result take_body(struct pic_exchange *exchange, const char *bytes, size_t size)
{
	if (!exchange->body_refused && size <= exchange->body.maximum - exchange->body.size) {
		pic_buf_add(&exchange->body, bytes, size);
		return MHD_YES;
	}
	exchange->body_refused = true;
	pic_buf_free(&exchange->body);
	exchange->dropped += size;
	return exchange->dropped > DROPPED_MAX ? MHD_NO : MHD_YES;
}

enum MHD_Result pic_server_on_request(void *data, struct MHD_Connection *connection,
				      const char *url, const char *method, const char *version,
				      const char *upload, size_t *upload_size, void **context)
{
	struct pic_exchange *exchange = *context;
	size_t size = *upload_size;

	(void)data;
	(void)connection;
	(void)url;
	(void)version;
	if (!exchange || exchange->gone || (exchange->server->closing && !exchange->response))
		return MHD_NO;
	if (!exchange->method)
		return take_head(exchange, method);
	*upload_size = 0;
	if (size > 0)
		return take_body(exchange, upload, size);
	if (exchange->state == PIC_EXCHANGE_READING)
		return dispatch(exchange);
	return pic_exchange_queue(exchange); /* kept before, answered meanwhile */
}

/* What handlers see. */

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
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name,
					  strlen(name), &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : ""; /* "?watch" */
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
	struct pic_exchange *own =
		(struct pic_exchange *)(uintptr_t)exchange; /* remembers the answer */

	if (!own->certificate_checked && own->server->checks_clients)
		own->certificate = pic_exchange_tls_certificate(own);
	own->certificate_checked = true;
	return own->certificate;
}

bool pic_exchange_belongs(struct pic_exchange *exchange, const char *owner, unsigned maximum)
{
	return pic_connection_give(exchange->guarded, owner, maximum);
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
