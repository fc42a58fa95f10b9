/*
 * Artifacts: bytes by their SHA-256, as files in STATE/artifacts, written atomically, served with
 * ranges. Puts are streamed and hashed before they get their name.
 */
#ifndef PIC_HUB_ARTIFACTS_ARTIFACTS_H
#define PIC_HUB_ARTIFACTS_ARTIFACTS_H

#include "crypto/digest.h"
#include "hub/store/store.h"
#include "net/server.h"

struct pic_artifacts;

int pic_artifacts_open(struct pic_artifacts **out, struct pic_store *store, const char *folder,
		       uint64_t one_max, struct pic_error *err);
void pic_artifacts_close(struct pic_artifacts *artifacts);
bool pic_artifacts_has(struct pic_artifacts *artifacts, const struct pic_sha256 *digest,
		       uint64_t *size);
/* Open for reading; -ENOENT. */
int pic_artifacts_fd(struct pic_artifacts *artifacts, const struct pic_sha256 *digest,
		     uint64_t *size, struct pic_error *err);
/* Bytes in memory, or a temporary file of pic_artifacts_temporary (taken over, failure included): hashed,
 * named, recorded. Here at once, durable with the change that records it: to answer only then, commit
 * a change of your own behind it (an empty one will do) and wait for its `done`. */
int pic_artifacts_put(struct pic_artifacts *artifacts, const void *data, size_t size,
		      const char *origin, struct pic_sha256 *digest, struct pic_error *err);
int pic_artifacts_temporary(struct pic_artifacts *artifacts, struct pic_error *err); /* fd */
int pic_artifacts_keep(struct pic_artifacts *artifacts, int temporary_fd, const char *origin,
		       struct pic_sha256 *digest, uint64_t *size, struct pic_error *err);
/* `name` ("tiny-http.wasm") stands for `digest` from now on: what the URL "/artifacts/<name>" resolves to
 * when a solution is applied (POST /piccolo/v1/artifacts?name=N -> {"name","sha256","size","url"}). */
int pic_artifacts_publish(struct pic_artifacts *artifacts, const struct pic_actor *actor,
			  const char *name, const struct pic_sha256 *digest,
			  pic_change_done_fn *done, void *data, struct pic_error *err);
/* -ENOENT: nothing is published under that name. */
int pic_artifacts_named(struct pic_artifacts *artifacts, const char *name,
			struct pic_sha256 *digest);
/* GET and HEAD /artifacts/<sha256>, with Range (RFC 9110 14.2, one range). */
void pic_artifacts_serve(struct pic_artifacts *artifacts, struct pic_exchange *exchange,
			 const char *digest_text);

#endif
