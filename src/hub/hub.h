/*
 * The hub's one context: what its rooms share. Owned by main.c.
 */
#ifndef PIC_HUB_HUB_H
#define PIC_HUB_HUB_H

#include "base/loop.h"
#include "hub/store/store.h"
#include "net/server.h"

struct pic_identity;   /* hub/identity/identity.h */
struct pic_artifacts;  /* hub/artifacts/artifacts.h */
struct pic_reconciler; /* hub/engine/reconciler.h */
struct pic_kube;       /* hub/kube_api/kube.h */
struct pic_devices;    /* hub/device_api/devices.h */
struct pic_approvals;  /* hub/approval/approval.h */
struct pic_web;	       /* hub/web/web.h */
struct pic_campaigns;  /* hub/campaign/campaign.h */
struct pic_hub_server; /* hub/server.h */

/* How mail leaves; the texts live as long as the hub. */
struct pic_hub_mail {
	const char *url; /* net/mail.h; may hold a password: never to be shown */
	const char *password, *authority_pem; /* or NULL */
	const char *from;
};

struct pic_hub {
	struct pic_loop *loop;
	struct pic_store *store;
	struct pic_identity *identity;
	struct pic_artifacts *artifacts;
	struct pic_reconciler *reconciler;
	struct pic_kube *kube;
	struct pic_devices *devices;
	struct pic_approvals *approvals;
	struct pic_campaigns *campaigns;
	struct pic_web *web;
	struct pic_hub_server *server;
	const char *state;	/* its folder, absolute */
	const char *public_url; /* "https://127.0.0.1:8443", no final slash */
	const char *
		tls_pin; /* "sha256:..." of a listener's key that is not of our authority, or NULL */
	/* prefixes of URLs whose answer to an http stage is an approval; NULL-ended, NULL: none */
	const char *const *approval_urls;
	const struct pic_hub_mail *mail; /* NULL: no mail is sent */
	bool insecure_demo;
	bool is_dev;
	bool is_loopback_only; /* no other machine can reach it */
};

#endif
