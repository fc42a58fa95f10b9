/*
 * A web server of one thread: a loop around one wait, many connections, keep-alive. It shows that a
 * WebAssembly module can serve a network by itself.
 *
 *	tiny_http [PORT]	default 8085
 *
 * Everything is bounded: connections, bytes of a request, bytes of an answer. A request that is not
 * understood is answered with 400 and the connection closes.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pages.h"
#include "socket.h"

#define CONNECTIONS (TINY_SLOTS - 1)
#define REQUEST_MAX 4096u
#define LISTENER CONNECTIONS /* its slot */

struct connection {
	int fd;	       /* -1: free */
	int keep;      /* after the answer in hand */
	unsigned used; /* bytes of the request so far */
	char *request; /* REQUEST_MAX bytes, made at the first use */
	char *left;    /* rest of an answer that the other side does not take yet */
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

/* A request's head, found in one pass: interpreted code pays for every look at a byte. */
struct head {
	const char *path;
	size_t path_size;
	const char *end; /* behind the empty line; NULL: it has not come yet */
	int keep;
	int valid;
};

/* METHOD SP PATH SP HTTP/1.x CR */
static void parse_first_line(const char *text, const char *end, struct head *head)
{
	const char *path_end = end - 10;

	/* nothing here takes a body, so GET is all there is */
	if (end - text < 15 || memcmp(text, "GET /", 5) != 0 || *path_end != ' ' ||
	    memcmp(path_end + 1, "HTTP/1.", 7) != 0 || end[-1] != '\r')
		return;
	head->path = text + 4;
	head->path_size = (size_t)(path_end - head->path);
	head->keep = path_end[8] == '1';
	head->valid = memchr(head->path, ' ', head->path_size) == NULL;
}

/* "Connection: close", in whatever letters. */
static void parse_line(const char *text, const char *end, struct head *head)
{
	if (end - text < 16 || (text[0] | 32) != 'c' || strncasecmp(text, "connection:", 11) != 0)
		return;
	for (text += 11; *text == ' '; text++)
		;
	if (strncasecmp(text, "close", 5) == 0)
		head->keep = 0;
}

static struct head parse(const char *text, size_t size)
{
	const char *end = text + size, *line = text, *line_end;
	struct head head = { 0 };

	while ((line_end = memchr(line, '\n', (size_t)(end - line)))) {
		if (line == text)
			parse_first_line(line, line_end, &head);
		else if (line_end - line == 1 && *line == '\r')
			break;
		else
			parse_line(line, line_end, &head);
		line = line_end + 1;
	}
	head.end = line_end ? line_end + 1 : NULL;
	return head;
}

static struct page find(const struct head *head)
{
	const char *query = memchr(head->path, '?', head->path_size);
	size_t size = query ? (size_t)(query - head->path) : head->path_size;

	if (size == 1)
		return page_home(head->keep);
	if (size == 6 && memcmp(head->path, "/trace", 6) == 0)
		return page_trace(head->keep);
	return page_missing(head->keep);
}

/* Answers every whole request that has come. -1: close the connection. */
static int serve(unsigned slot)
{
	struct connection *c = &connections[slot];

	while (!c->left && c->used > 0) {
		struct head head = parse(c->request, c->used);
		size_t size = (size_t)(head.end - c->request);
		int lost;

		if (!head.end)
			break;
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
	if (write(2, text, strlen(text)) < 0) /* stdio would be a third of the module */
		return;
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
	if (listener < 0 || pages_init() < 0) {
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
