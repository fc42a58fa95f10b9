/*
 * A web server of one thread: a loop around one wait, many connections, keep-alive. It shows that a
 * WebAssembly module can serve a network by itself.
 *
 *	tiny_http [PORT]	default 8085
 *
 * Everything is bounded: connections, bytes of a request, bytes of an answer. A request that is not
 * understood is answered with 400 and the connection closes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pages.h"
#include "socket.h"

#define CONNECTIONS 128u
#define REQUEST_MAX 4096u
#define LISTENER CONNECTIONS /* its slot */

struct connection {
	int fd;		/* -1: free */
	int keep;	/* after the answer in hand */
	unsigned used;	/* bytes of the request so far */
	char *request;	/* REQUEST_MAX bytes, made at the first use */
	char *left;	/* rest of an answer that the other side does not take yet */
	size_t left_size;
};

static struct connection connections[CONNECTIONS];
static unsigned ready[CONNECTIONS + 1];

static void drop(unsigned slot)
{
	struct connection *c = &connections[slot];

	tiny_wait_clear(slot);
	tiny_close(c->fd);
	free(c->left);
	c->left = NULL;
	c->fd = -1;
	c->used = 0;
}

/* A free connection; when all are taken, the newcomer is turned away. */
static void take(int fd)
{
	for (unsigned slot = 0; slot < CONNECTIONS; slot++) {
		struct connection *c = &connections[slot];

		if (c->fd >= 0)
			continue;
		if (!c->request)
			c->request = malloc(REQUEST_MAX);
		if (!c->request)
			break;
		c->fd = fd;
		tiny_wait_set(slot, fd, 0);
		return;
	}
	tiny_close(fd);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = tiny_accept(listener)) >= 0)
		take(fd);
}

/* 0: sent or kept for later; -1: the connection is lost. */
static int answer(unsigned slot, struct page page)
{
	struct connection *c = &connections[slot];
	long n = tiny_send(c->fd, page.data, page.size);

	if (n == TINY_GONE)
		return -1;
	if (n == TINY_AGAIN)
		n = 0;
	if ((size_t)n == page.size)
		return 0;
	c->left_size = page.size - (size_t)n;
	c->left = malloc(c->left_size);
	if (!c->left)
		return -1;
	memcpy(c->left, page.data + n, c->left_size);
	tiny_wait_set(slot, c->fd, 1);
	return 0;
}

/* Places of a request's head. */
struct head {
	const char *path;
	size_t path_size;
	int keep;
	int valid;
};

static int is_token(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i] < 'A' || at[i] > 'Z')
			return 0;
	return size > 0;
}

/* "Connection: close" in whatever letters, among the lines of the head. */
static int wants_close(const char *at, const char *end)
{
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (!line_end)
			break;
		if ((at[0] | 32) == 'c' && line_end - at > 16 && strncasecmp(at, "connection:", 11) == 0) {
			const char *value = at + 11;

			while (*value == ' ')
				value++;
			return strncasecmp(value, "close", 5) == 0;
		}
		at = line_end + 1;
	}
	return 0;
}

/* METHOD SP PATH SP HTTP/1.x CR LF lines */
static void parse(const char *text, const char *end, struct head *head)
{
	const char *line_end = memchr(text, '\n', (size_t)(end - text));
	const char *method_end, *path_end;

	head->valid = 0;
	if (!line_end || line_end - text < 14)
		return;
	method_end = memchr(text, ' ', (size_t)(line_end - text));
	if (!method_end || !is_token(text, (size_t)(method_end - text)))
		return;
	head->path = method_end + 1;
	path_end = memchr(head->path, ' ', (size_t)(line_end - head->path));
	if (!path_end || *head->path != '/' || line_end - path_end != 10 ||
	    memcmp(path_end + 1, "HTTP/1.", 7) != 0 || line_end[-1] != '\r')
		return;
	head->path_size = (size_t)(path_end - head->path);
	head->keep = path_end[8] == '1' && !wants_close(line_end + 1, end);
	head->valid = memcmp(text, "GET ", 4) == 0; /* nothing here takes a body */
}

