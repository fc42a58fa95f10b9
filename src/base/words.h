/* A property's text as words: split at blanks, '...' and "..." keep blanks together. */
#ifndef PIC_BASE_WORDS_H
#define PIC_BASE_WORDS_H

#include <stddef.h>

#include "base/error.h"

struct pic_words {
	const char *rest; /* starts as the whole text */
};

/* The next word, NUL-terminated, into `out`. 1: a word; 0: no more; -EINVAL: a quote does not end;
 * -ENAMETOOLONG: it does not fit. */
int pic_words_next(struct pic_words *words, char *out, size_t room, struct pic_error *err);

#endif
