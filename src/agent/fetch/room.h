/* How much of the disk downloads take, all together: what is there of others makes room, or the next one waits. */
#ifndef PIC_AGENT_FETCH_ROOM_H
#define PIC_AGENT_FETCH_ROOM_H

#include <stdbool.h>

#include "protocol/document.h"

struct pic_room {
	int folder;	 /* downloads */
	uint64_t needed; /* bytes that one download may grow to */
	uint64_t total;	 /* bytes of all */
	/* Is this one under way? Then it counts as large as it may become. */
	bool (*is_busy)(void *data, const unsigned char digest[PIC_DIGEST_SIZE]);
	void *data;
};

/* For `digest`, whose own bytes do not count. Takes away what is there of downloads that nobody is at, the
 * largest first; whole ones wait for the store and stay. -EDQUOT when that is not enough. */
int pic_room_make(const struct pic_room *room, const unsigned char digest[PIC_DIGEST_SIZE],
		  struct pic_error *err);

#endif
