/*
 * Parsing of selectors: the copied text, cut into pieces in place. Internal to selector*.c.
 */
#ifndef PIC_HUB_KUBE_API_SELECTOR_SCAN_H
#define PIC_HUB_KUBE_API_SELECTOR_SCAN_H

#include "hub/kube_api/selector.h"

/* Where the parser stands in the copied text. A terminator is written only when the byte it replaces
 * has been looked at. */
struct pic_selector_scan {
	char *at;
	struct pic_selector *out;
	struct pic_error *err;
};

bool pic_selector_is_word(char c); /* letters, digits, "-_." */
/* Copies the text; -EINVAL when it is too long. */
int pic_selector_begin(const char *text, struct pic_selector *out, struct pic_error *err);
/* NULL with a sentence when there are too many. */
struct pic_selector_term *pic_selector_new_term(struct pic_selector_scan *scan);
int pic_selector_new_value(struct pic_selector_scan *scan, struct pic_selector_term *term,
			   const char *value);

#endif
