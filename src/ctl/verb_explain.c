/* explain KIND[.FIELD...]: the fields of a kind, out of the same table that validates them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "ctl/ctl.h"

static const char *type_text(const struct pic_field *field)
{
	switch (field->type) {
	case PIC_FIELD_TEXT:
		return "text";
	case PIC_FIELD_INTEGER:
		return "integer";
	case PIC_FIELD_BOOL:
		return "true or false";
	case PIC_FIELD_OBJECT:
		return "object";
	case PIC_FIELD_LIST:
		return "list";
	case PIC_FIELD_TEXT_MAP:
		return "map of texts";
	case PIC_FIELD_MAP:
		return "map of objects";
	case PIC_FIELD_ANY:
	case PIC_FIELD_TEXT_OR_ANY:
		return "any";
	}
	return "?";
}

static const struct pic_field *field_named(const struct pic_field *fields, const char *name)
{
	for (; fields && fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

int pic_ctl_explain(void *program, int argc, char **argv)
{
	static const char *const titles[] = { "FIELD", "TYPE", "WHAT" };
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FREE char *words = strdup(argv[0]);
	char *rest = words, *word;
	struct pic_ctl_resource resource;
	const struct pic_field *fields;
	struct pic_table *table;

	(void)program;
	(void)argc;
	word = strsep(&rest, ".");
	if (!word || pic_ctl_resource(word, NULL, &resource, &err) < 0)
		return pic_ctl_fail(&err);
	printf("%s (%s/%s)\n  %s\n", resource.kind->name, resource.kind->group,
	       resource.kind->version, resource.kind->help ? resource.kind->help : "");
	fields = resource.kind->spec;
	while ((word = strsep(&rest, "."))) {
		const struct pic_field *field = strcmp(word, "spec") == 0 &&
								fields == resource.kind->spec
							? NULL
							: field_named(fields, word);

		if (strcmp(word, "spec") == 0 && !field)
			continue;
		if (!field) {
			pic_error_set(&err, -ENOENT, "%s has no field '%s'", resource.kind->name,
				      word);
			return pic_ctl_fail(&err);
		}
		printf("%s (%s%s)\n  %s\n", field->name, type_text(field),
		       field->required ? ", required" : "", field->help ? field->help : "");
		fields = field->fields;
	}
	table = fields && fields->name ? pic_table_new(3, titles) : NULL;
	for (; table && fields->name; fields++)
		pic_table_row(table, (const char *const[]){ fields->name, type_text(fields),
							    fields->help ? fields->help : "" });
	if (table)
		pic_table_print(table, stdout);
	pic_table_free(table);
	return PIC_EXIT_OK;
}
