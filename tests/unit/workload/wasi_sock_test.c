/* Sockets, through a broker: both shapes of the dialect, preopened listeners, datagrams, polls of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "admission/policy.h"
#include "wasi_world.h"

#define ADDRESS 3000ull /* {pointer, size} -> BUFFER */
#define BUFFER 3100u

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	pic_wasm_spec_init(&world->spec);
	world_open(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

static void set_address(struct world *world, uint32_t size, const char *text)
{
	world_vector(world, ADDRESS, BUFFER, size);
	memset(world->wasi->memory + BUFFER, 0, 128);
	if (size == 128) {
		world->wasi->memory[BUFFER] = strchr(text, ':') ? 2 : 1;
		assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text,
					   world->wasi->memory + BUFFER + 2),
				 1);
	} else {
		assert_int_equal(inet_pton(size == 16 ? AF_INET6 : AF_INET, text,
					   world->wasi->memory + BUFFER),
				 1);
	}
}

static uint32_t open_socket(struct world *world, uint64_t type)
{
	assert_int_equal(CALL(world, sock_open, 1ull, type, 400ull), 0);
	return world_get32(world, 400);
}

/* A port that nobody listens on just now. */
static uint16_t free_port(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* A listener of the guest on 127.0.0.1. */
static uint32_t listen_on(struct world *world, uint16_t port, uint32_t address_size)
{
	uint32_t fd = open_socket(world, 2);

	set_address(world, address_size, "127.0.0.1");
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, (uint64_t)port), 0);
	assert_int_equal(CALL(world, sock_listen, (uint64_t)fd, 16ull), 0);
	assert_int_equal(
		CALL(world, fd_fdstat_set_flags, (uint64_t)fd, (uint64_t)PIC_WASI_FD_NONBLOCK), 0);
	return fd;
}

static void listens_and_accepts(void **state)
{
	struct world *world = *state;
	uint16_t port = free_port(SOCK_STREAM);
	uint32_t listener = listen_on(world, port, 4), fd;
	int peer, no_delay = 0;
	socklen_t size = sizeof(no_delay);
	char bytes[16];

	assert_int_equal(world->asked, 1);
	assert_int_equal(world->last.operation, PIC_BROKER_LISTEN);
	assert_int_equal(world->last.port, port);
	assert_int_equal(world->last.backlog, 16);
	assert_int_equal(CALL(world, sock_accept_1, (uint64_t)listener, 400ull), PIC_WASI_AGAIN);
	peer = connect_to(port);
	assert_int_equal(CALL(world, sock_accept, (uint64_t)listener,
			      (uint64_t)PIC_WASI_FD_NONBLOCK, 400ull),
			 0);
	fd = world_get32(world, 400);
	assert_int_equal(getsockopt(world->wasi->files[fd].fd, IPPROTO_TCP, TCP_NODELAY, &no_delay,
				    &size),
			 0);
	assert_int_equal(no_delay, 1);
	assert_int_equal(CALL(world, sock_recv, (uint64_t)fd, 0ull, 0ull, 0ull, 400ull, 404ull), 0);
	world_vector(world, 0, 100, 4);
	world_vector(world, 8, 200, 10);
	assert_int_equal(CALL(world, sock_recv, (uint64_t)fd, 0ull, 2ull, 0ull, 400ull, 404ull),
			 PIC_WASI_AGAIN);
	assert_int_equal(send(peer, "hello world", 11, 0), 11);
	assert_int_equal(CALL(world, sock_recv, (uint64_t)fd, 0ull, 2ull, 1ull, 400ull, 404ull),
			 0); /* peek */
	assert_int_equal(CALL(world, sock_recv, (uint64_t)fd, 0ull, 2ull, 0ull, 400ull, 404ull), 0);
	assert_int_equal(world_get32(world, 400), 11);
	assert_memory_equal(world->wasi->memory + 100, "hell", 4);
	assert_memory_equal(world->wasi->memory + 200, "o world", 7);
	assert_int_equal(CALL(world, sock_recv, (uint64_t)fd, 0ull, 2ull, 4ull, 400ull, 404ull),
			 PIC_WASI_INVAL);
	world_vector(world, 8, 200, 7);
	assert_int_equal(CALL(world, sock_send, (uint64_t)fd, 0ull, 2ull, 0ull, 400ull), 0);
	assert_int_equal(recv(peer, bytes, 11, MSG_WAITALL), 11);
	assert_memory_equal(bytes, "hello world", 11);
	world_vector(world, 0, 100, 4);
	assert_int_equal(CALL(world, fd_write, (uint64_t)fd, 0ull, 1ull, 400ull),
			 0); /* files' calls work too */
	assert_int_equal(CALL(world, sock_shutdown, (uint64_t)fd, 0ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_shutdown, (uint64_t)fd, 4ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_shutdown, (uint64_t)fd, 2ull), 0);
	close(peer);
	assert_int_equal(CALL(world, fd_close, (uint64_t)fd), 0);
	assert_int_equal(CALL(world, sock_recv, 1ull, 0ull, 1ull, 0ull, 400ull, 404ull),
			 PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, sock_shutdown, 77ull, 2ull), PIC_WASI_BADF);
}