static int path_is(const struct head *head, const char *path)
{
	const char *query = memchr(head->path, '?', head->path_size);
	size_t size = query ? (size_t)(query - head->path) : head->path_size;

	return size == strlen(path) && memcmp(head->path, path, size) == 0;
}

static struct page find(const struct head *head)
{
	if (path_is(head, "/"))
		return page_home(head->keep);
	if (path_is(head, "/trace"))
		return page_trace(head->keep);
	return page_missing(head->keep);
}

/* The end of a head that starts at `text`: behind its empty line; NULL: not there yet. */
static const char *head_end(const char *text, size_t size)
{
	const char *at = text, *end = text + size;

	/* Most requests come whole and alone. */
	if (size >= 4 && memcmp(end - 4, "\r\n\r\n", 4) == 0 &&
	    memmem(text, size - 1, "\r\n\r\n", 4) == NULL)
		return end;
	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return at + 2;
	}
	return NULL;
}

/* Answers every whole request that has come. -1: close the connection. */
static int serve(unsigned slot)
{
	struct connection *c = &connections[slot];
	const char *end;

	while (!c->left && (end = head_end(c->request, c->used))) {
		size_t size = (size_t)(end - c->request);
		struct head head;
		int lost;

		parse(c->request, end, &head);
		c->keep = head.valid && head.keep;
		lost = answer(slot, head.valid ? find(&head) : page_refused());
		c->used -= (unsigned)size;
		if (c->used > 0)
			memmove(c->request, c->request + size, c->used);
		if (lost < 0 || (!c->keep && !c->left))
			return -1;
	}
	if (c->used < REQUEST_MAX || c->left)
		return 0;
	c->keep = 0; /* a head that does not end */
	return answer(slot, page_refused()) < 0 || !c->left ? -1 : 0;
}

static int read_more(unsigned slot)
{
	struct connection *c = &connections[slot];
	long n = tiny_receive(c->fd, c->request + c->used, REQUEST_MAX - c->used);

	if (n == TINY_AGAIN)
		return 0;
	if (n <= 0)
		return -1;
	c->used += (unsigned)n;
	return serve(slot);
}

static int write_more(unsigned slot)
{
	struct connection *c = &connections[slot];
	long n = tiny_send(c->fd, c->left, c->left_size);

	if (n == TINY_AGAIN)
		return 0;
	if (n < 0)
		return -1;
	c->left_size -= (size_t)n;
	if (c->left_size > 0) {
		memmove(c->left, c->left + n, c->left_size);
		return 0;
	}
	free(c->left);
	c->left = NULL;
	if (!c->keep)
		return -1;
	tiny_wait_set(slot, c->fd, 0);
	return serve(slot);
}

static unsigned parse_port(const char *text)
{
	unsigned port = 0;

	for (; *text >= '0' && *text <= '9' && port < 65536; text++)
		port = port * 10 + (unsigned)(*text - '0');
	return *text == '\0' && port > 0 && port < 65536 ? port : 0;
}

static void say(const char *text)
{
	fputs(text, stderr);
}

int main(int argc, char **argv)
{
	unsigned port = argc > 1 ? parse_port(argv[1]) : 8085;
	int listener, count;

	if (port == 0) {
		say("tiny_http: the port must be a number from 1 to 65535\n");
		return 2;
	}
	for (unsigned slot = 0; slot < CONNECTIONS; slot++)
		connections[slot].fd = -1;
	listener = tiny_listen(port);
	if (listener < 0 || pages_init() < 0 || tiny_wait_init(CONNECTIONS + 1) < 0) {
		say("tiny_http: cannot listen on its port\n");
		return 1;
	}
	tiny_wait_set(LISTENER, listener, 0);
	while ((count = tiny_wait(ready)) >= 0)
		for (int i = 0; i < count; i++) {
			unsigned slot = ready[i];

			if (slot == LISTENER)
				accept_all(listener);
			else if ((connections[slot].left ? write_more(slot) : read_more(slot)) < 0)
				drop(slot);
		}
	return 1;
}
