/* GET /ignition/<device> and /ignition?...: see first_boot.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/artifacts/artifacts.h"
#include "hub/first_boot/first_boot.h"
#include "hub/first_boot/record.h"
#include "hub/route.h"

#define CONFIG_MAX (8u * 1024 * 1024)
#define TOKEN_VALID_MS (60 * 60 * 1000LL)
#define RETRY_AFTER_S "3"

/* The same for a name that is not known, a window that is closed, and a part that is missing. */
static void not_ready(struct pic_exchange *exchange, const char *device, const char *why)
{
	pic_log(PIC_LOG_INFO, "ignition-not-ready", PIC_TEXT("device", device),
		PIC_TEXT("peer", pic_exchange_peer(exchange)), PIC_TEXT("why", why));
	pic_reply_header(exchange, "Retry-After", RETRY_AFTER_S);
	pic_plain_refuse_reason(exchange, 503, "NotReady",
				"there is no config for this machine yet; the hub's log says why");
}

static const char *query_of(const void *exchange, const char *key)
{
	return pic_exchange_query(exchange, key);
}

/* The one record that fits best among those that are open; NULL: none, or more than one. */
static struct pic_object *find_by_labels(struct pic_store *store,
					 const struct pic_exchange *exchange, const char **why)
{
	struct pic_object *best = NULL;
	int best_fit = 0, now_best = 0;

	*why = "no device with an open window has these labels";
	for (struct pic_object *record = pic_store_next(store, PIC_KIND_FIRST_BOOT, NULL, NULL);
	     record; record = pic_store_next(store, PIC_KIND_FIRST_BOOT, NULL, record)) {
		int fit = pic_first_boot_is_open(record, pic_clock_wall_ms())
				  ? pic_first_boot_fit(record, query_of, exchange)
				  : -1;

		if (fit > best_fit) {
			best = record;
			best_fit = fit;
			now_best = 1;
		} else if (fit > 0 && fit == best_fit) {
			now_best++;
		}
	}
	if (now_best <= 1)
		return best;
	*why = "these labels are those of several devices";
	return NULL;
}

/* Every artifact that the config fetches from here is here. */
static bool is_complete(struct pic_hub *hub, const struct pic_object *record)
{
	const struct pic_json *files =
		pic_json_find(pic_object_spec(record), "config", "storage", "files", NULL);
	char prefix[1024];

	snprintf(prefix, sizeof(prefix), "%s/artifacts/", hub->public_url);
	for (size_t i = 0; i < pic_json_count(files); i++) {
		const char *source = pic_json_text_or(
			pic_json_get(pic_json_get(pic_json_at(files, i), "contents"), "source"),
			"");
		struct pic_sha256 digest;
		uint64_t size;

		if (pic_text_starts(source, prefix) &&
		    (pic_sha256_parse(source + strlen(prefix), &digest) < 0 ||
		     !pic_artifacts_has(hub->artifacts, &digest, &size)))
			return false;
	}
	return true;
}

/* Answered when the token inside is durable. */
struct waiting {
	struct pic_kept kept;	       /* first */
	struct pic_exchange *exchange; /* NULL: its peer went away */
	struct pic_buf body;
	char type[96];
};

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	((struct waiting *)kept)->exchange = NULL;
}

static void waiting_free(struct waiting *waiting)
{
	if (waiting->body.data)
		explicit_bzero(waiting->body.data, waiting->body.size);
	pic_buf_free(&waiting->body);
	free(waiting);
}

static void on_stored(void *data, int status, const struct pic_error *err)
{
	struct waiting *waiting = data;

	if (waiting->exchange) {
		pic_exchange_set_data(waiting->exchange, NULL);
		pic_reply_header(waiting->exchange, "Cache-Control", "no-store");
		if (status < 0)
			not_ready(waiting->exchange, "", err->text);
		else
			pic_reply(waiting->exchange, 200, waiting->type, waiting->body.data,
				  waiting->body.size);
	}
	waiting_free(waiting);
}

static void note_fetch(struct pic_json *json, const struct pic_exchange *exchange)
{
	struct pic_json *status = pic_json_get(json, "status");

	pic_json_set_integer(status, "fetchedMs", pic_clock_wall_ms());
	pic_json_set_text(status, "fetchedBy", pic_exchange_peer(exchange));
}

static int prepare(struct pic_hub *hub, const struct pic_object *record,
		   const struct pic_exchange *exchange, struct pic_change *change,
		   struct waiting *waiting, struct pic_error *err)
{
	char token[PIC_TOKEN_TEXT], key[PIC_TOKEN_TEXT];
	PIC_JSON struct pic_json *config = NULL;
	struct pic_json *noted = pic_first_boot_edit(record, record->name);
	int r = pic_identity_first_boot(hub->identity, change, record->name, TOKEN_VALID_MS, token,
					key, err);