/* A peer that is gone is an error number, not a signal. */
static void survives_a_lost_peer(void **state)
{
	struct world *world = *state;
	uint16_t port = free_port(SOCK_STREAM);
	uint32_t listener = listen_on(world, port, 128), fd, r = 0;
	int peer = connect_to(port);

	assert_int_equal(CALL(world, sock_accept_1, (uint64_t)listener, 400ull), 0);
	fd = world_get32(world, 400);
	close(peer);
	world_vector(world, 0, 100, 1000);
	world_vector(world, 8, 100, 1000);
	for (unsigned i = 0; i < 1000 && r == 0; i++)
		r = CALL(world, sock_send, (uint64_t)fd, 0ull, 1ull, 0ull, 400ull);
	assert_true(r == PIC_WASI_PIPE || r == PIC_WASI_CONNRESET);
	assert_int_equal(CALL(world, sock_send, (uint64_t)fd, 0ull, 1ull, 0ull, 400ull),
			 PIC_WASI_PIPE);
}

static void names_addresses(void **state)
{
	struct world *world = *state;
	uint16_t port = free_port(SOCK_STREAM);
	uint32_t listener = listen_on(world, port, 4), fd;
	int peer = connect_to(port);

	set_address(world, 16, "::");
	memset(world->wasi->memory + BUFFER, 0xff, 16);
	assert_int_equal(
		CALL(world, sock_getlocaladdr_1, (uint64_t)listener, ADDRESS, 400ull, 404ull), 0);
	assert_int_equal(world_get32(world, 400), 4);
	assert_int_equal(world_get32(world, 404), port);
	assert_memory_equal(world->wasi->memory + BUFFER, "\x7f\0\0\1", 4);
	assert_int_equal(CALL(world, sock_accept_1, (uint64_t)listener, 400ull), 0);
	fd = world_get32(world, 400);
	world_vector(world, ADDRESS, BUFFER, 128);
	assert_int_equal(CALL(world, sock_getlocaladdr, (uint64_t)fd, ADDRESS, 404ull), 0);
	assert_int_equal(world_get32(world, 404), port);
	assert_memory_equal(world->wasi->memory + BUFFER, "\1\0\x7f\0\0\1", 6);
	assert_int_equal(CALL(world, sock_getpeeraddr_1, (uint64_t)fd, ADDRESS, 400ull, 404ull), 0);
	assert_int_not_equal(world_get32(world, 404), port);
	world_vector(world, ADDRESS, BUFFER, 3); /* no room */
	assert_int_equal(CALL(world, sock_getpeeraddr, (uint64_t)fd, ADDRESS, 404ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_getpeeraddr, (uint64_t)listener, ADDRESS, 404ull),
			 PIC_WASI_NOTCONN);
	assert_int_equal(CALL(world, sock_getpeeraddr, 1ull, ADDRESS, 404ull), PIC_WASI_NOTSOCK);
	world_vector(world, ADDRESS, WORLD_MEMORY - 2, 16);
	assert_int_equal(CALL(world, sock_getlocaladdr, (uint64_t)fd, ADDRESS, 404ull),
			 PIC_WASI_FAULT);
	close(peer);
}

