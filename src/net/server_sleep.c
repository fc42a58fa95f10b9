/*
 * A sleeping connection. The library does not look at the socket of one, so a watch of ours on the same
 * socket notices a peer that goes away. Woken afterwards, the connection finds no reply and ends.
 */
#include <sys/epoll.h>

#include "base/log.h"
#include "net/server_exchange.h"

bool pic_exchange_is_kept(const struct pic_exchange *exchange)
{
	return exchange->state == PIC_EXCHANGE_KEPT ||
	       (exchange->streaming && !exchange->stream_ended);
}

void pic_exchange_tell_gone(struct pic_exchange *exchange)
{
	const struct pic_server_settings *settings = &exchange->server->settings;

	if (exchange->gone || !pic_exchange_is_kept(exchange))
		return;
	exchange->gone = true;
	if (settings->gone)
		settings->gone(settings->data, exchange);
}

void pic_exchange_resume(struct pic_exchange *exchange)
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
	pic_exchange_tell_gone(exchange);
	pic_exchange_resume(exchange);
}

/* A stream keeps its watch while it is awake: the library may be waiting for room to send. */
static void watch_peer(struct pic_exchange *exchange)
{
	const union MHD_ConnectionInfo *info;
	struct pic_error err = PIC_ERROR_INIT;

	if (exchange->watch)
		return;
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info && pic_loop_watch(exchange->server->loop, info->connect_fd, EPOLLRDHUP, on_hang_up,
				   exchange, &exchange->watch, &err) < 0)
		pic_log(PIC_LOG_WARNING, "connection-not-watched", PIC_TEXT("peer", exchange->peer),
			PIC_TEXT("error", err.text));
}

void pic_exchange_suspend(struct pic_exchange *exchange)
{
	exchange->suspended = true;
	MHD_suspend_connection(exchange->connection);
	watch_peer(exchange);
}
