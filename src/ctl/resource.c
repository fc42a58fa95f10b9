/* Names of kinds and objects as people type them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/ctl.h"

/* "instance", "instances", "Instance", each also with ".group". */
static const struct pic_kind_facts *find_kind(const char *word, size_t size)
{
	for (int k = 0; k < PIC_KIND_COUNT; k++) {
		const struct pic_kind_facts *facts = pic_kind_facts((enum pic_kind)k);
		const char *dot = memchr(word, '.', size);
		const size_t plain = dot ? (size_t)(dot - word) : size;

		if (!facts || !facts->group)
			continue;
		if (dot && (strlen(facts->group) != size - plain - 1 ||
			    strncmp(dot + 1, facts->group, size - plain - 1) != 0))
			continue;
		if ((strlen(facts->plural) == plain &&
		     strncasecmp(word, facts->plural, plain) == 0) ||
		    (strlen(facts->singular) == plain &&
		     strncasecmp(word, facts->singular, plain) == 0))
			return facts;
	}
	return NULL;
}

int pic_ctl_resource(const char *word, const char *name, struct pic_ctl_resource *out,
		     struct pic_error *err)
{
	const char *slash = strchr(word, '/');
	const size_t size = slash ? (size_t)(slash - word) : strlen(word);
	const struct pic_kind_facts *kind = find_kind(word, size);

	if (!kind)
		return pic_error_set(
			err, PIC_CTL_USAGE,
			"'%.*s' is no kind of object; `piccoloctl api-resources` lists them",
			(int)size, word);
	if (slash && name)
		return pic_error_set(err, PIC_CTL_USAGE,
				     "'%s' already names an object; '%s' is one too many", word,
				     name);
	if (slash)
		name = slash + 1;
	if (name && !pic_name_is_valid(name, PIC_OBJECT_NAME_MAX))
		return pic_error_set(
			err, PIC_CTL_USAGE,
			"'%s' is no name of an object: lower-case letters, digits, '-' and '.'",
			name);
	out->kind = kind;
	out->name = name;
	return 0;
}

int pic_ctl_object(int argc, char **argv, struct pic_ctl_resource *out, struct pic_error *err)
{
	int r = pic_ctl_resource(argv[0], argc > 1 ? argv[1] : NULL, out, err);

	if (r == 0 && !out->name)
		r = pic_error_set(err, PIC_CTL_USAGE, "name the object: KIND/NAME");
	return r;
}

int pic_ctl_path(const struct pic_kind_facts *kind, const char *space, const char *name,
		 struct pic_buf *out, struct pic_error *err)
{
	if (*kind->group)
		pic_buf_format(out, "/apis/%s/%s", kind->group, kind->version);
	else
		pic_buf_format(out, "/api/%s", kind->version);
	if (kind->namespaced && space) {
		pic_buf_text_add(out, "/namespaces/");
		pic_percent_encode(space, out);
	}
	pic_buf_format(out, "/%s", kind->plural);
	if (name) {
		pic_buf_char(out, '/');
		pic_percent_encode(name, out);
	}
	return pic_buf_check(out, "the address of the object", err);
}