static void refuses_odd_sockets(void **state)
{
	struct world *world = *state;
	uint32_t fd;

	assert_int_equal(CALL(world, sock_open, 0ull, 2ull, 400ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_open, 9ull, 2ull, 400ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_open, 1ull, 0ull, 400ull), PIC_WASI_INVAL);
	fd = open_socket(world, 2);
	assert_int_equal(CALL(world, sock_listen, (uint64_t)fd, 1ull),
			 PIC_WASI_INVAL); /* nobody bound it */
	assert_int_equal(world->asked, 0);
	world_vector(world, ADDRESS, BUFFER, 5);
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 8085ull), PIC_WASI_INVAL);
	set_address(world, 16, "::1");
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 8085ull),
			 PIC_WASI_AFNOSUPPORT);
	set_address(world, 4, "127.0.0.1");
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 65536ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_bind, 1ull, ADDRESS, 8085ull), PIC_WASI_NOTSOCK);
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 8085ull), 0);
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 8085ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_accept_1, (uint64_t)fd, 400ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_recv, (uint64_t)fd, 0ull, 1ull, 0ull, 400ull, 404ull),
			 PIC_WASI_NOTCONN);
	assert_int_equal(CALL(world, fd_filestat_get, (uint64_t)fd, 1000ull), 0);
	assert_int_equal(world->wasi->memory[1016], PIC_WASI_TYPE_STREAM);
	assert_int_equal(CALL(world, fd_fdstat_get, (uint64_t)fd, 1000ull), 0);
	assert_true((world_get64(world, 1008) & 0x48) ==
		    (PIC_WASI_RIGHT_WRITE | PIC_WASI_RIGHT_SET_FLAGS));
}

static void hears_refusals(void **state)
{
	struct world *world = *state;
	uint32_t fd = open_socket(world, 2);
	char *log;

	set_address(world, 4, "0.0.0.0");
	world->refuse = -EACCES;
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 80ull), 0);
	assert_int_equal(CALL(world, sock_listen, (uint64_t)fd, 1ull), PIC_WASI_ACCES);
	world->refuse = -EADDRINUSE;
	assert_int_equal(CALL(world, sock_listen, (uint64_t)fd, 1ull), PIC_WASI_ADDRINUSE);
	log = world_log(world);
	assert_non_null(
		strstr(log, " p cannot listen on tcp:0.0.0.0:80: not granted by wasm.listen"));
	assert_non_null(strstr(log, "Address already in use"));
	free(log);
	world->refuse = 0;
	world->mute = 1;
	assert_int_equal(CALL(world, sock_listen, (uint64_t)fd, 1ull), PIC_WASI_TIMEDOUT);
}

static void connects(void **state)
{
	struct world *world = *state;
	uint16_t port = free_port(SOCK_STREAM);
	uint32_t listener = listen_on(world, port, 4), fd = open_socket(world, 2), r;

	set_address(world, 4, "127.0.0.1");
	r = CALL(world, sock_connect, (uint64_t)fd, ADDRESS, (uint64_t)port);
	assert_int_equal(r, 0);
	assert_int_equal(CALL(world, sock_connect, (uint64_t)fd, ADDRESS, (uint64_t)port),
			 PIC_WASI_ISCONN);
	assert_int_equal(CALL(world, sock_accept_1, (uint64_t)listener, 400ull), 0);
	fd = open_socket(world, 2);
	assert_int_equal(CALL(world, sock_connect, (uint64_t)fd, ADDRESS,
			      (uint64_t)free_port(SOCK_STREAM)),
			 PIC_WASI_CONNREFUSED);
}

