/* explain KIND[.FIELD...]: the fields of a kind, out of the same table that validates them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "symphony/component_types.h"

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
	case PIC_FIELD_PROPERTIES:
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

/* Where the words of the command line have led so far. */
struct place {
	const char *name, *type, *help; /* of the field; name NULL: the kind itself */
	bool required;
	const struct pic_field *fields; /* below it; NULL: there are none */
	bool properties;		/* below it are those of a component */
};

static const struct pic_component_property *property_named(const char *name)
{
	const struct pic_component_type *type = pic_component_type_of_property(name);

	for (const struct pic_component_property *known = type ? type->properties : NULL;
	     known && known->name; known++)
		if (strcmp(known->name, name) == 0)
			return known;
	return NULL;
}

static int no_such_field(const struct pic_ctl_resource *resource, const char *name,
			 struct pic_error *err)
{
	return pic_error_set(
		err, PIC_CTL_USAGE,
		"%s has no field '%s' there; `piccoloctl explain` without it lists those "
		"that are",
		resource->kind->name, name);
}

/* One step down; a property's name has dots itself, so it takes all that is left. */
static int step(const struct pic_ctl_resource *resource, struct place *place, char **rest,
		struct pic_error *err)
{
	const struct pic_field *field;
	const char *word = *rest;

	if (place->properties) {
		const struct pic_component_property *known = property_named(word);

		*rest = NULL;
		if (!known)
			return no_such_field(resource, word, err);
		*place = (struct place){ .name = known->name, .type = "text", .help = known->help };
		return 0;
	}
	word = strsep(rest, ".");
	field = field_named(place->fields, word);
	if (!field)
		return no_such_field(resource, word, err);
	*place = (struct place){ .name = field->name,
				 .type = type_text(field),
				 .help = field->help,
				 .required = field->required,
				 .fields = field->fields,
				 .properties = field->type == PIC_FIELD_PROPERTIES };
	return 0;
}

static void add_properties(struct pic_table *table)
{
	for (const struct pic_component_type *type = pic_component_types; type->name; type++)
		for (const struct pic_component_property *known = type->properties;
		     known && known->name; known++)
			pic_table_row(table,
				      (const char *const[]){ known->name, "text", known->help });
}

static void print_place(const struct place *place)
{
	static const char *const titles[] = { "FIELD", "TYPE", "WHAT" };
	struct pic_table *table;

	if (place->name)
		printf("%s (%s%s)\n  %s\n", place->name, place->type,
		       place->required ? ", required" : "", place->help ? place->help : "");
	if (!place->properties && (!place->fields || !place->fields->name))
		return;
	table = pic_table_new(PIC_COUNT(titles), titles);
	if (!table)
		return;
	if (place->properties)
		add_properties(table);
	for (const struct pic_field *field = place->fields; field && field->name; field++)
		pic_table_row(table, (const char *const[]){ field->name, type_text(field),
							    field->help ? field->help : "" });
	pic_table_print(table, stdout);
	pic_table_free(table);
}

int pic_ctl_explain(void *program, int argc, char **argv)
{
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FREE char *words = strdup(argv[0]);
	char *rest = words;
	struct pic_ctl_resource resource;
	struct place place = { .name = NULL };

	(void)program;
	(void)argc;
	if (!words || pic_ctl_resource(strsep(&rest, "."), NULL, &resource, &err) < 0)
		return pic_ctl_fail(&err);
	place.fields = resource.kind->spec;
	if (rest && (strcmp(rest, "spec") == 0 || pic_text_starts(rest, "spec.")))
		rest = rest[strlen("spec")] ? rest + strlen("spec.") : NULL;
	while (rest)
		if (step(&resource, &place, &rest, &err) < 0)
			return pic_ctl_fail(&err);
	printf("%s (%s%s%s)\n  %s\n", resource.kind->name, resource.kind->group,
	       *resource.kind->group ? "/" : "", resource.kind->version,
	       resource.kind->help ? resource.kind->help : "");
	print_place(&place);
	return PIC_EXIT_OK;
}
