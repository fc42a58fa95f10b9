/* Subjects, bodies and errors of the Symphony face. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/engine/engine.h"
#include "hub/symphony_api/room.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define PREFIX "/v1alpha2/"

static bool is_later(const char *path)
{
	return pic_text_starts(path, PREFIX "solutionversion") ||
	       pic_text_starts(path, PREFIX "catalogversion") ||
	       pic_text_starts(path, PREFIX "campaignversion");
}

/* Their clients read the status; the text is for a person. A missing login has no text at all. */
void pic_symphony_refuse(struct pic_exchange *exchange, int status, const char *why)
{
	if (status == 401 || status == 403) {
		pic_reply(exchange, is_later(pic_exchange_path(exchange)) ? 401 : 403, NULL, NULL,
			  0);
		return;
	}
	if (status == 405)
		pic_symphony_result(exchange, 405, "method not allowed");
	else
		pic_reply(exchange, status, TEXT_TYPE, why, strlen(why));
}

static enum pic_kind kind_of(const char *pattern)
{
	static const struct {
		const char *word;
		enum pic_kind kind;
	} words[] = {
		{ PREFIX "targets/", PIC_KIND_TARGET },
		{ PREFIX "solution", PIC_KIND_SOLUTION },
		{ PREFIX "instances", PIC_KIND_INSTANCE },
		{ PREFIX "campaign", PIC_KIND_CAMPAIGN },
		{ PREFIX "activations/", PIC_KIND_ACTIVATION },
	};

	for (size_t i = 0; i < PIC_COUNT(words); i++) {
		if (pic_text_starts(pattern, words[i].word))
			return words[i].kind;
	}
	return PIC_KIND_CATALOG;
}

struct pic_symphony_subject pic_symphony_subject(const struct pic_exchange *exchange,
						 const struct pic_route_match *match)
{
	const char *space = pic_exchange_query(exchange, "namespace");

	return (struct pic_symphony_subject){
		.kind = kind_of(match->route->pattern),
		.later = is_later(match->route->pattern),
		.space = space && *space ? space : "default",
		.name = match->count ? match->captured[0] : NULL,
	};
}

bool pic_symphony_is_hidden(const struct pic_object *object)
{
	return object->kind == PIC_KIND_CATALOG && pic_object_annotation(object, PIC_ENGINE_HIDDEN);
}

struct pic_object *pic_symphony_find(struct pic_hub *hub,
				     const struct pic_symphony_subject *subject)
{
	struct pic_object *object =
		pic_store_get(hub->store, subject->kind, subject->space, subject->name);

	return object && !pic_symphony_is_hidden(object) ? object : NULL;
}

void pic_symphony_not_found(struct pic_exchange *exchange,
			    const struct pic_symphony_subject *subject)
{
	const bool is_404 = subject->later || subject->kind == PIC_KIND_CATALOG;
	char why[PIC_OBJECT_NAME_MAX + 128];

	snprintf(why, sizeof(why), "%s '%.253s' is not found in namespace %.63s",
		 pic_kind_facts(subject->kind)->singular, subject->name, subject->space);
	pic_reply(exchange, is_404 ? 404 : 500, TEXT_TYPE, why, strlen(why));
}

void pic_symphony_bad(struct pic_exchange *exchange, const struct pic_symphony_subject *subject,
		      int later, const char *why)
{
	pic_reply(exchange, subject->later ? later : 500, TEXT_TYPE, why, strlen(why));
}

void pic_symphony_result(struct pic_exchange *exchange, int status, const char *why)
{
	PIC_JSON struct pic_json *body = pic_json_new_object();
	char text[PIC_ERROR_TEXT];

	snprintf(text, sizeof(text), "%d - %s", status, why);
	pic_json_set_text(body, "result", text);
	pic_reply_json(exchange, status, body);
}

int pic_symphony_body(struct pic_exchange *exchange, const struct pic_symphony_subject *subject,
		      struct pic_json **out)
{
	struct pic_view text = pic_exchange_body(exchange);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_parse(out, text.data ? text.data : "", text.size, &err) == 0)
		return 0;
	pic_symphony_bad(exchange, subject, 500, err.text);
	return -EINVAL;
}

void pic_symphony_commit(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match, const char *verb, enum pic_kind kind,
			 struct pic_json *put, struct pic_json *body)
{
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, verb, who);
	struct pic_change *change = pic_change_new(hub->store, &actor);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_change_put(change, kind, put, &err) < 0) {
		pic_change_drop(change);
		pic_json_unref(body);
		pic_symphony_refuse(exchange, 500, err.text);
		return;
	}
	pic_reply_when_durable(exchange, change, 200, body, pic_symphony_refuse);
}
