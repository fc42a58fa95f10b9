/* What the sample server shows. */
#ifndef TINY_EDGE_PAGES_H
#define TINY_EDGE_PAGES_H

#include <stddef.h>

/* A whole answer, head and body, ready to be sent; lent. `keep` 0: the connection closes afterwards. */
struct page {
	const char *data;
	size_t size;
};

struct page page_home(int keep);
struct page page_trace(int keep); /* made anew each time; good until the next call */
struct page page_missing(int keep);
struct page page_refused(void); /* 400 */
/* Builds the constant ones. -1: no memory. */
int pages_init(void);

#endif
