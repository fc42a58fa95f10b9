/*
 * A request as the pure parts of the kube API see it: no connection, no store. Everything is lent for
 * the time of the call.
 */
#ifndef PIC_HUB_KUBE_API_REQUEST_H
#define PIC_HUB_KUBE_API_REQUEST_H

#include "base/buffer.h"
#include "hub/kube_api/path.h"
#include "hub/kube_api/status_error.h"

/* Which part of each object a table row carries. */
enum pic_kube_include { PIC_KUBE_INCLUDE_METADATA, PIC_KUBE_INCLUDE_OBJECT, PIC_KUBE_INCLUDE_NONE };

struct pic_kube_request {
	const char *method;
	struct pic_kube_path path;
	const char *content_type; /* "" when the client sent none */
	const char *accept;	  /* "" when the client sent none */
	struct pic_view body;
	const char *caller; /* name of who asks, for `auth whoami` */
	int64_t now_ms;	    /* wall clock */
	const char *(*get)(const void *from,
			   const char *name); /* query parameter, decoded, or NULL */
	const void *from;
};

const char *pic_kube_query(const struct pic_kube_request *request,
			   const char *name); /* "" if absent */
bool pic_kube_query_true(const struct pic_kube_request *request, const char *name);
struct pic_kube_subject pic_kube_subject(const struct pic_kube_request *request);

/* Accept: a Table in place of objects; the aggregated discovery form ("v2", "v2beta1" or NULL). */
bool pic_kube_wants_table(const struct pic_kube_request *request);
enum pic_kube_include pic_kube_include(const struct pic_kube_request *request);
const char *pic_kube_wants_aggregated(const char *accept);

/* Content-Type without its parameters, compared without case: `is` is "application/json". */
bool pic_kube_content_is(const struct pic_kube_request *request, const char *is);

enum pic_kube_validation { PIC_KUBE_STRICT, PIC_KUBE_WARN, PIC_KUBE_IGNORE };
/* fieldValidation; 400 on a word that is none, dryRun other than All too. */
int pic_kube_read_modes(const struct pic_kube_request *request,
			enum pic_kube_validation *validation, bool *dry_run,
			struct pic_kube_answer *answer);

#endif
