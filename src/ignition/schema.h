/*
 * The keys of an Ignition config, spec 3.0.0 to 3.6.0, as one table: what each may hold, since which spec, and
 * by what the entries of a list are told apart. The check and the merge both walk it.
 *
 * Source: the configuration specifications of Ignition 3.0.0 to 3.6.0.
 */
#ifndef PIC_IGNITION_SCHEMA_H
#define PIC_IGNITION_SCHEMA_H

#include <stdbool.h>

#define PIC_IGNITION_MINOR_MAX 6

enum pic_ignition_type {
	PIC_IGNITION_TEXT,
	PIC_IGNITION_INTEGER,
	PIC_IGNITION_BOOL,
	PIC_IGNITION_OBJECT,
	PIC_IGNITION_LIST,  /* of objects */
	PIC_IGNITION_TEXTS, /* a list of texts */
};

struct pic_ignition_row {
	const char *name; /* NULL ends a table */
	enum pic_ignition_type type;
	int since; /* the minor number of the spec that brought it */
	bool required;
	const struct pic_ignition_row *fields; /* OBJECT, LIST */
	const char *key;   /* LIST: what names an entry; NULL: entries are only appended */
	bool repeats;	   /* TEXTS: the same text may stand in it twice */
	const char *group; /* lists of one object that share their keys, or NULL */
};

extern const struct pic_ignition_row pic_ignition_config[];
const struct pic_ignition_row *pic_ignition_row(const struct pic_ignition_row *table,
						const char *name);
const char *pic_ignition_type_text(enum pic_ignition_type type); /* "a text" */

#endif
