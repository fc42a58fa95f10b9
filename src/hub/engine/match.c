#include "hub/engine/match.h"

#include <stdio.h>
#include <string.h>

/* Remembers only the last star: linear in space, at worst quadratic in the length of short texts. */
bool pic_match_text(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == '%' || (*pattern && *pattern == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool matches_selector(const struct pic_json *selector, const struct pic_json *properties)
{
	if (pic_json_type(selector) != PIC_JSON_OBJECT || pic_json_count(selector) == 0)
		return false;
	pic_json_each(selector, i) {
		const char *pattern = pic_json_text(pic_json_value(i));
		const char *text = pic_json_get_text(properties, pic_json_key(i));

		if (!pattern || !text || !pic_match_text(pattern, text))
			return false;
	}
	return true;
}

/* "name:version" as an object name. */
static bool object_name(const char *reference, char out[PIC_OBJECT_NAME_MAX + 1])
{
	const char *colon = strchr(reference, ':');
	size_t head = colon ? (size_t)(colon - reference) : strlen(reference);
	int size = snprintf(out, PIC_OBJECT_NAME_MAX + 1, "%.*s%s%s", (int)head, reference,
			    colon ? "-v-" : "", colon ? colon + 1 : "");

	return size > 0 && size <= PIC_OBJECT_NAME_MAX;
}

bool pic_match_target(const struct pic_json *instance_spec, const struct pic_object *target)
{
	const struct pic_json *wanted = pic_json_get(instance_spec, "target");
	const char *reference = pic_json_get_text(wanted, "name");
	char name[PIC_OBJECT_NAME_MAX + 1];

	if (reference && *reference && object_name(reference, name) &&
	    strcmp(name, target->name) == 0)
		return true;
	return matches_selector(pic_json_get(wanted, "selector"),
				pic_json_get(pic_object_spec(target), "properties"));
}

bool pic_match_solution(const struct pic_json *instance_spec, char out[PIC_OBJECT_NAME_MAX + 1])
{
	const char *reference = pic_json_get_text(instance_spec, "solution");

	if (!reference || !*reference)
		reference = pic_json_get_text(instance_spec, "solutionversion");
	return reference && *reference && object_name(reference, out);
}

bool pic_match_inactive(const struct pic_json *instance_spec)
{
	return strcmp(pic_json_text_or(pic_json_get(instance_spec, "activeState"), ""),
		      "inactive") == 0;
}
