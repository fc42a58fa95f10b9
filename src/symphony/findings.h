/*
 * Paths into an object, and adding findings. Internal to symphony/validate*.c.
 */
#ifndef PIC_SYMPHONY_FINDINGS_H
#define PIC_SYMPHONY_FINDINGS_H

#include "symphony/object.h"

#define PIC_PATH_MAX 256

struct pic_path {
	char text[PIC_PATH_MAX]; /* cut, ending in "...", when it is too long */
};

struct pic_path pic_path_root(const char *name);
struct pic_path pic_path_field(const struct pic_path *parent, const char *field); /* parent.field */
struct pic_path pic_path_key(const struct pic_path *parent, const char *key);	  /* parent[key] */
struct pic_path pic_path_item(const struct pic_path *parent, size_t index);	  /* parent[3] */

void pic_finding_add(struct pic_findings *findings, int kind, const struct pic_path *path,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
