/* Label selectors. */
#include <errno.h>
#include <string.h>

#include "hub/kube_api/selector_scan.h"

static void skip_blanks(struct pic_selector_scan *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t')
		scan->at++;
}

/* A word of label characters and slashes; *ended gets the byte that ended it. The word is
 * NUL-terminated in place, so the ending byte is handed over and `at` stands behind it. */
static char *word(struct pic_selector_scan *scan, char *ended)
{
	char *start = scan->at;

	while (pic_selector_is_word(*scan->at) || *scan->at == '/')
		scan->at++;
	char *end = scan->at;
	skip_blanks(scan);
	*ended = *scan->at;
	if (*ended)
		scan->at++;
	*end = '\0';
	return start;
}

static int bad_label(struct pic_selector_scan *scan, const char *what, const char *text)
{
	return pic_error_set(scan->err, -EINVAL, "unable to parse requirement: %s \"%.100s\"", what,
			     text);
}

/* "(a, b)" behind in and notin, the opening parenthesis already read. */
static int value_set(struct pic_selector_scan *scan, struct pic_selector_term *term)
{
	char ended;

	do {
		skip_blanks(scan);
		char *value = word(scan, &ended);
		if (!pic_label_value_is_valid(value))
			return bad_label(scan, "this is no label value:", value);
		int r = pic_selector_new_value(scan, term, value);
		if (r < 0)
			return r;
	} while (ended == ',');
	if (ended != ')')
		return bad_label(scan, "a closing parenthesis is missing after",
				 scan->out->values[term->first]);
	skip_blanks(scan);
	if (*scan->at && *scan->at++ != ',')
		return bad_label(scan, "a comma is missing before", scan->at - 1);
	return 0;
}

/* What follows "key " when it is no symbol: in (..), notin (..). `ended` began the word. */
static int set_term(struct pic_selector_scan *scan, struct pic_selector_term *term)
{
	char ended;
	char *name = word(scan, &ended);

	if (strcmp(name, "in") == 0)
		term->operator= PIC_SELECTOR_IN;
	else if (strcmp(name, "notin") == 0)
		term->operator= PIC_SELECTOR_NOT_IN;
	else
		return bad_label(scan, "there is no operator", name);
	if (ended != '(')
		return bad_label(scan, "a set in parentheses must follow", name);
	return value_set(scan, term);
}

static int equal_term(struct pic_selector_scan *scan, struct pic_selector_term *term)
{
	char ended;

	skip_blanks(scan);
	char *value = word(scan, &ended);
	if (!pic_label_value_is_valid(value))
		return bad_label(scan, "this is no label value:", value);
	if (ended && ended != ',')
		return bad_label(scan, "unexpected text after", value);
	return pic_selector_new_value(scan, term, value);
}

/* The operator is looked at before the key in front of it is cut off. */
static int label_term(struct pic_selector_scan *scan)
{
	struct pic_selector_term *term = pic_selector_new_term(scan);
	bool absent = *scan->at == '!';

	if (!term)
		return -EINVAL;
	scan->at += absent;
	skip_blanks(scan);
	char *key = scan->at;
	while (pic_selector_is_word(*scan->at) || *scan->at == '/')
		scan->at++;
	char *end = scan->at;
	skip_blanks(scan);
	char next = *scan->at;
	bool double_equal = next == '=' && scan->at[1] == '=';
	bool unequal = next == '!' && scan->at[1] == '=';
	bool set = end != scan->at && pic_selector_is_word(next);
	if (next && !set)
		scan->at += double_equal || unequal ? 2 : 1;
	*end = '\0';
	term->key = key;
	if (!pic_label_key_is_valid(key))
		return bad_label(scan, "this is no label key:", key);
	if (!next || next == ',') {
		term->operator= absent ? PIC_SELECTOR_ABSENT : PIC_SELECTOR_EXISTS;
		return 0;
	}
	if (absent)
		return bad_label(scan, "nothing may follow !", key);
	if (set)
		return set_term(scan, term);
	if (next != '=' && !unequal)
		return bad_label(scan, "there is no operator after", key);
	term->operator= unequal ? PIC_SELECTOR_NOT_IN : PIC_SELECTOR_IN;
	return equal_term(scan, term);
}

int pic_selector_parse_labels(const char *text, struct pic_selector *out, struct pic_error *err)
{
	PIC_SELECTOR struct pic_selector made = { 0 };
	int r = pic_selector_begin(text, &made, err);
	struct pic_selector_scan scan = { .at = made.text, .out = &made, .err = err };

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
