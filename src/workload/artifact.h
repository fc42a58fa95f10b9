/*
 * Writing an artifact into a store folder: only bytes of the promised digest get its name. Needs no
 * privileges but to write in that folder.
 */
#ifndef PIC_WORKLOAD_ARTIFACT_H
#define PIC_WORKLOAD_ARTIFACT_H

#include <stdint.h>

#include "crypto/digest.h"

/* `size` bytes from the start of `source`. -EBADMSG: they have another digest; -EDQUOT: with them the folder
 * would hold more than `store_max` bytes; on failure nothing stays. Durable when it returns 0. */
int pic_artifact_write(int store, int source, uint64_t size, const struct pic_sha256 *wanted,
		       uint64_t store_max, struct pic_error *err);

#endif
