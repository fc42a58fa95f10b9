/*
 * JSONPath in the dialect of the Kubernetes client, as far as it selects: steps over a list of hits. A
 * filter compares one path with one literal.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "hub/expression/expression.h"
#include "hub/expression/value.h"

#define STEPS_MAX 64
#define HITS_MAX 4096
#define KEY_MAX 256

struct walk {
	const char *at;
	int depth; /* filters inside of filters */
	struct pic_error *err;
};

static int bad(const struct walk *walk)
{
	return pic_error_set(walk->err, -EINVAL, "a JSONPath cannot be read at \"%.40s\"",
			     walk->at);
}

static int hit(struct walk *walk, struct pic_json *hits, struct pic_json *value)
{
	if (!value)
		return 0;
	if (pic_json_count(hits) >= HITS_MAX)
		return pic_error_set(walk->err, -E2BIG, "a JSONPath finds more than %d values",
				     HITS_MAX);
	return pic_json_append(hits, pic_json_ref(value));
}

static int all_members(struct walk *walk, struct pic_json *value, struct pic_json *hits)
{
	int r = 0;

	if (pic_json_type(value) == PIC_JSON_ARRAY)
		for (size_t i = 0; r == 0 && i < pic_json_count(value); i++)
			r = hit(walk, hits, pic_json_at(value, i));
	else if (pic_json_type(value) == PIC_JSON_OBJECT)
		pic_json_each(value, i)
			if (r == 0)
				r = hit(walk, hits, pic_json_value(i));
	return r;
}

/* The value and everything below it. */
static int descend(struct walk *walk, struct pic_json *value, struct pic_json *hits)
{
	int r = hit(walk, hits, value);

	if (pic_json_type(value) == PIC_JSON_ARRAY)
		for (size_t i = 0; r == 0 && i < pic_json_count(value); i++)
			r = descend(walk, pic_json_at(value, i), hits);
	else if (pic_json_type(value) == PIC_JSON_OBJECT)
		pic_json_each(value, i)
			if (r == 0)
				r = descend(walk, pic_json_value(i), hits);
	return r;
}

/* What one step makes of one hit. */
enum step_kind { STEP_KEY, STEP_INDEX, STEP_ALL, STEP_DEEP, STEP_FILTER };
struct step {
	enum step_kind kind;
	char key[KEY_MAX];
	long long index;
	const char *filter; /* FILTER: behind "?(" */
};

static int read_key(struct walk *walk, struct step *step)
{
	size_t size = 0;

	while (walk->at[size] && !strchr(".[]()}= <>!", walk->at[size]))
		size++;
	if (size == 0 || size >= KEY_MAX)
		return bad(walk);
	memcpy(step->key, walk->at, size);
	step->key[size] = '\0';
	walk->at += size;
	step->kind = strcmp(step->key, "*") == 0 ? STEP_ALL : STEP_KEY;
	return 0;
}

static int read_quoted(struct walk *walk, char out[KEY_MAX])
{
	char quote = *walk->at;
	const char *end = strchr(walk->at + 1, quote);
	size_t size = end ? (size_t)(end - walk->at - 1) : KEY_MAX;

	if (size >= KEY_MAX)
		return bad(walk);
	memcpy(out, walk->at + 1, size);
	out[size] = '\0';
	walk->at = end + 1;
	return 0;
}

/* Over the filter to its closing parenthesis; it is read again for each hit. */
static int skip_filter(struct walk *walk)
{
	char quote = '\0';

	for (int open = 1; *walk->at; walk->at++) {
		if (quote)
			quote = *walk->at == quote ? '\0' : quote;
		else if (*walk->at == '"' || *walk->at == '\'')
			quote = *walk->at;
		else if (*walk->at == '(')
			open++;
		else if (*walk->at == ')' && --open == 0) {
			walk->at++;
			return 0;
		}
	}
	return bad(walk);
}

