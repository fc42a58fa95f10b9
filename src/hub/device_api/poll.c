/*
 * GET /device/v1/document: the poll. Answered at once when there is something to say, else held.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "hub/device_api/state.h"
#include "hub/engine/engine.h"

#define WAIT_MAX_S 900
#define ANSWER_MAX (4 * 1024 * 1024)
#define TICKETS_MAX (128 * 1024)
#define TICKETS_PAUSE_MS 1000

/* The poll leaves its device; its exchange is the caller's to answer. */
static struct pic_exchange *take_poll(struct pic_device *device)
{
	struct pic_poll *poll = device->poll;

	if (!poll)
		return NULL;
	struct pic_exchange *exchange = poll->exchange;
	pic_exchange_set_data(exchange, NULL);
	pic_timer_free(poll->timer);
	free(poll);
	device->poll = NULL;
	device->contact_boot_ms = pic_clock_boot_ms();
	pic_devices_watch_silence(device->owner);
	return exchange;
}

void pic_poll_refuse(struct pic_device *device, int status, const char *reason, const char *why)
{
	struct pic_exchange *exchange = take_poll(device);

	if (!exchange)
		return;
	if (status == 503)
		pic_reply_header(exchange, "Retry-After", "5");
	pic_plain_refuse_reason(exchange, status, reason, why);
}

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	take_poll(((struct pic_poll *)kept)->device);
}

static void on_end_of_wait(void *data)
{
	struct pic_device *device = data;
	struct pic_exchange *exchange;
	char etag[64];

	device->poll->is_over = true;
	if (device->changing)
		return; /* its answer is on its way to the disk */
	snprintf(etag, sizeof(etag), "%s", device->poll->etag);
	exchange = take_poll(device);
	if (*etag)
		pic_reply_header(exchange, "ETag", etag);
	pic_reply(exchange, 304, NULL, NULL, 0);
}

/* The document, as it is or would be given. */

struct composed {
	struct pic_given_document given;
	struct pic_buf bytes;
};

static void document_free_pointer(struct pic_document **document)
{
	pic_document_free(*document);
}

static int compose(struct pic_device *device, const struct pic_object *record, struct composed *out,
		   struct pic_error *err)
{
	struct pic_hub *hub = device->owner->hub;
	PIC_CLEANUP(document_free_pointer) struct pic_document *document = NULL;
	const struct pic_object *const *catalogs = NULL;
	struct pic_engine_device known = {
		.target = device->name,
		.epoch = pic_record_epoch(record),
		.revision = pic_record_revision(record),
	};
	size_t count = 0;
	int r = pic_target_catalogs_of(&device->owner->catalogs, hub->store, device->name,
				       &catalogs, &count);

	if (r < 0)
		return pic_error_set(err, r, "no memory for the document of %s", device->name);
	r = pic_engine_document(&known, hub->public_url, catalogs, count, out->given.issued_ms,
				&document, err);
	if (r < 0)
		return r;
	r = pic_document_write(document, &out->bytes);
	if (r < 0 || out->bytes.failed)
		return pic_error_set(err, -EFBIG, "the document of %s is too large", device->name);
	out->given.revision = document->revision;
	pic_sha256_of(out->bytes.data, out->bytes.size, &out->given.digest);
	return 0;
}

