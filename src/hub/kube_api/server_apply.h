/*
 * Server-side apply without managedFields: beside each object the hub keeps what every manager applied
 * last, and from that it knows what a manager no longer wants and where two of them disagree. The last
 * client-side apply counts as a manager too: its configuration is in the annotation. Pure.
 */
#ifndef PIC_HUB_KUBE_API_SERVER_APPLY_H
#define PIC_HUB_KUBE_API_SERVER_APPLY_H

#include "base/json.h"

#define PIC_KUBE_MANAGERS_MAX 16
#define PIC_KUBE_LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct pic_kube_apply {
	const struct pic_json *live;	/* public form, NULL: new */
	const struct pic_json *applied; /* {"<manager>": configuration}, or NULL */
	const struct pic_json *config;	/* what `manager` wants now */
	const char *manager;
	bool force; /* take over what others own */
};

struct pic_kube_applied {
	struct pic_json *object;    /* merged */
	struct pic_json *applied;   /* the new memory of managers */
	struct pic_json *conflicts; /* causes of a 409 */
};

/* 0; -EEXIST: out->conflicts is filled; -E2BIG: too many managers. */
int pic_kube_server_apply(const struct pic_kube_apply *in, struct pic_kube_applied *out,
			  struct pic_error *err);
void pic_kube_applied_free(struct pic_kube_applied *applied);

#endif
