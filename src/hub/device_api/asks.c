/*
 * Asks: a question waits for the device's next poll, its answer for the device's POST. An ask is given
 * once; when it is not answered in its time, it has failed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/device_api/state.h"

#define ASKS_MAX 32 /* of one device at a time */
#define SECONDS_MAX 600

static void unlink_ask(struct pic_pending_ask *ask)
{
	struct pic_pending_ask **place = &ask->device->asks;

	while (*place != ask)
		place = &(*place)->next;
	*place = ask->next;
}

static void free_ask(struct pic_pending_ask *ask)
{
	unlink_ask(ask);
	pic_timer_free(ask->timer);
	free(ask);
}

static void finish(struct pic_pending_ask *ask, const struct pic_ask_answer *answer)
{
	pic_ask_done_fn *done = ask->done;
	void *data = ask->data;
	struct pic_devices_facts *facts = &ask->device->owner->facts;

	if (answer->status == 200)
		facts->asks_answered++;
	else
		facts->asks_failed++;
	free_ask(ask);
	done(data, answer);
}

static void fail(struct pic_pending_ask *ask, int status, const char *why)
{
	const struct pic_ask_answer answer = {
		status, "text/plain; charset=utf-8", { why, strlen(why) }, -1
	};

	finish(ask, &answer);
}

static void on_timer(void *data)
{
	struct pic_pending_ask *ask = data;
	char why[PIC_ERROR_TEXT];

	if (ask->failed_status)
		snprintf(why, sizeof(why), "%s", ask->failure);
	else
		snprintf(why, sizeof(why), "the device %s did not answer within %lld s",
			 ask->device->name, (long long)ask->ask.seconds);
	fail(ask, ask->failed_status ? ask->failed_status : 504, why);
}

static size_t count_of(const struct pic_device *device)
{
	size_t count = 0;

	for (const struct pic_pending_ask *ask = device->asks; ask; ask = ask->next)
		count++;
	return count;
}

static void add_last(struct pic_device *device, struct pic_pending_ask *ask)
{
	struct pic_pending_ask **place = &device->asks;

	while (*place)
		place = &(*place)->next;
	*place = ask;
}

/* A device that is not connected is said to be so at once, but never from inside pic_devices_ask. */
static void start(struct pic_pending_ask *ask)
{
	struct pic_device *device = ask->device;

	if (!pic_devices_online(device->owner, device->name)) {
		ask->given = true;
		ask->failed_status = 503;
		snprintf(ask->failure, sizeof(ask->failure), "the device %s is not connected",
			 device->name);
		pic_timer_set(ask->timer, 0);
		return;
	}
	pic_timer_set(ask->timer, ask->ask.seconds * 1000);
	pic_poll_consider(device);
}

int pic_devices_ask(struct pic_devices *devices, const char *name, const struct pic_ask *ask,
		    pic_ask_done_fn *done, void *data, struct pic_pending_ask **out,
		    struct pic_error *err)
{
	struct pic_device *device;
	struct pic_pending_ask *pending;
	int r;

	if (!pic_device_record(devices, name))
		return pic_error_set(err, -ENOENT, "there is no device %.80s", name);
	device = pic_device_entry(devices, name);
	if (device && count_of(device) >= ASKS_MAX)
		return pic_error_set(err, -EBUSY, "the device %s has %d questions waiting already",
				     name, ASKS_MAX);
	pending = device ? calloc(1, sizeof(*pending)) : NULL;
	r = pending ? pic_loop_timer(devices->hub->loop, on_timer, pending, &pending->timer, err)
		    : -ENOMEM;
	if (r < 0) {
		free(pending);
		return pic_error_set(err, r, "no memory to ask the device %s", name);
	}
	pending->device = device;
	pending->ask = *ask;
	if (pending->ask.seconds < 1 || pending->ask.seconds > SECONDS_MAX)
		pending->ask.seconds = pending->ask.seconds < 1 ? 1 : SECONDS_MAX;
	pic_random_text(16, pending->ask.id);
	pending->done = done;
	pending->data = data;
	add_last(device, pending);
	if (out)
		*out = pending;
	start(pending);
	return 0;
}

void pic_devices_cancel(struct pic_pending_ask *ask)
{
	if (ask)
		free_ask(ask);
}

bool pic_asks_wait(const struct pic_device *device)
{
	for (const struct pic_pending_ask *ask = device->asks; ask; ask = ask->next) {
		if (!ask->given)
			return true;
	}
	return false;
}

struct pic_json *pic_asks_give(struct pic_device *device)
{
	struct pic_json *list = pic_json_new_array();

	for (struct pic_pending_ask *ask = device->asks; ask; ask = ask->next) {
		if (ask->given)
			continue;
		ask->given = true;
		pic_json_append(list, pic_ask_write(&ask->ask));
	}
	return list;
}

void pic_asks_fail(struct pic_device *device, int status, const char *why)
{
	while (device->asks)
		fail(device->asks, status, why);
}

/* POST /device/v1/asks/{id} */

static struct pic_pending_ask *find_given(struct pic_device *device, const char *id)
{
	for (struct pic_pending_ask *ask = device ? device->asks : NULL; ask; ask = ask->next) {
		if (ask->given && !ask->failed_status && strcmp(ask->ask.id, id) == 0)
			return ask;
	}
	return NULL;
}

static long long query_number(const struct pic_exchange *exchange, const char *name,
			      long long minimum, long long maximum, long long fallback)
{
	const char *text = pic_exchange_query(exchange, name);
	long long number;

	return text && pic_integer_parse(text, minimum, maximum, &number) == 0 ? number : fallback;
}

void pic_device_answer(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_device *device = pic_device_find(hub->devices, match->caller.name);
	struct pic_pending_ask *ask = find_given(device, match->captured[0]);
	struct pic_view body = pic_exchange_body(exchange);
	const char *type = pic_exchange_header(exchange, "Content-Type");

	/* Another device's ask is none of this one's: the same answer as for none at all. */
	if (!ask) {
		pic_plain_refuse(exchange, 404, "nobody waits for the answer to this ask");
		return;
	}
	if (pic_device_admit(device, exchange, NULL) < 0)
		return;
	if (body.size > PIC_ASK_ANSWER_MAX) {
		pic_plain_refuse(exchange, 413, "the answer to an ask is too large");
		return;
	}
	pic_device_heard(device, exchange);
	const struct pic_ask_answer answer = {
		.status = (int)query_number(exchange, "status", 200, 599, 200),
		.content_type = type ? type : "application/octet-stream",
		.body = { body.data ? body.data : "", body.size },
		.position = query_number(exchange, "position", 0, INT64_MAX, -1),
	};
	finish(ask, &answer);
	pic_reply(exchange, 200, "application/json", "{}", 2);
}
