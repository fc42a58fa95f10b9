/*
 * The kube API: what unmodified kubectl talks to. Routes under /api, /apis, /openapi and /version (all
 * for administrators, over TLS) onto the store; reading is answered from memory, a write after its
 * commit, a watch out of the store's durable events.
 *
 * main.c opens it once the store, the loop and the other rooms of the hub stand. At the end it calls
 * pic_kube_stop while the servers still are there (all watches end), settles the store so that writes
 * under way are answered, closes servers and store, and then the kube API, which has listened to it.
 */
#ifndef PIC_HUB_KUBE_API_KUBE_H
#define PIC_HUB_KUBE_API_KUBE_H

#include "hub/route.h"

struct pic_kube;

/* Listens to the store and sees to it that the namespace "default" is there. */
int pic_kube_open(struct pic_kube **out, struct pic_hub *hub, struct pic_error *err);
void pic_kube_stop(struct pic_kube *kube);	       /* ends all watches and takes no new ones */
void pic_kube_close(struct pic_kube *kube);	       /* after pic_store_close */
size_t pic_kube_watchers(const struct pic_kube *kube); /* for metrics */

#endif
