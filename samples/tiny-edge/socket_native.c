/* socket.h on a Unix machine, for comparison. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

static long failure(void)
{
	return errno == EAGAIN || errno == EINTR ? TINY_AGAIN : TINY_GONE;
}

int tiny_listen(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int tiny_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? (int)failure() : fd;
}

long tiny_receive(int fd, void *data, size_t size)
{
	long n = recv(fd, data, size, 0);

	return n < 0 ? failure() : n;
}

long tiny_send(int fd, const void *data, size_t size)
{
	long n = send(fd, data, size, MSG_NOSIGNAL);

	return n < 0 ? failure() : n;
}

void tiny_close(int fd)
{
	close(fd);
}

static struct pollfd polls[TINY_SLOTS];
static unsigned place_of[TINY_SLOTS], slot_of[TINY_SLOTS], used;

void tiny_wait_set(unsigned slot, int fd, int for_writing)
{
	if (place_of[slot] == 0)
		place_of[slot] = ++used;
	slot_of[place_of[slot] - 1] = slot;
	polls[place_of[slot] - 1] =
		(struct pollfd){ .fd = fd, .events = for_writing ? POLLOUT : POLLIN };
}

void tiny_wait_clear(unsigned slot)
{
	unsigned place = place_of[slot];

	if (place == 0)
		return;
	place_of[slot] = 0;
	used--;
	if (place - 1 != used) {
		polls[place - 1] = polls[used];
		slot_of[place - 1] = slot_of[used];
		place_of[slot_of[used]] = place;
	}
}

int tiny_wait(unsigned *ready)
{
	int count = 0;

	if (poll(polls, used, -1) < 0)
		return errno == EINTR ? 0 : -1;
	for (unsigned i = 0; i < used; i++)
		if (polls[i].revents)
			ready[count++] = slot_of[i];
	return count;
}
