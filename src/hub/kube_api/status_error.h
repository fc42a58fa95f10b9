/*
 * Status objects: how the kube API says that something failed (or that a delete is done). kubectl
 * prints `message`, except for 422, where it prints `details.causes`.
 */
#ifndef PIC_HUB_KUBE_API_STATUS_ERROR_H
#define PIC_HUB_KUBE_API_STATUS_ERROR_H

#include "hub/kube_api/answer.h"
#include "symphony/kind.h"

/* What the Status is about; NULL facts: nothing in particular. */
struct pic_kube_subject {
	const struct pic_kind_facts *facts;
	const char *name; /* "" or NULL: the collection */
};

/* The reason that belongs to an HTTP status: 404 "NotFound". 409 is "Conflict". */
const char *pic_kube_reason(int status);

void pic_kube_fail(struct pic_kube_answer *answer, int status, const char *reason,
		   struct pic_kube_subject subject, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* The sentences kubectl's users know. */
void pic_kube_fail_not_found(struct pic_kube_answer *answer, struct pic_kube_subject subject);
void pic_kube_fail_exists(struct pic_kube_answer *answer, struct pic_kube_subject subject);
void pic_kube_fail_conflict(struct pic_kube_answer *answer, struct pic_kube_subject subject);
void pic_kube_fail_bad(struct pic_kube_answer *answer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void pic_kube_fail_memory(struct pic_kube_answer *answer);

/* A person reads the first ones; more are left out. */
#define PIC_KUBE_CAUSES_MAX 100

/* 422: collect causes, then answer. An array of causes is made by pic_json_new_array. */
void pic_kube_cause(struct pic_json *causes, const char *reason, const char *field,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Takes `causes` over. */
void pic_kube_fail_invalid(struct pic_kube_answer *answer, struct pic_kube_subject subject,
			   struct pic_json *causes);
void pic_kube_fail_causes(struct pic_kube_answer *answer, int status, const char *reason,
			  struct pic_kube_subject subject, struct pic_json *causes,
			  const char *message);

/* 200 {"status":"Success"} of a delete. */
void pic_kube_deleted(struct pic_kube_answer *answer, struct pic_kube_subject subject,
		      const char *uid);

/* "catalogs.federation.symphony", or "namespaces" for core. */
#define PIC_KUBE_RESOURCE_TEXT 128
const char *pic_kube_resource(const struct pic_kind_facts *facts, char out[PIC_KUBE_RESOURCE_TEXT]);

#endif
