/* Field selectors. */
#include <errno.h>
#include <string.h>

#include "hub/kube_api/selector_scan.h"

static bool field_is_known(const struct pic_kind_facts *facts, const char *field)
{
	static const char *const of_all[] = { "metadata.name", "metadata.namespace", NULL };
	static const char *const of_events[] = { "involvedObject.kind",
						 "involvedObject.name",
						 "involvedObject.namespace",
						 "involvedObject.uid",
						 "involvedObject.apiVersion",
						 "reason",
						 "type",
						 NULL };

	for (const char *const *known = of_all; *known; known++)
		if (strcmp(*known, field) == 0)
			return true;
	for (const char *const *known = of_events; facts->kind == PIC_KIND_EVENT && *known; known++)
		if (strcmp(*known, field) == 0)
			return true;
	return facts->kind == PIC_KIND_NAMESPACE && strcmp(field, "status.phase") == 0;
}

/* Cuts the value at an unescaped comma and undoes "\\", "\," and "\=" in place. */
static char *field_value(struct pic_selector_scan *scan)
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

static int field_term(struct pic_selector_scan *scan, const struct pic_kind_facts *facts)
{
	struct pic_selector_term *term = pic_selector_new_term(scan);
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
	term->operator= unequal ? PIC_SELECTOR_NOT_IN : PIC_SELECTOR_IN;
	return pic_selector_new_value(scan, term, field_value(scan));
}

int pic_selector_parse_fields(const char *text, const struct pic_kind_facts *facts,
			      struct pic_selector *out, struct pic_error *err)
{
	PIC_SELECTOR struct pic_selector made = { 0 };
	int r = pic_selector_begin(text, &made, err);
	struct pic_selector_scan scan = { .at = made.text, .out = &made, .err = err };

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