static void datagrams_go_where_they_may(void **state)
{
	struct world *world = *state;
	uint16_t port = free_port(SOCK_DGRAM), other = free_port(SOCK_DGRAM);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in me = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(me);
	uint32_t fd = open_socket(world, 1);
	int peer = socket(AF_INET, SOCK_DGRAM, 0);
	struct pic_error err;
	char bytes[16];

	set_address(world, 4, "127.0.0.1");
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, (uint64_t)port), 0);
	assert_int_equal(world->last.operation, PIC_BROKER_BIND);
	assert_int_equal(bind(peer, (struct sockaddr *)&me, size), 0);
	assert_int_equal(getsockname(peer, (struct sockaddr *)&me, &size), 0);
	world_text(world, 100, "answer");
	world_vector(world, 0, 100, 3);
	world_vector(world, 8, 103, 3);
	/* nobody wrote to it yet, and nothing is granted */
	assert_int_equal(CALL(world, sock_send_to, (uint64_t)fd, 0ull, 2ull, ADDRESS,
			      (uint64_t)ntohs(me.sin_port), 0ull, 400ull),
			 PIC_WASI_ACCES);
	assert_int_equal(sendto(peer, "question", 8, 0, (struct sockaddr *)&to, sizeof(to)), 8);
	world_vector(world, ADDRESS, BUFFER, 128);
	world_vector(world, 16, 200, 4);
	assert_int_equal(CALL(world, sock_recv_from, (uint64_t)fd, 16ull, 1ull, ADDRESS, 0ull,
			      408ull, 400ull, 404ull),
			 0);
	assert_int_equal(world_get32(world, 400), 4);
	assert_int_equal(world_get32(world, 404) & 0xffff, PIC_WASI_RECV_TRUNCATED);
	assert_int_equal(world_get32(world, 408), ntohs(me.sin_port)); /* host order, all of it */
	assert_int_equal(CALL(world, sock_send_to, (uint64_t)fd, 0ull, 2ull, ADDRESS,
			      (uint64_t)world_get32(world, 408), 0ull, 400ull),
			 0);
	assert_int_equal(recv(peer, bytes, sizeof(bytes), 0), 6);
	assert_memory_equal(bytes, "answer", 6);
	set_address(world, 4, "127.0.0.1");
	assert_int_equal(CALL(world, sock_send_to, (uint64_t)fd, 0ull, 1ull, ADDRESS,
			      (uint64_t)other, 0ull, 400ull),
			 PIC_WASI_ACCES);
	assert_int_equal(CALL(world, sock_connect, (uint64_t)fd, ADDRESS, (uint64_t)other),
			 PIC_WASI_ACCES);
	assert_int_equal(pic_wasm_spec_connect(&world->spec, "udp:127.0.0.0/8:1-65535", &err), 0);
	assert_int_equal(CALL(world, sock_send_to, (uint64_t)fd, 0ull, 1ull, ADDRESS,
			      (uint64_t)other, 0ull, 400ull),
			 0);
	close(peer);
}

static void datagram_clients_ask(void **state)
{
	struct world *world = *state;
	uint32_t fd = open_socket(world, 1);
	uint16_t port = free_port(SOCK_DGRAM);

	world_vector(world, 0, 100, 3);
	set_address(world, 4, "0.0.0.0");
	assert_int_equal(CALL(world, sock_bind, (uint64_t)fd, ADDRESS, 0ull), 0);
	assert_int_equal(world->asked, 0);
	set_address(world, 4, "127.0.0.1");
	assert_int_equal(CALL(world, sock_send_to, (uint64_t)fd, 0ull, 1ull, ADDRESS,
			      (uint64_t)port, 0ull, 400ull),
			 0);
	assert_int_equal(world->last.operation, PIC_BROKER_CONNECT);
	(void)CALL(world, sock_send_to, (uint64_t)fd, 0ull, 1ull, ADDRESS, (uint64_t)port, 0ull,
		   400ull);
	assert_int_equal(world->asked, 1); /* the same peer is not asked for again */
	(void)CALL(world, sock_send_to, (uint64_t)fd, 0ull, 1ull, ADDRESS,
		   (uint64_t)free_port(SOCK_DGRAM), 0ull, 400ull);
	assert_int_equal(world->asked, 2);
	world_vector(world, 0, 0, WORLD_MEMORY);
	assert_int_equal(CALL(world, sock_send, (uint64_t)fd, 0ull, 1ull, 0ull, 400ull),
			 PIC_WASI_MSGSIZE);
}

