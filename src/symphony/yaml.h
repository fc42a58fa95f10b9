/*
 * YAML 1.1 as Kubernetes' tools read it, for the hub and the command line, never on a device: text of
 * one or several documents -> JSON trees, with the line of every value, and back.
 *
 * Bounded: size by the caller, depth, aliases and number of nodes here. Duplicate keys are refused.
 * Numbers keep their literal (base/json.h). Errors read "FILE:LINE: what is wrong".
 */
#ifndef PIC_SYMPHONY_YAML_H
#define PIC_SYMPHONY_YAML_H

#include "base/json.h"

#define PIC_YAML_SIZE_MAX (3 * 1024 * 1024)

struct pic_yaml_line; /* path text -> line */

struct pic_yaml_document {
	struct pic_json *value; /* owned */
	struct pic_yaml_line *lines;
	size_t line_count;
};

struct pic_yaml {
	struct pic_yaml_document *documents; /* empty documents are left out */
	size_t count;
};

/* JSON text is YAML too. */
int pic_yaml_parse(struct pic_yaml *out, const char *text, size_t size, const char *file_name,
		   struct pic_error *err);
void pic_yaml_free(struct pic_yaml *yaml);
/* Line of "spec.components[0].type", or of its nearest parent that exists; 0 when unknown. */
int pic_yaml_line(const struct pic_yaml_document *document, const char *path);
/* Block style, two blanks, keys in their order, texts quoted only when they must be. */
int pic_yaml_write(const struct pic_json *value, struct pic_buf *out);

#endif
