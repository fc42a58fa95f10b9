/*
 * The Symphony face: /v1alpha2 as the clients of November 2023 know it, with the later eras' names
 * beside it. Thin: objects go through the store like any user's, the engine does the rest.
 *
 * What differs between the eras and is decided here: the status of "not found" and of a bad object
 * (500 in 2023, 404 and 400 later), of a missing login (403, later 401).
 */
#ifndef PIC_HUB_SYMPHONY_API_ROOM_H
#define PIC_HUB_SYMPHONY_API_ROOM_H

#include "hub/route.h"

/* What the path's first word stands for. */
struct pic_symphony_subject {
	enum pic_kind kind;
	bool later;	   /* a name of the later eras: solutionversions, catalogversions */
	const char *space; /* of the query, "default" when absent; lent from the exchange */
	const char *name;  /* lent from the match; NULL: a list */
};
struct pic_symphony_subject pic_symphony_subject(const struct pic_exchange *exchange,
						 const struct pic_route_match *match);
/* An object as it is answered: what this hub keeps itself gets an address by which the caller reached it. */
struct pic_json *pic_symphony_state(const struct pic_hub *hub, const struct pic_exchange *exchange,
				    const struct pic_object *object);
struct pic_object *pic_symphony_find(struct pic_hub *hub,
				     const struct pic_symphony_subject *subject);
/* A catalog that its user has deleted and only its device still holds. */
bool pic_symphony_is_hidden(const struct pic_object *object);

void pic_symphony_not_found(struct pic_exchange *exchange,
			    const struct pic_symphony_subject *subject);
/* What a body or object is not: 500 in 2023, `later` afterwards. */
void pic_symphony_bad(struct pic_exchange *exchange, const struct pic_symphony_subject *subject,
		      int later, const char *why);
/* {"result":"400 - ..."} */
void pic_symphony_result(struct pic_exchange *exchange, int status, const char *why);
/* The body as JSON, or the exchange has been refused. */
int pic_symphony_body(struct pic_exchange *exchange, const struct pic_symphony_subject *subject,
		      struct pic_json **out);
/* Commits and answers 200 with `body` (taken over; NULL: empty). */
void pic_symphony_commit(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match, const char *verb, enum pic_kind kind,
			 struct pic_json *put, struct pic_json *body);

typedef void pic_symphony_handler(struct pic_hub *hub, struct pic_exchange *exchange,
				  const struct pic_route_match *match);
pic_symphony_handler pic_symphony_login;
pic_symphony_handler pic_symphony_greet;
pic_symphony_handler pic_symphony_list;
pic_symphony_handler pic_symphony_get;
pic_symphony_handler pic_symphony_post;
pic_symphony_handler pic_symphony_delete;
pic_symphony_handler pic_symphony_ping;
pic_symphony_handler pic_symphony_target_status;
pic_symphony_handler pic_symphony_catalog_status;
pic_symphony_handler pic_symphony_activation_status;
pic_symphony_handler pic_symphony_queue;
pic_symphony_handler pic_symphony_queue_job;

#endif