static int read_bracket(struct walk *walk, struct step *step)
{
	int r = 0;

	if (*walk->at == '*') {
		step->kind = STEP_ALL;
		walk->at++;
	} else if (*walk->at == '\'' || *walk->at == '"') {
		step->kind = STEP_KEY;
		r = read_quoted(walk, step->key);
	} else if (pic_text_starts(walk->at, "?(")) {
		step->kind = STEP_FILTER;
		walk->at += 2;
		step->filter = walk->at;
		r = skip_filter(walk);
	} else {
		char *end = NULL;
		step->kind = STEP_INDEX;
		step->index = strtoll(walk->at, &end, 10);
		if (end == walk->at)
			return bad(walk);
		walk->at = end;
	}
	if (r < 0)
		return r;
	return *walk->at++ == ']' ? 0 : (walk->at--, bad(walk));
}

static int read_step(struct walk *walk, struct step *step)
{
	if (*walk->at == '[') {
		walk->at++;
		return read_bracket(walk, step);
	}
	if (walk->at[0] == '.' && walk->at[1] == '.') {
		walk->at++; /* the other dot belongs to the key */
		if (walk->at[1] == '[')
			walk->at++;
		step->kind = STEP_DEEP;
		return 0;
	}
	if (*walk->at != '.')
		return bad(walk);
	walk->at++;
	if (*walk->at == '[') { /* ".[0]" */
		walk->at++;
		return read_bracket(walk, step);
	}
	return read_key(walk, step);
}

static int find(struct walk *walk, struct pic_json *from, struct pic_json **out);

static int read_operator(struct walk *walk, char out[3])
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };

	while (*walk->at == ' ')
		walk->at++;
	for (size_t i = 0; i < PIC_COUNT(operators); i++) {
		if (!pic_text_starts(walk->at, operators[i]))
			continue;
		strcpy(out, operators[i]);
		walk->at += strlen(out);
		while (*walk->at == ' ')
			walk->at++;
		return 0;
	}
	return bad(walk);
}

static int read_literal(struct walk *walk, struct pic_json **out)
{
	char text[KEY_MAX];
	int r;

	if (*walk->at == '"' || *walk->at == '\'') {
		r = read_quoted(walk, text);
		if (r == 0)
			*out = pic_json_new_text(text);
	} else {
		size_t size = strcspn(walk->at, " )");

		if (size == 0 || size >= sizeof(text))
			return bad(walk);
		r = pic_json_parse(out, walk->at, size, NULL);
		if (r < 0)
			return bad(walk);
		walk->at += size;
	}
	return r;
}

static bool compare(const struct pic_json *left, const char *operator,
		    const struct pic_json * right)
{
	double a, b;

	if (strcmp(operator, "==") == 0)
		return pic_value_equal(left, right);
	if (strcmp(operator, "!=") == 0)
		return !pic_value_equal(left, right);
	if (!pic_json_number(left, &a) || !pic_json_number(right, &b))
		return false;
	if (operator[0] == '<')
		return operator[1] ? a <= b : a<b;
	return operator[1] ? a >= b : a> b;
}

/* "@.foo.bar" alone asks whether it is there, "@.foo == 'bar'" compares. */
static int passes(const struct walk *outer, const char *filter, struct pic_json *value, bool *out)
{
	struct walk walk = { .at = filter, .depth = outer->depth + 1, .err = outer->err };
	PIC_JSON struct pic_json *hits = NULL, *literal = NULL;
	char operator[3];

	if (walk.depth > 4 || *walk.at != '@')
		return bad(&walk);
	walk.at++;
	int r = find(&walk, value, &hits);
	if (r < 0)
		return r;
	while (*walk.at == ' ')
		walk.at++;
	if (*walk.at == ')') {
		*out = pic_json_count(hits) > 0;
		return 0;
	}
	r = read_operator(&walk, operator);
	if (r == 0)
		r = read_literal(&walk, &literal);
	while (*walk.at == ' ')
		walk.at++;
	if (r == 0 && *walk.at != ')')
		r = bad(&walk);
	*out = r == 0 && pic_json_count(hits) > 0 &&
	       compare(pic_json_at(hits, 0), operator, literal);
	return r;
}

