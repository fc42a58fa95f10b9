/*
 * What a request is answered with, before it is put on the wire: status, body, warnings. Pure code
 * fills one; kube.c sends it. Zero-initialised with PIC_KUBE_ANSWER_INIT; status 0 means that nothing
 * has been answered yet. Owns its body and warnings.
 */
#ifndef PIC_HUB_KUBE_API_ANSWER_H
#define PIC_HUB_KUBE_API_ANSWER_H

#include "base/json.h"

#define PIC_KUBE_BODY_MAX (128u * 1024 * 1024)
#define PIC_KUBE_WARNINGS_MAX 16
#define PIC_KUBE_WARNING_TEXT 512

struct pic_kube_answer {
	int status;
	const char *content_type;
	struct pic_buf body;
	size_t warning_count; /* more than the maximum are counted, not kept */
	char *warnings[PIC_KUBE_WARNINGS_MAX];
};

#define PIC_KUBE_ANSWER_INIT \
	{ \
		0, "application/json", PIC_BUF_INIT(PIC_KUBE_BODY_MAX), 0, \
		{ \
			NULL \
		} \
	}

void pic_kube_answer_free(struct pic_kube_answer *answer);
/* Writes the tree as the body; no memory becomes a 500. Takes `body` over. */
void pic_kube_answer_json(struct pic_kube_answer *answer, int status, struct pic_json *body);
/* Replaces what is there; nobody sees a half-built body with another status. */
void pic_kube_answer_text(struct pic_kube_answer *answer, int status, const char *content_type,
			  const void *body, size_t size);
/* A "Warning:" line for the person at kubectl. */
void pic_kube_answer_warn(struct pic_kube_answer *answer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The value of the Warning header: 299 - "text", quotes and backslashes escaped, no control byte. */
void pic_kube_warning_header(const char *text, struct pic_buf *out);

#define PIC_KUBE_ANSWER PIC_CLEANUP(pic_kube_answer_free)

#endif
