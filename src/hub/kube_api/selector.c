/* Label and field selectors. The text is copied once and cut into pieces in place. */
#include "hub/kube_api/selector.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

/* Where the parser stands in the copied text. A terminator is written only when the byte it replaces
 * has been looked at. */
struct scan {
	char *at;
	struct pic_selector *out;
	struct pic_error *err;
};

void pic_selector_free(struct pic_selector *selector)
{
	free(selector->text);
	*selector = (struct pic_selector){0};
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* 1 to 63 of letters, digits, "-_.", beginning and ending with a letter or digit. */
static bool is_qualified(const char *text, size_t size)
{
	if (size == 0 || size > 63)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_word_char(text[i]))
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
	return pic_name_is_valid(prefix, PIC_OBJECT_NAME_MAX) && is_qualified(slash + 1, strlen(slash + 1));
}

bool pic_label_value_is_valid(const char *value)
{
	return !*value || is_qualified(value, strlen(value));
}

static int begin(const char *text, struct pic_selector *out, struct pic_error *err)
{
	*out = (struct pic_selector){0};
	if (strlen(text) > PIC_SELECTOR_TEXT_MAX)
		return pic_error_set(err, -EINVAL, "the selector is longer than %d bytes",
				     PIC_SELECTOR_TEXT_MAX);
	out->text = strdup(text);
	return out->text ? 0 : pic_error_set(err, -ENOMEM, "no memory for the selector");
}

static void skip_blanks(struct scan *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t')
		scan->at++;
}

static struct pic_selector_term *new_term(struct scan *scan)
{
	struct pic_selector *out = scan->out;

	if (out->term_count == PIC_COUNT(out->terms)) {
		pic_error_set(scan->err, -EINVAL, "the selector has more than %d terms",
			      PIC_SELECTOR_TERMS_MAX);
		return NULL;
	}
	struct pic_selector_term *term = &out->terms[out->term_count++];
	*term = (struct pic_selector_term){.first = out->value_count};
	return term;
}

static int new_value(struct scan *scan, struct pic_selector_term *term, const char *value)
{
	struct pic_selector *out = scan->out;

	if (out->value_count == PIC_COUNT(out->values))
		return pic_error_set(scan->err, -EINVAL, "the selector has more than %d values",
				     PIC_SELECTOR_VALUES_MAX);
	out->values[out->value_count++] = value;
	term->count++;
	return 0;
}

/* A word of label characters and slashes; *ended gets the byte that ended it. The word is
 * NUL-terminated in place, so the ending byte is handed over and `at` stands behind it. */
static char *word(struct scan *scan, char *ended)
{
	char *start = scan->at;

	while (is_word_char(*scan->at) || *scan->at == '/')
		scan->at++;
	char *end = scan->at;
	skip_blanks(scan);
	*ended = *scan->at;
	if (*ended)
		scan->at++;
	*end = '\0';
	return start;
}

static int bad_label(struct scan *scan, const char *what, const char *text)
{
	return pic_error_set(scan->err, -EINVAL, "unable to parse requirement: %s \"%.100s\"", what, text);
}

/* "(a, b)" behind in and notin, the opening parenthesis already read. */
static int value_set(struct scan *scan, struct pic_selector_term *term)
{
	char ended;

	do {
		skip_blanks(scan);
		char *value = word(scan, &ended);
		if (!pic_label_value_is_valid(value))
			return bad_label(scan, "this is no label value:", value);
		int r = new_value(scan, term, value);
		if (r < 0)
			return r;
	} while (ended == ',');
	if (ended != ')')
		return bad_label(scan, "a closing parenthesis is missing after", scan->out->values[term->first]);
	skip_blanks(scan);
	if (*scan->at && *scan->at++ != ',')
		return bad_label(scan, "a comma is missing before", scan->at - 1);
	return 0;
}

/* What follows "key " when it is no symbol: in (..), notin (..). `ended` began the word. */
static int set_term(struct scan *scan, struct pic_selector_term *term)
{
	char ended;
	char *name = word(scan, &ended);

	if (strcmp(name, "in") == 0)
		term->operator = PIC_SELECTOR_IN;
	else if (strcmp(name, "notin") == 0)
		term->operator = PIC_SELECTOR_NOT_IN;
	else
		return bad_label(scan, "there is no operator", name);
	if (ended != '(')
		return bad_label(scan, "a set in parentheses must follow", name);
	return value_set(scan, term);
}

static int equal_term(struct scan *scan, struct pic_selector_term *term)
{
	char ended;

	skip_blanks(scan);
	char *value = word(scan, &ended);
	if (!pic_label_value_is_valid(value))
		return bad_label(scan, "this is no label value:", value);
	if (ended && ended != ',')
		return bad_label(scan, "unexpected text after", value);
	return new_value(scan, term, value);
}