	if (r == 0)
		r = pic_first_boot_config(hub, record->name,
					  pic_json_get(pic_object_spec(record), "config"), token,
					  key, &config, err);
	explicit_bzero(token, sizeof(token));
	note_fetch(noted, exchange);
	if (r < 0) {
		pic_json_unref(noted);
		return r;
	}
	r = pic_change_put(change, PIC_KIND_FIRST_BOOT, noted, err);
	if (r < 0)
		return r;
	snprintf(waiting->type, sizeof(waiting->type),
		 "application/vnd.coreos.ignition+json;version=%.16s",
		 pic_json_text_or(pic_json_find(config, "ignition", "version", NULL), "3.3.0"));
	pic_json_write(config, PIC_JSON_INDENT, &waiting->body);
	return pic_buf_check(&waiting->body, "the config", err);
}

static void serve(struct pic_hub *hub, struct pic_exchange *exchange,
		  const struct pic_object *record)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_TEXT];
	int r;

	if (!waiting) {
		not_ready(exchange, record->name, "no memory");
		return;
	}
	*waiting = (struct waiting){ { on_gone }, exchange, PIC_BUF_INIT(CONFIG_MAX), "" };
	snprintf(who, sizeof(who), "first-boot:%.63s", record->name);
	const struct pic_actor actor = { who, pic_exchange_peer(exchange), "ignition" };
	struct pic_change *change = pic_change_new(hub->store, &actor);
	r = change ? prepare(hub, record, exchange, change, waiting, &err)
		   : pic_error_set(&err, -ENOMEM, "no memory");
	if (r < 0) {
		pic_change_drop(change);
		waiting_free(waiting);
		not_ready(exchange, record->name, err.text);
		return;
	}
	pic_log(PIC_LOG_INFO, "ignition-given", PIC_TEXT("device", record->name),
		PIC_TEXT("peer", pic_exchange_peer(exchange)));
	pic_exchange_set_data(exchange, waiting);
	pic_change_commit(change, on_stored, waiting);
}

static void serve_if_ready(struct pic_hub *hub, struct pic_exchange *exchange,
			   const struct pic_object *record, bool has_key, const char *why)
{
	if (!record)
		not_ready(exchange, "", why);
	else if (!has_key && !pic_first_boot_is_open(record, pic_clock_wall_ms()))
		not_ready(
			exchange, record->name,
			"it came without a key and its window is closed: piccoloctl device create "
			"NAME --ignition-for 1h opens it");
	else if (!is_complete(hub, record))
		not_ready(exchange, record->name,
			  "an artifact that its config names is not here: piccoloctl push it");
	else
		serve(hub, exchange, record);
}

/* With the key the device is known, and what else the request says must not contradict. */
static void serve_with_key(struct pic_hub *hub, struct pic_exchange *exchange, const char *named)
{
	struct pic_caller caller;

	pic_identity_boot_caller(hub->identity, exchange, &caller);
	if (caller.role != PIC_ROLE_BOOT || !caller.may_configure ||
	    (named && strcmp(named, caller.name) != 0)) {
		pic_log(PIC_LOG_WARNING, "ignition-refused", PIC_TEXT("device", named ? named : ""),
			PIC_TEXT("peer", pic_exchange_peer(exchange)));
		pic_plain_refuse_reason(
			exchange, 403, "KeyRefused",
			"the key is not this device's, was used for joining, or its time "
			"is over; piccoloctl ignition NAME --pointer makes a new one");
		return;
	}
	serve_if_ready(hub, exchange,
		       pic_store_get(hub->store, PIC_KIND_FIRST_BOOT, "", caller.name), true,
		       "nothing is known of this device any more");
}

static void handle_named(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match)
{
	const char *name = match->captured[0];

	if (pic_exchange_header(exchange, "Authorization"))
		serve_with_key(hub, exchange, name);
	else
		serve_if_ready(hub, exchange,
			       pic_store_get(hub->store, PIC_KIND_FIRST_BOOT, "", name), false,
			       "no such device was created");
}

static void handle_labels(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match)
{
	const char *why;

	(void)match;
	if (pic_exchange_header(exchange, "Authorization")) {
		serve_with_key(hub, exchange, pic_exchange_query(exchange, "target"));
		return;
	}
	const struct pic_object *record = find_by_labels(hub->store, exchange, &why);
	serve_if_ready(hub, exchange, record, false, why);
}

const struct pic_route pic_first_boot_routes[] = {
	{ "GET", "/ignition", PIC_ACCESS_OPEN, PIC_LISTENER_TLS, handle_labels },
	{ "GET", "/ignition/{device}", PIC_ACCESS_OPEN, PIC_LISTENER_TLS, handle_named },
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};
