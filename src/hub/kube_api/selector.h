/*
 * labelSelector and fieldSelector of lists and watches. Parsed once into a filter, then asked for
 * each object. Bounded; errors are one sentence for a 400.
 */
#ifndef PIC_HUB_KUBE_API_SELECTOR_H
#define PIC_HUB_KUBE_API_SELECTOR_H

#include "base/json.h"
#include "symphony/kind.h"

#define PIC_SELECTOR_TEXT_MAX 4096
#define PIC_SELECTOR_TERMS_MAX 32
#define PIC_SELECTOR_VALUES_MAX 128

enum pic_selector_operator {
	PIC_SELECTOR_IN,     /* = and == are a set of one */
	PIC_SELECTOR_NOT_IN, /* != too; also matches without the label */
	PIC_SELECTOR_EXISTS,
	PIC_SELECTOR_ABSENT,
};

struct pic_selector_term {
	const char *key;
	enum pic_selector_operator operator;
	size_t first, count; /* of values */
};

/* All terms must match; without terms everything does. Owns its text. */
struct pic_selector {
	char *text;
	size_t term_count, value_count;
	struct pic_selector_term terms[PIC_SELECTOR_TERMS_MAX];
	const char *values[PIC_SELECTOR_VALUES_MAX];
};

int pic_selector_parse_labels(const char *text, struct pic_selector *out, struct pic_error *err);
/* Fields depend on the kind: metadata.name and metadata.namespace, more for events. */
int pic_selector_parse_fields(const char *text, const struct pic_kind_facts *facts,
			      struct pic_selector *out, struct pic_error *err);
void pic_selector_free(struct pic_selector *selector);
bool pic_selector_match_labels(const struct pic_selector *selector, const struct pic_json *object);
bool pic_selector_match_fields(const struct pic_selector *selector, const struct pic_json *object);
/* The value that a term "key = value" of one value asks for, or NULL: for a look-up by name. */
const char *pic_selector_equals(const struct pic_selector *selector, const char *key);

/* Kubernetes' syntax of label keys (with an optional prefix) and values. */
bool pic_label_key_is_valid(const char *key);
bool pic_label_value_is_valid(const char *value);

/* The value at a dotted path of plain names ("status.properties.status"); NULL when absent. */
struct pic_json *pic_kube_at_path(const struct pic_json *object, const char *path);

#define PIC_SELECTOR PIC_CLEANUP(pic_selector_free)

#endif