static int filter(struct walk *walk, const struct step *step, struct pic_json *value,
		  struct pic_json *hits)
{
	int r = 0;

	for (size_t i = 0;
	     pic_json_type(value) == PIC_JSON_ARRAY && r == 0 && i < pic_json_count(value); i++) {
		bool yes = false;

		r = passes(walk, step->filter, pic_json_at(value, i), &yes);
		if (r == 0 && yes)
			r = hit(walk, hits, pic_json_at(value, i));
	}
	return r;
}

static int take(struct walk *walk, const struct step *step, struct pic_json *value,
		struct pic_json *hits)
{
	switch (step->kind) {
	case STEP_KEY:
		return hit(walk, hits, pic_json_get(value, step->key));
	case STEP_INDEX: {
		long long index = step->index < 0 ? step->index + (long long)pic_json_count(value)
						  : step->index;
		return pic_json_type(value) == PIC_JSON_ARRAY && index >= 0
			       ? hit(walk, hits, pic_json_at(value, (size_t)index))
			       : 0;
	}
	case STEP_ALL:
		return all_members(walk, value, hits);
	case STEP_DEEP:
		return descend(walk, value, hits);
	case STEP_FILTER:
		return filter(walk, step, value, hits);
	}
	return 0;
}

/* Steps as long as there are some; *out is a list of hits. */
static int find(struct walk *walk, struct pic_json *from, struct pic_json **out)
{
	PIC_JSON struct pic_json *hits = pic_json_new_array();
	int r = hit(walk, hits, from);

	for (int steps = 0; r == 0 && (*walk->at == '.' || *walk->at == '['); steps++) {
		PIC_JSON struct pic_json *next = pic_json_new_array();
		struct step step = { .kind = STEP_KEY };

		r = steps < STEPS_MAX ? read_step(walk, &step) : bad(walk);
		for (size_t i = 0; r == 0 && i < pic_json_count(hits); i++)
			r = take(walk, &step, pic_json_at(hits, i), next);
		pic_json_unref(hits);
		hits = PIC_STEAL(next);
	}
	if (r == 0)
		*out = PIC_STEAL(hits);
	return r;
}

static int find_all(const struct pic_json *value, const char *path, struct pic_json **out,
		    struct pic_error *err)
{
	struct walk walk = { .at = path, .err = err };
	bool braces = *path == '{';

	walk.at += braces;
	walk.at += *walk.at == '$';
	int r = find(&walk, (struct pic_json *)value, out);
	if (r < 0)
		return r;
	if (strcmp(walk.at, braces ? "}" : "") != 0) {
		pic_json_unref(*out);
		*out = NULL;
		return bad(&walk);
	}
	return 0;
}

int pic_json_path(const struct pic_json *value, const char *path, struct pic_json **out,
		  struct pic_error *err)
{
	PIC_JSON struct pic_json *hits = NULL, *wrapped = NULL;
	int r = find_all(value, path, &hits, err);

	/* so that a filter at the root works on one object too */
	if (r == 0 && pic_json_count(hits) == 0 && pic_json_type(value) != PIC_JSON_ARRAY) {
		pic_json_unref(hits);
		hits = NULL;
		wrapped = pic_json_new_array();
		pic_json_append(wrapped, pic_json_ref((struct pic_json *)value));
		r = find_all(wrapped, path, &hits, err);
	}
	if (r < 0)
		return r;
	if (pic_json_count(hits) == 0)
		return pic_error_set(err, -ENOENT, "the JSONPath %.80s finds nothing", path);
	*out = pic_json_count(hits) == 1 ? pic_json_ref(pic_json_at(hits, 0)) : PIC_STEAL(hits);
	return 0;
}
