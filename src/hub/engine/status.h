/*
 * Statuses of a catalog and of an instance, put together part by part. Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_STATUS_H
#define PIC_HUB_ENGINE_STATUS_H

#include "hub/engine/merge.h"
#include "hub/engine/part.h"

/* An instance may go to a thousand targets; its status shows so many components and counts the rest. */
#define PIC_STATUS_PARTS_MAX 256

struct pic_catalog_status {
	const struct pic_json *before; /* the old status, or NULL */
	struct pic_health health;
	struct pic_json *components; /* array, made by the first add */
	struct pic_json *texts;	     /* component -> "Running - " */
};

/* Also notes what has changed since `before`. */
int pic_catalog_status_add(struct pic_catalog_status *status, const struct pic_part *part,
			   struct pic_engine_output *output, struct pic_error *err);
struct pic_json *pic_catalog_status_json(const struct pic_catalog_status *status, bool terminating);
void pic_catalog_status_free(struct pic_catalog_status *status);

struct pic_status_writer {
	const struct pic_object *owner; /* NULL: nobody reads it */
	int64_t now_ms;
	uint32_t broken;
	struct pic_health health;
	struct pic_json *properties, *components;
	size_t targets, deployed, omitted;
};

int pic_status_begin(struct pic_status_writer *writer);
void pic_status_free(struct pic_status_writer *writer);
/* Something wrong with the instance itself. */
void pic_status_complain(struct pic_status_writer *writer, enum pic_health_level level,
			 const char *reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* `counts`: the target is one the instance goes to, not one it is leaving. */
void pic_status_add_target(struct pic_status_writer *writer, const char *target,
			   const struct pic_catalog_status *catalog,
			   const struct pic_health *health, bool counts);
/* Also notes a stall. NULL: no memory. */
struct pic_json *pic_status_json(const struct pic_status_writer *writer,
				 struct pic_engine_output *output, struct pic_error *err);

#endif
