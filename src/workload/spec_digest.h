/*
 * "What was asked for", as one digest: SHA-256 over the type (16 bytes, padded with zeros), the digest
 * of the artifact (zeros when there is none) and the bytes of the spec. The agent computes it from the
 * document, the supervisor from the request, so that drift is a comparison of 32 bytes.
 */
#ifndef PIC_WORKLOAD_SPEC_DIGEST_H
#define PIC_WORKLOAD_SPEC_DIGEST_H

#include <stddef.h>

#include "crypto/digest.h"
#include "protocol/document.h"

/* -ENOMEM is the only failure. */
int pic_spec_digest(const char type[PIC_TYPE_MAX + 1],
		    const unsigned char artifact[PIC_DIGEST_SIZE], const void *spec,
		    size_t spec_size, struct pic_sha256 *out);

#endif