/* Without its tickets the device would wait; that is said, and the rest goes out all the same. */
static void write_tickets(struct pic_device *device, struct pic_buf *out)
{
	const struct pic_object *record = pic_device_record(device->owner, device->name);
	PIC_BUF struct pic_buf tickets = PIC_BUF_INIT(TICKETS_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	size_t count = 0;

	if (pic_tickets_write(device, pic_record_epoch(record), &tickets, &count, &err) < 0) {
		pic_log(PIC_LOG_ERROR, "tickets-failed", PIC_TEXT("device", device->name),
			PIC_TEXT("error", err.text));
		return;
	}
	if (count == 0)
		return;
	pic_buf_add(out, tickets.data, tickets.size);
	device->tickets_boot_ms = pic_clock_boot_ms();
	pic_log(PIC_LOG_INFO, "tickets-given", PIC_TEXT("device", device->name),
		PIC_NUMBER("count", (long long)count));
}

/* The answer: put together as text, so that the document travels as exactly the bytes of its digest. */
static int write_answer(struct pic_device *device, const struct composed *composed, bool accept,
			bool tickets, struct pic_buf *out)
{
	char digest[PIC_SHA256_TEXT];

	pic_buf_format(out, "{\"protocol\":%d", PIC_PROTOCOL);
	if (composed) {
		pic_sha256_text(&composed->given.digest, digest);
		pic_buf_text_add(out, ",\"document\":");
		pic_buf_add(out, composed->bytes.data, composed->bytes.size);
		pic_buf_format(out, ",\"digest\":\"%s\"", digest);
	}
	if (accept)
		pic_buf_text_add(out, ",\"accept-epoch\":true");
	if (tickets)
		write_tickets(device, out);
	if (pic_asks_wait(device)) {
		PIC_JSON struct pic_json *asks = pic_asks_give(device);

		pic_buf_text_add(out, ",\"asks\":");
		pic_json_write(asks, PIC_JSON_COMPACT, out);
	}
	pic_buf_char(out, '}');
	return out->failed ? -ENOBUFS : 0;
}

static void etag_of(const char *epoch, int64_t revision, char out[64])
{
	snprintf(out, 64, "\"%s-%lld\"", epoch, (long long)revision);
}

static void answer(struct pic_device *device, const struct composed *composed, bool accept,
		   bool tickets)
{
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(ANSWER_MAX);
	const struct pic_object *record = pic_device_record(device->owner, device->name);
	int r = write_answer(device, composed, accept, tickets, &body);
	struct pic_exchange *exchange = take_poll(device);
	char etag[64];

	if (r < 0) {
		pic_plain_refuse(exchange, 500, "no memory for the answer");
		return;
	}
	if (composed) {
		etag_of(pic_record_epoch(record), composed->given.revision, etag);
		pic_reply_header(exchange, "ETag", etag);
		device->owner->facts.documents_given++;
	}
	pic_reply(exchange, 200, "application/json", body.data, body.size);
}

/* Changes that an answer has to wait for. */

static void on_changed(void *data, int status, const struct pic_error *err)
{
	struct pic_device *device = data;

	device->changing = false;
	/* On a full disk the poll stays held: the device keeps what it has and asks again later. */
	if (status < 0)
		pic_log(PIC_LOG_WARNING, "document-held-back", PIC_TEXT("device", device->name),
			PIC_TEXT("error", err->text));
	else
		pic_poll_consider(device);
	if (device->poll && device->poll->is_over && !device->changing)
		on_end_of_wait(device);
}

static void change_record(struct pic_device *device, const char *verb, struct pic_json *record)
{
	device->changing = true;
	pic_device_commit(device->owner, "piccolo-hub", device->address, verb, record, on_changed,
			  device);
}

static void begin_epoch(struct pic_device *device, const struct pic_object *record)
{
	struct pic_json *json = pic_record_edit(record);
	char epoch[PIC_EPOCH_TEXT];

	pic_random_text(16, epoch);
	pic_record_new_epoch(json, epoch);
	pic_log(PIC_LOG_WARNING, "device-new-epoch", PIC_TEXT("device", device->name),
		PIC_NUMBER("claimed-revision", device->poll->claim.revision));
	change_record(device, "new epoch", json);
}

/* Gives the document when that it was given is on disk already; else puts it there first. */
static void give_document(struct pic_device *device, const struct pic_object *record, bool accept)
{
	struct composed composed = { { 0, pic_clock_wall_ms(), { { 0 } } },
				     PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX) };
	struct pic_given_document before;
	struct pic_error err = PIC_ERROR_INIT;
	const bool given = pic_record_given(record, pic_record_revision(record), &before);

	if (given)
		composed.given.issued_ms = before.issued_ms; /* the same bytes again */
	if (compose(device, record, &composed, &err) < 0) {
		pic_log(PIC_LOG_ERROR, "document-failed", PIC_TEXT("device", device->name),
			PIC_TEXT("error", err.text));
	} else if (given && pic_sha256_equal(&before.digest, &composed.given.digest)) {
		/* a memory that the device has not accepted yet permits nothing */
		answer(device, &composed, accept,
		       accept ||
			       pic_record_judge(record, &device->poll->claim) != PIC_CLAIM_FOREIGN);
	} else {
		struct pic_json *json = pic_record_edit(record);

		pic_record_give(json, &device->poll->claim, &composed.given);
		change_record(device, "give document", json);
	}
	pic_buf_free(&composed.bytes);
}

/* Something that the device may start lacks its ticket there. One that comes back without having taken them is
 * not answered in a circle. */
static bool tickets_are_due(struct pic_device *device)
{
	int64_t again = device->tickets_boot_ms + TICKETS_PAUSE_MS - pic_clock_boot_ms();
	size_t count = 0;

	if (pic_tickets_write(device, "", NULL, &count, NULL) < 0 || count == 0)
		return false;
	if (device->tickets_boot_ms == 0 || again <= 0)
		return true;
	pic_timer_set(device->poll->timer, again);
	return false;
}

void pic_poll_consider(struct pic_device *device)
{
	const struct pic_object *record = pic_device_record(device->owner, device->name);
	struct pic_poll *poll = device->poll;
	char etag[64];

	if (!poll || device->changing || !record)
		return;
	if (*pic_record_quarantine(record)) {
		pic_poll_refuse(device, 409, "Quarantined", pic_record_quarantine(record));
		return;
	}
	const enum pic_claim_kind kind = pic_record_judge(record, &poll->claim);
	if (kind == PIC_CLAIM_UNKNOWN) {
		begin_epoch(device, record);
		return;
	}
	const bool accept = kind == PIC_CLAIM_FOREIGN && pic_record_accepts_epoch(record);
	etag_of(pic_record_epoch(record), pic_record_revision(record), etag);
	/* also an empty one to a device that runs another memory's: its workloads are orphans, or ask for a word */
	if ((pic_record_revision(record) > 0 || kind == PIC_CLAIM_FOREIGN) &&
	    kind != PIC_CLAIM_CURRENT && (accept || strcmp(poll->etag, etag) != 0))
		give_document(device, record, accept);
	else if (pic_asks_wait(device) || (kind == PIC_CLAIM_CURRENT && tickets_are_due(device)))
		answer(device, NULL, false, kind == PIC_CLAIM_CURRENT);
}

