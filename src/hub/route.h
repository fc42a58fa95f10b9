/*
 * Routes: which request goes to which handler, and who may send it. Every path of the hub is a row of
 * one table; a face (kube, Symphony, devices ...) brings its rows as an array ended by method NULL.
 * hub/server.c looks the row up, checks listener, caller, Host and Origin, and only then calls the
 * handler; a handler never checks credentials, but it does compare names when its access is DEVICE
 * and the path or body names something of one device.
 *
 * A handler replies at once, starts a stream, or keeps the exchange. It may keep it only after
 * pic_exchange_set_data to a struct that begins with a `struct pic_kept`: when the peer goes away
 * first, kept->gone is called and the exchange must not be touched again. A handler whose exchange
 * is answered forgets it; the data pointer may then be freed.
 */
#ifndef PIC_HUB_ROUTE_H
#define PIC_HUB_ROUTE_H

#include "hub/hub.h"
#include "hub/identity/identity.h"

enum pic_access {
	PIC_ACCESS_OPEN,   /* anybody, no credentials looked at */
	PIC_ACCESS_DEVICE, /* a device's certificate; it acts on its own state only */
	PIC_ACCESS_READER, /* a device's certificate, an administrator, or the key of an Ignition config; on
			    * the plain listener anybody */
	PIC_ACCESS_ADMIN, /* an administrator's token */
	PIC_ACCESS_PAGE,  /* the session cookie of the hub's page, and no other credential */
};

enum pic_listener {
	PIC_LISTENER_TLS = 1,
	PIC_LISTENER_PLAIN = 2, /* loopback only */
};

#define PIC_ROUTE_CAPTURES_MAX 8
#define PIC_ROUTE_TEXT_MAX 2048 /* all captured segments together, decoded */

struct pic_route_match;

struct pic_route {
	const char *method; /* "GET" also answers HEAD; NULL ends an array */
	/* "/device/v1/asks/{id}": {name} takes one segment, {name...} as the last one takes what is
	 * left, slashes included, also nothing. Fixed segments win over captured ones. */
	const char *pattern;
	enum pic_access access;
	unsigned listeners; /* of enum pic_listener */
	void (*handle)(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match);
};

/* What the lookup found; lent for the call of the handler. */
struct pic_route_match {
	const struct pic_route *route;
	struct pic_caller caller;
	size_t count;
	const char *captured[PIC_ROUTE_CAPTURES_MAX]; /* in the pattern's order, percent-decoded */
	char text[PIC_ROUTE_TEXT_MAX];
};

/* 0; -ENOENT no such path, -EPERM the path but not on this listener, -ENOTSUP the path but not this method,
 * -EINVAL damaged percent code, control characters, too long. `tables` is NULL-ended. */
int pic_route_find(const struct pic_route *const *tables, const char *method, const char *path,
		   enum pic_listener listener, struct pic_route_match *match);
const char *pic_access_text(
	enum pic_access access); /* "open", "device", "reader", "admin", "page" */

/* First member of what a kept exchange's data points to. */
struct pic_kept {
	void (*gone)(struct pic_kept *kept, struct pic_exchange *exchange);
};

/* The faces. `refuse` words an error (401, 403, 404, 405, 413, 421, 503 ...) as the clients of that
 * face expect it; it ends the exchange. */
typedef void pic_refuse_fn(struct pic_exchange *exchange, int status, const char *why);

extern const struct pic_route pic_kube_routes[]; /* /api, /apis, /openapi, /version */
pic_refuse_fn pic_kube_refuse;
extern const struct pic_route pic_symphony_routes[]; /* /v1alpha2 */
pic_refuse_fn pic_symphony_refuse;
extern const struct pic_route pic_device_routes[];     /* /device/v1 */
extern const struct pic_route pic_admin_routes[];      /* /piccolo/v1 */
extern const struct pic_route pic_first_boot_routes[]; /* /ignition */
extern const struct pic_route pic_web_routes[];	       /* the page for people: hub/web/web.h */
extern const struct pic_route pic_plain_routes[];      /* /artifacts, /metrics, health ... */
pic_refuse_fn pic_plain_refuse; /* {"error":"sentence"}: device, admin and plain routes */
/* The same with a "reason" for programs: one CamelCase word, or NULL. */
void pic_plain_refuse_reason(struct pic_exchange *exchange, int status, const char *reason,
			     const char *why);

/* Short forms for handlers. */
void pic_reply_json(struct pic_exchange *exchange, int status, const struct pic_json *value);
/* Commits the change and replies once it is durable: `body` (taken over; NULL: no body) as JSON, or what
 * the disk said through `refuse`. The exchange is kept meanwhile; the change goes on without it. */
void pic_reply_when_durable(struct pic_exchange *exchange, struct pic_change *change, int status,
			    struct pic_json *body, pic_refuse_fn *refuse);
int pic_status_of_error(int code); /* -ENOENT: 404, -EINVAL: 400, -EACCES: 403, -ENOSPC: 507 ... */
/* For the journal: who acts. `where` is lent from the exchange, `who` is written into out_who. */
#define PIC_WHO_TEXT (PIC_NAME_MAX + 16)
struct pic_actor pic_match_actor(const struct pic_route_match *match, struct pic_exchange *exchange,
				 const char *verb, char out_who[PIC_WHO_TEXT]);

#endif
