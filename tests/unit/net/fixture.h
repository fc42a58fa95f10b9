/*
 * A server and clients in one loop, for the tests of net/.
 *
 * The server answers what `handle` says; raw connections let a test be a peer of any manners. UNTIL
 * turns the loop until something is true, and fails when that takes too long.
 */
#ifndef PIC_TEST_NET_FIXTURE_H
#define PIC_TEST_NET_FIXTURE_H

#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"
#include "net/client.h"
#include "net/server.h"

struct fixture;
typedef void handler_fn(struct fixture *f, struct pic_exchange *exchange);

struct fixture {
	struct pic_loop *loop;
	struct pic_server *server;
	struct pic_server_settings settings;
	struct pic_timer *tick;
	int turns; /* how often the loop went to sleep */
	handler_fn *handle;
	/* what the server saw */
	int handled, gone;
	struct pic_exchange *kept[1024], *last_gone;
	char seen[4096]; /* free for handlers */
	/* the last answer that a client got */
	int answers;
	enum pic_client_failure failure;
	int status, code;
	char body[1 << 17], error[PIC_ERROR_TEXT], etag[128], location[256], type[128];
	size_t body_size;
	int64_t retry_after_ms;
	uint64_t received;
};

/* A connection of a test's own: what it sends is written at once, what comes is collected in the loop. */
struct raw {
	int fd;
	struct pic_watch *watch;
	char text[1 << 17];
	size_t size;
	bool closed;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_serve(struct fixture *f, handler_fn *handle); /* with f->settings */
void fixture_turn(struct fixture *f);
/* "http://127.0.0.1:port/path"; one of a few static texts. */
const char *fixture_url(struct fixture *f, const char *path);

/* done function for a struct pic_client_request whose data is the fixture. */
void fixture_done(void *data, const struct pic_client_answer *answer);
struct pic_client *fixture_client(struct fixture *f, const struct pic_client_settings *settings);
/* GET with what tests usually want; change before sending. */
struct pic_client_request fixture_request(struct fixture *f, const char *url);
/* Sends and waits for the answer. */
void fixture_ask(struct fixture *f, struct pic_client *client,
		 const struct pic_client_request *request);

void raw_open(struct fixture *f, struct raw *raw);
void raw_send(struct raw *raw, const char *text);
void raw_close(struct raw *raw);
void raw_reset(struct raw *raw); /* a RST instead of a FIN */

#define UNTIL(f, condition) \
	do { \
		int64_t until_end = pic_clock_boot_ms() + 15000; \
		while (!(condition)) { \
			if (pic_clock_boot_ms() > until_end) \
				fail_msg("not reached: %s", #condition); \
			fixture_turn(f); \
		} \
	} while (0)

/* Certificates: an authority, and what it signed. All PEM, freed by the process's end. */
struct certificates {
	char *authority, *authority_key;
	char *other_authority;
	char *server, *server_key; /* 127.0.0.1 and localhost */
	char *expired, *named;	   /* servers, with server_key: one too old, one for another name */
	char *future;		   /* and one that is not valid yet */
	char *device, *device_key;
	char *foreign; /* a device of other_authority, with device_key */
	char server_pin[80];
};
const struct certificates *certificates(void);

#endif
