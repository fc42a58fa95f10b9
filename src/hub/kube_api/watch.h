/*
 * Watches: streams of events to clients that stay connected. Internal to kube.c.
 *
 * A watcher lives as long as its exchange: it goes when the client does, when it asked for an end
 * (timeoutSeconds), when it does not read, or when the store took changes back that it may have seen
 * in a list (it then lists again).
 */
#ifndef PIC_HUB_KUBE_API_WATCH_H
#define PIC_HUB_KUBE_API_WATCH_H

#include "hub/kube_api/request.h"
#include "hub/kube_api/world.h"
#include "hub/store/store.h"
#include "net/server.h"

struct pic_kube_watchers;

int pic_kube_watchers_new(struct pic_kube_watchers **out, struct pic_loop *loop,
			  struct pic_store *store, struct pic_error *err);
void pic_kube_watchers_free(struct pic_kube_watchers *watchers); /* ends all streams */
size_t pic_kube_watchers_count(const struct pic_kube_watchers *watchers);
/* Ends all streams: everybody lists again. */
void pic_kube_watchers_reset(struct pic_kube_watchers *watchers);
/* Takes the exchange and streams, or fills the answer (400, 410, 422) and leaves the exchange alone. */
void pic_kube_watch_start(struct pic_kube_watchers *watchers,
			  const struct pic_kube_request *request,
			  const struct pic_kube_world *world, struct pic_exchange *exchange,
			  struct pic_kube_answer *answer);

#endif