static void options(void **state)
{
	struct world *world = *state;
	uint32_t fd = open_socket(world, 2);
	uint64_t f = fd;

	world_put32(world, 100, 1);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 0ull, 100ull, 4ull),
			 0); /* REUSEADDR */
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 7ull, 100ull, 4ull),
			 0); /* KEEPALIVE, before it is made */
	assert_int_equal(CALL(world, sock_setsockopt, f, 1ull, 0ull, 100ull, 4ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 40ull, 100ull, 4ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 0ull, 100ull, 3ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 14ull, 100ull, 4ull), PIC_WASI_PERM);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 0ull, WORLD_MEMORY - 2ull, 4ull),
			 PIC_WASI_FAULT);
	world_put64(world, 100, 0);
	world_put64(world, 108, 20000);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 11ull, 100ull, 16ull), 0);
	assert_int_equal(CALL(world, sock_setsockopt, f, 0ull, 11ull, 100ull, 8ull),
			 PIC_WASI_INVAL);
	set_address(world, 4, "127.0.0.1");
	assert_int_equal(CALL(world, sock_bind, f, ADDRESS, (uint64_t)free_port(SOCK_STREAM)), 0);
	assert_int_equal(CALL(world, sock_listen, f, 5ull), 0);
	world_put32(world, 200, 4);
	assert_int_equal(CALL(world, sock_getsockopt, f, 0ull, 7ull, 100ull, 200ull), 0);
	assert_int_equal(world_get32(world, 100), 1);
	assert_int_equal(CALL(world, sock_getsockopt, f, 0ull, 1ull, 100ull, 200ull), 0);
	assert_int_equal(world_get32(world, 100), 2);
	assert_int_equal(CALL(world, sock_getsockopt, f, 0ull, 13ull, 100ull, 200ull), 0);
	assert_int_equal(world_get32(world, 100), 1);
	assert_int_equal(CALL(world, sock_getsockopt, f, 0ull, 2ull, 100ull, 200ull), 0);
	assert_int_equal(world_get32(world, 100), 0);
	assert_int_equal(CALL(world, sock_getsockopt, f, 0ull, 11ull, 100ull, 200ull),
			 PIC_WASI_INVAL); /* 4 bytes only */
	/* a guest that waits, waits as long as it said: 20 ms */
	assert_int_equal(CALL(world, sock_accept_1, f, 400ull), PIC_WASI_AGAIN);
}

static void put_fd(struct world *world, uint32_t at, uint32_t fd, uint8_t type)
{
	memset(world->wasi->memory + at, 0, 48);
	world_put64(world, at, fd);
	world->wasi->memory[at + 8] = type;
	world_put32(world, at + 16, fd);
}

static void put_timeout(struct world *world, uint32_t at, uint64_t ns)
{
	memset(world->wasi->memory + at, 0, 48);
	world_put64(world, at, UINT64_MAX);
	world_put32(world, at + 16, PIC_WASI_CLOCK_MONOTONIC);
	world_put64(world, at + 24, ns);
}

static void polls_sockets(void **state)
{
	struct world *world = *state;
	uint16_t port = free_port(SOCK_STREAM);
	uint32_t listener = listen_on(world, port, 4), fd, unmade = open_socket(world, 2);
	const struct linger abort_it = { 1, 0 };
	int peer;

	/* quiet listener, twice, and a socket that does not exist yet: the clock alone fires */
	put_fd(world, 0, listener, PIC_WASI_EVENT_READ);
	put_fd(world, 48, listener, PIC_WASI_EVENT_WRITE);
	put_fd(world, 96, unmade, PIC_WASI_EVENT_READ);
	put_timeout(world, 144, 10000000);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 4ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 1);
	assert_int_equal(world_get64(world, 1000), UINT64_MAX);
	peer = connect_to(port);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 2ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 1);
	assert_int_equal(world->wasi->memory[1010], PIC_WASI_EVENT_READ);
	assert_true(world_get64(world, 1016) >= 1);
	assert_int_equal(CALL(world, sock_accept_1, (uint64_t)listener, 400ull), 0);
	fd = world_get32(world, 400);
	put_fd(world, 0, fd, PIC_WASI_EVENT_READ);
	put_fd(world, 48, fd, PIC_WASI_EVENT_WRITE);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 2ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 1);
	assert_int_equal(world->wasi->memory[1010], PIC_WASI_EVENT_WRITE);
	assert_int_equal(send(peer, "12345", 5, 0), 5);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 1ull, 400ull), 0);
	assert_int_equal(world_get64(world, 1016), 5);
	assert_int_equal(world->wasi->memory[1024], 0);
	/* the end: readable, nothing there, no hang-up */
	world_vector(world, 200, 300, 10);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 200ull, 1ull, 400ull), 0);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 1ull, 400ull), 0);
	assert_int_equal(world_get64(world, 1016), 0);
	assert_int_equal(world->wasi->memory[1024], 0);
	/* the peer breaks off: both, with hang-up, and no error */
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
	close(peer);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 2ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(pic_wasi_load16(world->wasi->memory + 1008 + 32 * i), 0);
		assert_int_equal(world->wasi->memory[1024 + 32 * i], PIC_WASI_EVENT_HANGUP);
	}
}

