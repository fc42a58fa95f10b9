/* Replies, at once or late, and streams. */
#include <string.h>
#include <unistd.h>

#include "net/server_exchange.h"

#define STREAM_BLOCK 8192 /* the largest chunk of a stream */

static void add_headers(const struct pic_exchange *exchange)
{
	const char *at = exchange->headers.data;
	const char *end = at ? at + exchange->headers.size : NULL;

	while (at < end) {
		const char *value = at + strlen(at) + 1;

		MHD_add_response_header(exchange->response, at, value);
		at = value + strlen(value) + 1;
	}
}

/* Without a response (no memory, or woken for another reason) the connection ends. */
enum MHD_Result pic_exchange_queue(struct pic_exchange *exchange)
{
	enum MHD_Result result;

	if (!exchange->response)
		return MHD_NO;
	add_headers(exchange);
	pic_buf_free(&exchange->headers);
	result = MHD_queue_response(exchange->connection, (unsigned)exchange->status,
				    exchange->response);
	MHD_destroy_response(exchange->response);
	exchange->response = NULL;
	return result;
}

void pic_reply_header(struct pic_exchange *exchange, const char *name, const char *value)
{
	/* a newline would begin a header of its own */
	if (exchange->state == PIC_EXCHANGE_REPLIED || strpbrk(name, "\r\n:") ||
	    strpbrk(value, "\r\n"))
		return;
	pic_buf_add(&exchange->headers, name, strlen(name) + 1);
	pic_buf_add(&exchange->headers, value, strlen(value) + 1);
}

/* Takes the response over. Inside the handler it is queued on return, else the connection is woken. */
static void answer_with(struct pic_exchange *exchange, int status, const char *content_type,
			struct MHD_Response *response)
{
	bool was_kept = exchange->state == PIC_EXCHANGE_KEPT;

	if (exchange->state == PIC_EXCHANGE_REPLIED || exchange->gone) {
		if (response)
			MHD_destroy_response(response);
		return;
	}
	if (content_type)
		pic_reply_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	/* a head with a part missing would be another answer */
	if (response && exchange->headers.failed) {
		MHD_destroy_response(response);
		response = NULL;
	}
	exchange->response = response;
	exchange->status = status;
	exchange->state = PIC_EXCHANGE_REPLIED;
	if (!was_kept)
		return;
	pic_watch_free(exchange->watch);
	exchange->watch = NULL;
	pic_exchange_resume(exchange);
}

void pic_reply(struct pic_exchange *exchange, int status, const char *content_type,
	       const void *body, size_t size)
{
	answer_with(exchange, status, size > 0 ? content_type : NULL,
		    MHD_create_response_from_buffer_copy(size, size > 0 ? body : ""));
}

void pic_reply_fd(struct pic_exchange *exchange, int status, const char *content_type, int fd,
		  uint64_t offset, uint64_t size)
{
	struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(size, fd, offset);

	if (!response)
		close(fd);
	answer_with(exchange, status, content_type, response);
}

/* The library asks for the next bytes of a stream. */
static ssize_t read_stream(void *data, uint64_t position, char *out, size_t room)
{
	struct pic_exchange *exchange = data;
	size_t size = exchange->stream.size < room ? exchange->stream.size : room;

	(void)position;
	if (exchange->gone || exchange->server->closing)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (size == 0 && exchange->stream_ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (size == 0) {
		pic_exchange_suspend(exchange);
		return 0;
	}
	memcpy(out, exchange->stream.data, size);
	pic_buf_consume(&exchange->stream, size);
	/* most streams are silent most of the time: what they held is given back */
	if (exchange->stream.size == 0)
		pic_buf_free(&exchange->stream);
	return (ssize_t)size;
}

void pic_stream_start(struct pic_exchange *exchange, int status, const char *content_type,
		      size_t maximum)
{
	if (exchange->state == PIC_EXCHANGE_REPLIED)
		return;
	exchange->streaming = true;
	exchange->stream.maximum = maximum;
	answer_with(exchange, status, content_type,
		    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
						      exchange, NULL));
}

bool pic_stream_write(struct pic_exchange *exchange, const void *data, size_t size)
{
	if (exchange->gone || exchange->stream_ended ||
	    size > exchange->stream.maximum - exchange->stream.size)
		return false;
	pic_buf_add(&exchange->stream, data, size);
	if (exchange->stream.failed)
		return false;
	/* inside the handler, or while the peer takes its time, it is awake already */
	pic_exchange_resume(exchange);
	return true;
}

void pic_stream_end(struct pic_exchange *exchange)
{
	exchange->stream_ended = true;
	pic_watch_free(exchange->watch);
	exchange->watch = NULL;
	pic_exchange_resume(exchange);
}
