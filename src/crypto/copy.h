/*
 * Copying a file while its digest is computed, so that what was looked at is what was written.
 */
#ifndef PIC_CRYPTO_COPY_H
#define PIC_CRYPTO_COPY_H

#include <stdint.h>

#include "crypto/digest.h"

/* `size` bytes from the start of `from` (its own offset is neither used nor moved) to `to`.
 * -ENODATA when `from` is shorter. */
int pic_sha256_copy(int from, int to, uint64_t size, struct pic_sha256 *out, struct pic_error *err);
/* 0, or -EBADMSG with both digests in the sentence. */
int pic_sha256_expect(const struct pic_sha256 *wanted, const struct pic_sha256 *is,
		      const char *what, struct pic_error *err);

#endif
