/*
 * URLs to bytes, at apply time: what a component's URL stands for is fetched once, kept as an artifact
 * and known by its SHA-256 from then on, in status.resolved of the solution (or of the target, for its
 * own components):
 *	{"component","url","generation","sha256","size"}   or   {"component","url","generation","error"}
 * It is looked up again only when the generation changes. A failure is retried with back-off as long as
 * somebody wants it. The hub's own artifact addresses need no fetching.
 *
 * Egress: http and https only; link-local addresses are refused, whatever name leads there, also after a
 * redirect: they are where clouds keep their secrets.
 */
#ifndef PIC_HUB_ENGINE_RESOLVER_H
#define PIC_HUB_ENGINE_RESOLVER_H

#include "crypto/digest.h"
#include "hub/hub.h"

struct pic_resolver;

#define PIC_RESOLVER_SIZE_MAX (256ULL * 1024 * 1024)

int pic_resolver_open(struct pic_resolver **out, struct pic_hub *hub, struct pic_error *err);
void pic_resolver_close(struct pic_resolver *resolver);
/* `source` is the object whose component has the URL. Idempotent; answers by a change of the source. */
void pic_resolver_want(struct pic_resolver *resolver, const struct pic_object *source,
		       const char *component, const char *url);
/* Once, for nobody's status: what stands at the URL, kept as an artifact. `done` is called once, possibly before
 * this returns: with the digest, or NULL and the sentence (both lent). */
typedef void pic_resolver_done_fn(void *data, const struct pic_sha256 *digest, const char *failure);
void pic_resolver_fetch(struct pic_resolver *resolver, const char *url, pic_resolver_done_fn *done,
			void *data);
/* Forgets the fetches that were asked for with `data`; their `done` is not called. */
void pic_resolver_forget(struct pic_resolver *resolver, const void *data);
/* Artifacts have come: what waits for one of them is tried at once. */
void pic_resolver_artifacts_changed(struct pic_resolver *resolver);

/* Whether the URL is one of this hub's artifacts: *name gets what stands behind "/artifacts/", lent. */
bool pic_resolver_own_url(const char *url, const char *public_url, const char **name);
/* The literal address of a URL's host that may not be fetched from (link-local); pure. */
bool pic_resolver_denies(const char *url);
/* `location` (absolute, or a path) seen from `url`; -EINVAL. */
int pic_resolver_redirect(const char *url, const char *location, char **out);

#endif