/* The operator is looked at before the key in front of it is cut off. */
static int label_term(struct scan *scan)
{
	struct pic_selector_term *term = new_term(scan);
	bool absent = *scan->at == '!';

	if (!term)
		return -EINVAL;
	scan->at += absent;
	skip_blanks(scan);
	char *key = scan->at;
	while (is_word_char(*scan->at) || *scan->at == '/')
		scan->at++;
	char *end = scan->at;
	skip_blanks(scan);
	char next = *scan->at;
	bool double_equal = next == '=' && scan->at[1] == '=';
	bool unequal = next == '!' && scan->at[1] == '=';
	bool set = end != scan->at && is_word_char(next);
	if (next && !set)
		scan->at += double_equal || unequal ? 2 : 1;
	*end = '\0';
	term->key = key;
	if (!pic_label_key_is_valid(key))
		return bad_label(scan, "this is no label key:", key);
	if (!next || next == ',') {
		term->operator = absent ? PIC_SELECTOR_ABSENT : PIC_SELECTOR_EXISTS;
		return 0;
	}
	if (absent)
		return bad_label(scan, "nothing may follow !", key);
	if (set)
		return set_term(scan, term);
	if (next != '=' && !unequal)
		return bad_label(scan, "there is no operator after", key);
	term->operator = unequal ? PIC_SELECTOR_NOT_IN : PIC_SELECTOR_IN;
	return equal_term(scan, term);
}

int pic_selector_parse_labels(const char *text, struct pic_selector *out, struct pic_error *err)
{
	PIC_SELECTOR struct pic_selector made = {0};
	int r = begin(text, &made, err);
	struct scan scan = {.at = made.text, .out = &made, .err = err};

	if (r < 0)
		return r;
	for (skip_blanks(&scan); *scan.at; skip_blanks(&scan)) {
		r = label_term(&scan);
		if (r < 0)
			return r;
	}
	*out = made;
	made.text = NULL;
	return 0;
}

static bool field_is_known(const struct pic_kind_facts *facts, const char *field)
{
	static const char *const of_all[] = {"metadata.name", "metadata.namespace", NULL};
	static const char *const of_events[] = {"involvedObject.kind",	     "involvedObject.name",
						"involvedObject.namespace",  "involvedObject.uid",
						"involvedObject.apiVersion", "reason",
						"type",			     NULL};

	for (const char *const *known = of_all; *known; known++)
		if (strcmp(*known, field) == 0)
			return true;
	for (const char *const *known = of_events; facts->kind == PIC_KIND_EVENT && *known; known++)
		if (strcmp(*known, field) == 0)
			return true;
	return facts->kind == PIC_KIND_NAMESPACE && strcmp(field, "status.phase") == 0;
}

/* Cuts the value at an unescaped comma and undoes "\\", "\," and "\=" in place. */
static char *field_value(struct scan *scan)
{
	char *start = scan->at;
	char *to = start;

	while (*scan->at && *scan->at != ',') {
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
		*to++ = *scan->at++;
	}
	if (*scan->at)
		scan->at++;
	*to = '\0';
	return start;
}

static int field_term(struct scan *scan, const struct pic_kind_facts *facts)
{
	struct pic_selector_term *term = new_term(scan);
	char *key = scan->at;

	if (!term)
		return -EINVAL;
	size_t size = strcspn(key, "=!,");
	scan->at += size;
	bool unequal = scan->at[0] == '!' && scan->at[1] == '=';
	if (!unequal && *scan->at != '=')
		return pic_error_set(scan->err, -EINVAL,
				     "invalid field selector: \"%.100s\" needs =, == or !=", key);
	scan->at += unequal || scan->at[1] == '=' ? 2 : 1;
	key[size] = '\0';
	if (!field_is_known(facts, key))
		return pic_error_set(scan->err, -EINVAL, "field label not supported: %.100s", key);
	term->key = key;
	term->operator = unequal ? PIC_SELECTOR_NOT_IN : PIC_SELECTOR_IN;
	return new_value(scan, term, field_value(scan));
}

int pic_selector_parse_fields(const char *text, const struct pic_kind_facts *facts,
			      struct pic_selector *out, struct pic_error *err)
{
	PIC_SELECTOR struct pic_selector made = {0};
	int r = begin(text, &made, err);
	struct scan scan = {.at = made.text, .out = &made, .err = err};

	if (r < 0)
		return r;
	while (*scan.at) {
		r = field_term(&scan, facts);
		if (r < 0)
			return r;
	}
	*out = made;
	made.text = NULL;
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
		if (term->operator == PIC_SELECTOR_IN && term->count == 1 && strcmp(term->key, key) == 0)
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
