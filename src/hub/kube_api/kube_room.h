/*
 * The kube API's own state and what its handlers share. Internal to kube_api.
 */
#ifndef PIC_HUB_KUBE_API_KUBE_ROOM_H
#define PIC_HUB_KUBE_API_KUBE_ROOM_H

#include "hub/kube_api/kube.h"
#include "hub/kube_api/request.h"
#include "hub/kube_api/watch.h"
#include "hub/kube_api/world.h"

struct pic_kube_pending;

struct pic_kube {
	struct pic_hub *hub;
	struct pic_kube_world world;
	struct pic_kube_watchers *watchers;
	struct pic_kube_pending *capture; /* the write that is being applied right now */
	int64_t last_applied;		  /* revision of the newest change told to us */
	struct pic_buf openapi_v2;	  /* made at the first request */
	bool stopped;
};

/* A request with the exchange behind it, for one call. */
struct pic_kube_call {
	struct pic_kube *kube;
	struct pic_exchange *exchange;
	const struct pic_route_match *match;
	struct pic_kube_request request;
};

/* A request header, "" when absent. */
const char *pic_kube_header(const struct pic_exchange *exchange, const char *name);
/* Ends the exchange. */
void pic_kube_send(struct pic_exchange *exchange, const struct pic_kube_answer *answer);
/* POST, PUT, PATCH and DELETE of objects: answered now, or after the commit. */
void pic_kube_call_write(struct pic_kube_call *call);
void pic_kube_call_delete(struct pic_kube_call *call);
void pic_kube_call_delete_collection(struct pic_kube_call *call);
/* Every change as it is applied: catches what a write of ours became. */
void pic_kube_on_applied(void *data, enum pic_kind kind, struct pic_object *before,
			 struct pic_object *after, int64_t revision);

/* Handlers of documents.c: discovery, OpenAPI, the version. */
typedef void pic_kube_handler(struct pic_hub *hub, struct pic_exchange *exchange,
			      const struct pic_route_match *match);
pic_kube_handler pic_kube_handle_core;
pic_kube_handler pic_kube_handle_groups;
pic_kube_handler pic_kube_handle_group;
pic_kube_handler pic_kube_handle_core_resources;
pic_kube_handler pic_kube_handle_resources;
pic_kube_handler pic_kube_handle_version;
pic_kube_handler pic_kube_handle_openapi_v2;
pic_kube_handler pic_kube_handle_openapi_v3;
pic_kube_handler pic_kube_handle_openapi_v3_core;
pic_kube_handler pic_kube_handle_openapi_v3_group;

#endif
