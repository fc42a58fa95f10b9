/*
 * The file of a download that is not whole: what is in it is hashed, more is written behind it, and in
 * the end it becomes the artifact or goes. Bytes of an earlier life are hashed in slices, so that the
 * event loop is not held up.
 */
#ifndef PIC_AGENT_FETCH_PART_H
#define PIC_AGENT_FETCH_PART_H

#include "crypto/digest.h"
#include "protocol/document.h"

struct pic_part {
	int folder; /* lent */
	int fd;
	char name[2 * PIC_DIGEST_SIZE + 8]; /* "<64 hex>.part" */
	struct pic_sha256_stream *stream;
	uint64_t offset; /* bytes that are hashed */
	char head[16];	 /* the first bytes, for the sentence about what came */
};

int pic_part_open(struct pic_part *out, int folder, const unsigned char digest[PIC_DIGEST_SIZE],
		  struct pic_error *err);
void pic_part_close(struct pic_part *part); /* the file stays */
/* Hashes a slice of what is there already: 1 when there is more, 0 when all is hashed. */
int pic_part_catch_up(struct pic_part *part, struct pic_error *err);
int pic_part_write(struct pic_part *part, const void *data, size_t size); /* -errno */
int pic_part_restart(struct pic_part *part, struct pic_error *err);	  /* empty again */
/* The digest of all that was written; then the file gets its final name or goes. */
void pic_part_digest(struct pic_part *part, struct pic_sha256 *out);
int pic_part_keep(struct pic_part *part, struct pic_error *err);
void pic_part_discard(struct pic_part *part);
bool pic_part_is_page(const struct pic_part *part); /* its first bytes are those of an HTML page */

#endif
