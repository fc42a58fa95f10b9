/*
 * One human sentence for one failure.
 *
 * Every function that can fail returns 0 (or a count) on success and a negative errno on failure,
 * and fills a `struct pic_error` with one sentence that names the object, says what is wrong and,
 * where there is one, what to do. The sentence is made where the failure is found; callers may put
 * the name of their object in front of it. It is logged or shown once, at the top.
 *
 * An error is a plain value: nothing to free. Every function here takes NULL for "nobody asks".
 */
#ifndef PIC_BASE_ERROR_H
#define PIC_BASE_ERROR_H

#define PIC_ERROR_TEXT 512

struct pic_error {
	int code;		   /* negative errno; 0 when empty */
	char text[PIC_ERROR_TEXT]; /* UTF-8, no final full stop or newline, cut when too long */
};

#define PIC_ERROR_INIT \
	{ \
		0, "" \
	}

/* Store code and sentence; returns code, so that `return pic_error_set(...)` reads well. */
int pic_error_set(struct pic_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "<format>: " in front of the sentence already there; keeps and returns the stored code
 * (or `code` when err is NULL or empty). */
int pic_error_wrap(struct pic_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Store "<format>: <text of errno>"; returns -saved_errno. */
int pic_error_errno(struct pic_error *err, int saved_errno, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
