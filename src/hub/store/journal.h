/*
 * The journal's hash chain: every row carries SHA-256(hash of the row before, its own fields), so that
 * a row that was changed, taken out or put in shows. Pure.
 */
#ifndef PIC_HUB_STORE_JOURNAL_H
#define PIC_HUB_STORE_JOURNAL_H

#include <stdint.h>

#include "crypto/digest.h"

struct pic_journal_row {
	int64_t time_ms; /* wall clock */
	const char *who, *where, *verb, *object, *text;
};

/* The last row; sequence 0 and a zero hash when there is none yet. */
struct pic_journal_head {
	int64_t sequence;
	struct pic_sha256 hash;
};

/* The head after `row`; -ENOMEM. */
int pic_journal_extend(const struct pic_journal_head *head, const struct pic_journal_row *row,
		       struct pic_journal_head *out);

#endif
