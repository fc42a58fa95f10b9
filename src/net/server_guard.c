#include "net/server_guard.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/server_exchange.h"
#include "net/server_listen.h"

/* A body that is allowed to be large may take long, but not for ever. */
#define BODY_BYTES_A_SECOND 8192
#define TELL_AGAIN_MS 60000

struct pic_owner {
	struct pic_owner *next;
	unsigned count;
	char name[];
};

/* -- who ------------------------------------------------------------------------------------------ */

void pic_guard_open(struct pic_guard *guard)
{
	/* early at boot there may be none; the table works without */
	(void)!getrandom(&guard->seed, sizeof(guard->seed), GRND_NONBLOCK);
}

static struct pic_owner **bucket_of(struct pic_guard *guard, const char *name)
{
	uint64_t hash = guard->seed;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return &guard->buckets[(hash ^ hash >> 32) % PIC_OWNER_BUCKETS];
}

static struct pic_owner *find(struct pic_guard *guard, const char *name)
{
	struct pic_owner *owner = *bucket_of(guard, name);

	while (owner && strcmp(owner->name, name) != 0)
		owner = owner->next;
	return owner;
}

/* NULL: no memory. */
static struct pic_owner *find_or_make(struct pic_guard *guard, const char *name)
{
	struct pic_owner *owner = find(guard, name), **bucket = bucket_of(guard, name);
	size_t size = strlen(name) + 1;

	if (owner)
		return owner;
	owner = calloc(1, sizeof(*owner) + size);
	if (!owner)
		return NULL;
	memcpy(owner->name, name, size);
	owner->next = *bucket;
	*bucket = owner;
	return owner;
}

static void let_go(struct pic_guard *guard, struct pic_owner *owner)
{
	struct pic_owner **at;

	if (!owner || --owner->count > 0)
		return;
	for (at = bucket_of(guard, owner->name); *at != owner;)
		at = &(*at)->next;
	*at = owner->next;
	free(owner);
}

void pic_guard_name(const struct sockaddr *address, char out[PIC_OWNER_TEXT])
{
	struct sockaddr_in6 six;

	if (!address || address->sa_family != AF_INET6) {
		pic_address_host(address, out, PIC_OWNER_TEXT);
		return;
	}
	memcpy(&six, address, sizeof(six));
	if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		memset(six.sin6_addr.s6_addr + 8, 0, 8);
	pic_address_host(&six, out, PIC_OWNER_TEXT);
}

/* -- how many ------------------------------------------------------------------------------------- */

static void tell_refused(struct pic_server *server, const char *address)
{
	struct pic_guard *guard = &server->guard;
	int64_t now = pic_clock_boot_ms();

	guard->refused++;
	if (guard->told_boot_ms && now - guard->told_boot_ms < TELL_AGAIN_MS)
		return;
	pic_log(PIC_LOG_WARNING, "connections-refused", PIC_TEXT("from", address),
		PIC_TEXT("at", server->address), PIC_NUMBER("count", guard->refused),
		PIC_NUMBER("most", server->settings.strangers_max));
	guard->told_boot_ms = now;
	guard->refused = 0;
}

enum MHD_Result pic_guard_admits(void *data, const struct sockaddr *address, socklen_t size)
{
	struct pic_server *server = data;
	char name[PIC_OWNER_TEXT];
	const struct pic_owner *owner;

	(void)size;
	pic_guard_name(address, name);
	owner = find(&server->guard, name);
	if (!owner || owner->count < server->settings.strangers_max)
		return MHD_YES;
	tell_refused(server, name);
	return MHD_NO;
}

bool pic_connection_give(struct pic_connection *connection, const char *name, unsigned maximum)
{
	struct pic_guard *guard = &connection->server->guard;
	struct pic_owner *owner = find_or_make(guard, name);

	if (!owner)
		return false;
	if (owner == connection->owner)
		return true;
	if (owner->count >= maximum)
		return false;
	owner->count++;
	let_go(guard, connection->owner);
	connection->owner = owner;
	return true;
}

/* -- how long ------------------------------------------------------------------------------------- */

/* The library finds the end of the stream and does the rest. */
static void on_end(void *data)
{
	struct pic_connection *connection = data;

	pic_log(PIC_LOG_DEBUG, "peer-too-slow", PIC_TEXT("address", connection->server->address));
	shutdown(connection->fd, SHUT_RDWR);
}

void pic_connection_expect_head(struct pic_connection *connection)
{
	const struct pic_server_settings *settings = &connection->server->settings;

	pic_timer_set(connection->end,
		      settings->idle_timeout_s * 1000ll + settings->head_timeout_ms);
}

void pic_connection_expect_body(struct pic_connection *connection, uint64_t size)
{
	pic_timer_set(connection->end, connection->server->settings.head_timeout_ms +
					       (int64_t)(size / BODY_BYTES_A_SECOND) * 1000);
}

void pic_connection_expect_nothing(struct pic_connection *connection)
{
	pic_timer_cancel(connection->end);
}

/* -- coming and going ------------------------------------------------------------------------------- */

static void drop(struct pic_connection *connection)
{
	pic_timer_free(connection->end);
	let_go(&connection->server->guard, connection->owner);
	free(connection);
}

static struct pic_connection *take(struct pic_server *server, struct MHD_Connection *handle, int fd)
{
	struct pic_connection *connection = calloc(1, sizeof(*connection));
	const union MHD_ConnectionInfo *info;
	char name[PIC_OWNER_TEXT];

	if (!connection)
		return NULL;
	connection->server = server;
	connection->fd = fd;
	info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	pic_guard_name(info ? info->client_addr : NULL, name);
	if (!pic_connection_give(connection, name, UINT_MAX) ||
	    pic_loop_timer(server->loop, on_end, connection, &connection->end, NULL) < 0) {
		drop(connection);
		return NULL;
	}
	pic_timer_set(connection->end, server->settings.head_timeout_ms);
	return connection;
}

struct pic_connection *pic_guarded(struct MHD_Connection *handle)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void pic_guard_on_connection(void *data, struct MHD_Connection *handle, void **context,
			     enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context)
			drop(*context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = take(data, handle, info->connect_fd);
	if (!*context) /* no memory to guard it */
		shutdown(info->connect_fd, SHUT_RDWR);
}
