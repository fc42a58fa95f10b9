/*
 * What the agent keeps on disk, in STATE/agent (its own folder, mode 0700):
 *
 *   document.json          the exact bytes of the document in force
 *   kept.json              components that earlier documents listed and nobody removed, as a document
 *   identity.json          hub, target, key, certificate, authority, pins, confirmed epoch
 *   token                  what it will join by, while it has not (agent/link/join.h)
 *   downloads/SHA256.part  a download that is not whole; SHA256: one that is
 *   artifacts/SHA256       empty: the supervisor's store may have it because of us, so it is ours to drop
 *
 * Each file is written atomically. When the disk is full the old contents stay and the caller hears it.
 */
#ifndef PIC_AGENT_STORE_STORE_H
#define PIC_AGENT_STORE_STORE_H

#include "crypto/digest.h"
#include "protocol/document.h"

struct pic_agent_store {
	int folder, downloads, artifacts; /* descriptors, -1 when closed */
};

/* The folder itself is made by root; those below it are made here. */
int pic_agent_store_open(struct pic_agent_store *out, const char *state_folder,
			 struct pic_error *err);
void pic_agent_store_close(struct pic_agent_store *store);

/* What is in force. *document and *kept are NULL when there is none. A damaged document.json is told
 * in `err` (-EBADMSG) and treated as absent by the caller: the hub sends it again. */
int pic_agent_store_load(const struct pic_agent_store *store, struct pic_document **document,
			 struct pic_sha256 *digest, struct pic_document **kept,
			 struct pic_error *err);
/* kept NULL: none. Afterwards both are on disk, or the old ones still are. */
int pic_agent_store_save(const struct pic_agent_store *store, const void *bytes, size_t size,
			 const struct pic_document *kept, struct pic_error *err);

/* Calls fn for each artifact that is marked as ours, and for each whole download. */
void pic_agent_store_each(const struct pic_agent_store *store,
			  void (*fn)(void *data, const unsigned char digest[PIC_DIGEST_SIZE],
				     bool is_copy),
			  void *data);
int pic_agent_store_mark(const struct pic_agent_store *store,
			 const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err);
/* The mark, the copy and what is left of a download go. */
int pic_agent_store_forget(const struct pic_agent_store *store,
			   const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err);
/* The agent's own copy goes, the mark stays. */
int pic_agent_store_drop_copy(const struct pic_agent_store *store,
			      const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err);

#endif
