/* Selectors: their memory, the syntax of labels, and matching. */
#include "hub/kube_api/selector.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "hub/kube_api/selector_scan.h"

void pic_selector_free(struct pic_selector *selector)
{
	free(selector->text);
	*selector = (struct pic_selector){ 0 };
}

bool pic_selector_is_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* 1 to 63 of letters, digits, "-_.", beginning and ending with a letter or digit. */
static bool is_qualified(const char *text, size_t size)
{
	if (size == 0 || size > 63)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!pic_selector_is_word(text[i]))
			return false;
	return isalnum((unsigned char)text[0]) && isalnum((unsigned char)text[size - 1]);
}

bool pic_label_key_is_valid(const char *key)
{
	const char *slash = strchr(key, '/');
	char prefix[PIC_OBJECT_NAME_MAX + 1];

	if (!slash)
		return is_qualified(key, strlen(key));
	size_t size = (size_t)(slash - key);
	if (size >= sizeof(prefix))
		return false;
	memcpy(prefix, key, size);
	prefix[size] = '\0';
	return pic_name_is_valid(prefix, PIC_OBJECT_NAME_MAX) &&
	       is_qualified(slash + 1, strlen(slash + 1));
}

bool pic_label_value_is_valid(const char *value)
{
	return !*value || is_qualified(value, strlen(value));
}

int pic_selector_begin(const char *text, struct pic_selector *out, struct pic_error *err)
{
	*out = (struct pic_selector){ 0 };
	if (strlen(text) > PIC_SELECTOR_TEXT_MAX)
		return pic_error_set(err, -EINVAL, "the selector is longer than %d bytes",
				     PIC_SELECTOR_TEXT_MAX);
	out->text = strdup(text);
	return out->text ? 0 : pic_error_set(err, -ENOMEM, "no memory for the selector");
}

struct pic_selector_term *pic_selector_new_term(struct pic_selector_scan *scan)
{
	struct pic_selector *out = scan->out;

	if (out->term_count == PIC_COUNT(out->terms)) {
		pic_error_set(scan->err, -EINVAL, "the selector has more than %d terms",
			      PIC_SELECTOR_TERMS_MAX);
		return NULL;
	}
	struct pic_selector_term *term = &out->terms[out->term_count++];
	*term = (struct pic_selector_term){ .first = out->value_count };
	return term;
}

int pic_selector_new_value(struct pic_selector_scan *scan, struct pic_selector_term *term,
			   const char *value)
{
	struct pic_selector *out = scan->out;

	if (out->value_count == PIC_COUNT(out->values))
		return pic_error_set(scan->err, -EINVAL, "the selector has more than %d values",
				     PIC_SELECTOR_VALUES_MAX);
	out->values[out->value_count++] = value;
	term->count++;
	return 0;
}

static bool is_one_of(const struct pic_selector *selector, const struct pic_selector_term *term,
		      const char *value)
{
	for (size_t i = 0; i < term->count; i++)
		if (strcmp(selector->values[term->first + i], value) == 0)
			return true;
	return false;
}

static bool term_matches(const struct pic_selector *selector, const struct pic_selector_term *term,
			 const char *value)
{
	switch (term->operator) {
	case PIC_SELECTOR_IN:
		return value && is_one_of(selector, term, value);
	case PIC_SELECTOR_NOT_IN:
		return !value || !is_one_of(selector, term, value);
	case PIC_SELECTOR_EXISTS:
		return value != NULL;
	case PIC_SELECTOR_ABSENT:
		return value == NULL;
	}
	return false;
}

bool pic_selector_match_labels(const struct pic_selector *selector, const struct pic_json *object)
{
	const struct pic_json *labels = pic_json_find(object, "metadata", "labels", NULL);

	for (size_t i = 0; i < selector->term_count; i++)
		if (!term_matches(selector, &selector->terms[i],
				  pic_json_get_text(labels, selector->terms[i].key)))
			return false;
	return true;
}

bool pic_selector_match_fields(const struct pic_selector *selector, const struct pic_json *object)
{
	for (size_t i = 0; i < selector->term_count; i++) {
		const struct pic_json *value = pic_kube_at_path(object, selector->terms[i].key);
		/* an absent field is an empty one, as Kubernetes has it */
		if (!term_matches(selector, &selector->terms[i], pic_json_text_or(value, "")))
			return false;
	}
	return true;
}

const char *pic_selector_equals(const struct pic_selector *selector, const char *key)
{
	for (size_t i = 0; i < selector->term_count; i++) {
		const struct pic_selector_term *term = &selector->terms[i];
		if (term->operator== PIC_SELECTOR_IN && term->count == 1 &&
		    strcmp(term->key, key) == 0)
			return selector->values[term->first];
	}
	return NULL;
}

struct pic_json *pic_kube_at_path(const struct pic_json *object, const char *path)
{
	const struct pic_json *at = object;
	char name[64];

	while (at && *path) {
		size_t size = strcspn(path, ".");
		if (size >= sizeof(name))
			return NULL;
		memcpy(name, path, size);
		name[size] = '\0';
		at = pic_json_get(at, name);
		path += size + (path[size] == '.');
	}
	return (struct pic_json *)at;
}
