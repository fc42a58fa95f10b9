/*
 * The component types that exist and the properties each of them knows.
 */
#ifndef PIC_SYMPHONY_COMPONENT_TYPES_H
#define PIC_SYMPHONY_COMPONENT_TYPES_H

#include <stdbool.h>

enum pic_property_form {
	PIC_PROPERTY_TEXT,
	PIC_PROPERTY_URL,     /* http or https */
	PIC_PROPERTY_SHA256,  /* 64 hexadecimal digits */
	PIC_PROPERTY_SIZE,    /* "64M" */
	PIC_PROPERTY_RESTART, /* always, on-failure, never */
	PIC_PROPERTY_WORDS,   /* split at blanks, quotes keep blanks together */
	PIC_PROPERTY_PORTS,   /* words as pic_ports_parse reads them, a few */
};

#define PIC_PROPERTY_PORTS_MAX 8 /* what a device takes in one property */

struct pic_component_property {
	const char *name; /* with its prefix: "wasm.url"; NULL ends a table */
	enum pic_property_form form;
	const char *help; /* one sentence for `explain` and docs */
};

struct pic_component_type {
	const char *name;   /* NULL ends the table */
	const char *prefix; /* of its properties: "wasm."; NULL: shares those of another type */
	const struct pic_component_property *properties; /* NULL: any name is accepted */
};

extern const struct pic_component_type pic_component_types[];
const struct pic_component_type *pic_component_type(const char *name); /* NULL when unknown */
/* The type whose properties begin like this one ("ebpf.url" -> ebpf); NULL when there is none. */
const struct pic_component_type *pic_component_type_of_property(const char *property);
/* http or https with a host, no password, nothing a terminal or a header could trip over, at most 2048
 * bytes; or "/artifacts/NAME", the hub's own, published with `piccoloctl push`. */
bool pic_component_url_is_valid(const char *url);
bool pic_component_url_is_own(const char *url); /* the second form */
extern const char pic_component_type_names[];	/* "wasm, ebpf, ..." for sentences */

#endif