static void looks_up_numbers_only(void **state)
{
	struct world *world = *state;
	uint32_t size = world_text(world, 100, "127.0.0.1");

	world_text(world, 200, "8085");
	memset(world->wasi->memory + 300, 0, 28);
	world_put32(world, 500, 600); /* first result */
	world_put32(world, 612, 700); /* its sockaddr */
	world_put32(world, 708, 800); /* its data */
	assert_int_equal(CALL(world, sock_getaddrinfo, 100ull, (uint64_t)size, 200ull, 4ull, 300ull,
			      500ull, 1ull, 400ull),
			 0);
	assert_int_equal(world_get32(world, 400), 1);
	assert_int_equal(world->wasi->memory[602], 1);
	assert_memory_equal(world->wasi->memory + 800, "\x1f\x95\x7f\0\0\1", 6);
	world_text(world, 100, "hub.local");
	assert_int_equal(CALL(world, sock_getaddrinfo, 100ull, 9ull, 200ull, 4ull, 300ull, 500ull,
			      1ull, 400ull),
			 PIC_WASI_AINONAME);
	world_text(world, 100, "::1");
	world_text(world, 200, "http");
	assert_int_equal(CALL(world, sock_getaddrinfo, 100ull, 3ull, 200ull, 4ull, 300ull, 500ull,
			      1ull, 400ull),
			 PIC_WASI_AISERVICE);
	world_put32(world, 708, WORLD_MEMORY - 20);
	assert_int_equal(CALL(world, sock_getaddrinfo, 100ull, 3ull, 200ull, 0ull, 300ull, 500ull,
			      1ull, 400ull),
			 PIC_WASI_FAULT);
	world_put32(world, 500, WORLD_MEMORY - 27);
	assert_int_equal(CALL(world, sock_getaddrinfo, 100ull, 3ull, 200ull, 0ull, 300ull, 500ull,
			      1ull, 400ull),
			 PIC_WASI_FAULT);
}

/* A module that cannot open sockets finds its listeners at 3 and on. */
static void opens_declared_listeners(void **state)
{
	struct world *world = *state;
	struct pic_error err = PIC_ERROR_INIT;
	char word[64];

	snprintf(word, sizeof(word), "127.0.0.1:%u", free_port(SOCK_STREAM));
	assert_int_equal(pic_wasm_spec_listen(&world->spec, word, &err), 0);
	assert_int_equal(pic_wasm_spec_listen(&world->spec, "9000-9100", &err),
			 0); /* a range is no listener */
	assert_int_equal(pic_wasi_add_listeners(world->wasi, &err), 0);
	assert_int_equal(world->asked, 1);
	assert_int_equal(CALL(world, fd_prestat_get, 3ull, 1000ull), 0);
	assert_int_equal(world->wasi->memory[1000], 1);
	assert_int_equal(CALL(world, fd_prestat_get, 4ull, 1000ull), PIC_WASI_BADF);
	assert_int_equal(CALL(world, fd_fdstat_get, 3ull, 1000ull), 0);
	assert_int_equal(world->wasi->memory[1000], PIC_WASI_TYPE_STREAM);
	assert_int_equal(CALL(world, sock_accept, 3ull, 0ull, 400ull), PIC_WASI_AGAIN);
	world->refuse = -EADDRINUSE;
	assert_int_equal(pic_wasi_add_listeners(world->wasi, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "wasm.listen"));
	assert_non_null(strstr(err.text, "in use"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listens_and_accepts),
		TEST(survives_a_lost_peer),
		TEST(names_addresses),
		TEST(refuses_odd_sockets),
		TEST(hears_refusals),
		TEST(connects),
		TEST(datagrams_go_where_they_may),
		TEST(datagram_clients_ask),
		TEST(options),
		TEST(polls_sockets),
		TEST(looks_up_numbers_only),
		TEST(opens_declared_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