/* The request. */

struct poll_request {
	struct pic_claim claim;
	const char *session;
	long long wait_s;
};

static bool is_hex(const char *text, size_t size)
{
	return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

static const char *query_or_empty(const struct pic_exchange *exchange, const char *name)
{
	const char *text = pic_exchange_query(exchange, name);

	return text ? text : "";
}

static int read_claim(const struct pic_exchange *exchange, struct pic_claim *out,
		      struct pic_error *err)
{
	const char *epoch = query_or_empty(exchange, "epoch");
	const char *revision = query_or_empty(exchange, "revision");
	long long number = 0;

	*out = (struct pic_claim){ .revision = 0 };
	if (!*epoch)
		return 0;
	if (!is_hex(epoch, PIC_EPOCH_TEXT - 1))
		return pic_error_set(err, -EINVAL, "epoch must be 32 hexadecimal digits or absent");
	if (pic_integer_parse(revision, 0, INT64_MAX, &number) < 0)
		return pic_error_set(err, -EINVAL, "revision must be a number");
	if (!is_hex(query_or_empty(exchange, "digest"), 2 * PIC_SHA256_SIZE) ||
	    pic_sha256_parse(query_or_empty(exchange, "digest"), &out->digest) < 0)
		return pic_error_set(err, -EINVAL, "digest must be 64 hexadecimal digits");
	strcpy(out->epoch, epoch);
	out->revision = number;
	return 0;
}

static int read_request(const struct pic_exchange *exchange, struct poll_request *out,
			struct pic_error *err)
{
	const char *protocol = query_or_empty(exchange, "protocol");
	const char *wait = query_or_empty(exchange, "wait");
	long long number = 0;

	if (pic_integer_parse(protocol, 1, 1000000, &number) < 0 || number != PIC_PROTOCOL)
		return pic_error_set(err, -EINVAL,
				     "protocol \"%.16s\" is not spoken here; this hub speaks %d",
				     protocol, PIC_PROTOCOL);
	out->session = query_or_empty(exchange, "session");
	if (!is_hex(out->session, PIC_SESSION_TEXT - 1))
		return pic_error_set(err, -EINVAL, "session must be 32 hexadecimal digits");
	out->wait_s = 0;
	if (*wait && pic_integer_parse(wait, 0, INT32_MAX, &out->wait_s) < 0)
		return pic_error_set(err, -EINVAL, "wait must be a number of seconds");
	if (out->wait_s > WAIT_MAX_S)
		out->wait_s = WAIT_MAX_S;
	return read_claim(exchange, &out->claim, err);
}

static int hold(struct pic_device *device, struct pic_exchange *exchange,
		const struct poll_request *request, struct pic_error *err)
{
	const char *etag = pic_exchange_header(exchange, "If-None-Match");
	struct pic_poll *poll = calloc(1, sizeof(*poll));
	int r = poll ? pic_loop_timer(device->owner->hub->loop, on_end_of_wait, device,
				      &poll->timer, err)
		     : -ENOMEM;

	if (r < 0) {
		free(poll);
		return pic_error_set(err, r, "no memory to hold the poll");
	}
	poll->kept.gone = on_gone;
	poll->device = device;
	poll->exchange = exchange;
	poll->claim = request->claim;
	poll->arrived_boot_ms = pic_clock_boot_ms();
	r = pic_tickets_read(poll, exchange, err);
	if (r < 0) {
		pic_timer_free(poll->timer);
		free(poll);
		return r;
	}
	if (etag && strlen(etag) < sizeof(poll->etag))
		strcpy(poll->etag, etag);
	device->poll = poll;
	pic_exchange_set_data(exchange, poll);
	/* At least one turn of the loop, so that a wait of 0 is answered like any other. */
	pic_timer_set(poll->timer, request->wait_s * 1000);
	return 0;
}

void pic_device_poll(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match)
{
	struct pic_device *device = pic_device_entry(hub->devices, match->caller.name);
	struct pic_error err = PIC_ERROR_INIT;
	struct poll_request request;

	if (read_request(exchange, &request, &err) < 0) {
		pic_plain_refuse(exchange, 400, err.text);
		return;
	}
	if (!device) {
		pic_plain_refuse(exchange, 503, "no memory for another device");
		return;
	}
	if (pic_device_admit(device, exchange, request.session) < 0)
		return;
	pic_device_heard(device, exchange);
	/* The connection of an older poll of the same session died without a word. */
	pic_poll_refuse(device, 409, "Superseded", "a newer poll of this device has come");
	if (hold(device, exchange, &request, &err) < 0) {
		pic_plain_refuse(exchange, err.code == -EINVAL ? 400 : 503, err.text);
		return;
	}
	pic_poll_consider(device);
}
