/*
 * Cleanup by scope: a local marked PIC_CLEANUP(f) is given to f(&local) when it leaves its scope, so
 * every early return is right. PIC_STEAL hands the value on and leaves NULL (or -1) behind.
 */
#ifndef PIC_BASE_CLEANUP_H
#define PIC_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define PIC_CLEANUP(function) __attribute__((cleanup(function)))

#define PIC_STEAL(pointer) \
	({ \
		__typeof__(pointer) stolen = pointer; \
		(pointer) = NULL; \
		stolen; \
	})

#define PIC_STEAL_FD(fd) \
	({ \
		int stolen = fd; \
		(fd) = -1; \
		stolen; \
	})

#define PIC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void pic_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void pic_free_pointer(void *pointer)
{
	free(*(void **)pointer);
	*(void **)pointer = NULL;
}

#define PIC_FD PIC_CLEANUP(pic_close_fd)
#define PIC_FREE PIC_CLEANUP(pic_free_pointer)

#endif
