/*
 * The kinds of objects the hub keeps, as one table: names, groups, columns and schema of each. Public
 * kinds are Symphony's (November 2023, with the later era's fields beside them); internal ones never
 * leave the hub through kube or Symphony routes.
 */
#ifndef PIC_SYMPHONY_KIND_H
#define PIC_SYMPHONY_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum pic_kind {
	PIC_KIND_TARGET,
	PIC_KIND_SOLUTION,
	PIC_KIND_INSTANCE,
	PIC_KIND_CATALOG,
	PIC_KIND_CAMPAIGN,
	PIC_KIND_ACTIVATION,
	/* the middle era's folders of versions: kept as they come, nothing depends on them */
	PIC_KIND_SOLUTION_CONTAINER,
	PIC_KIND_CATALOG_CONTAINER,
	PIC_KIND_CAMPAIGN_CONTAINER,
	PIC_KIND_APPROVAL,  /* written by the hub's own doors only: hub/approval */
	PIC_KIND_APPROVER,  /* cluster scoped: a person who may decide */
	PIC_KIND_NAMESPACE, /* core/v1, cluster scoped */
	PIC_KIND_EVENT,	    /* core/v1 */
	PIC_KIND_DEVICE,    /* internal: identity, epoch, revision, last report of one device */
	PIC_KIND_TOKEN,	    /* internal: enrolment and access tokens, hashed */
	PIC_KIND_ARTIFACT,  /* internal: digest, size, name, origin */
	PIC_KIND_TOMBSTONE, /* internal: a catalog gone less than an hour ago: its DELETE still succeeds;
			     * same namespace and name as the catalog */
	PIC_KIND_WINDOW, /* internal: what the window of a patch has to take back, and when; by the
			  * activation's uid, in its namespace, so that it outlives the activation */
	PIC_KIND_FIRST_BOOT, /* internal: what a machine gets when it boots for the first time; by the
			      * device's name: hub/first_boot/record.h */
	PIC_KIND_COUNT,
};

struct pic_kind_column {
	const char *title;
	const char *path; /* dotted path into the object: "status.properties.status" */
	int priority;	  /* > 0: only with -o wide */
	const char *description;
};

enum pic_field_type {
	PIC_FIELD_TEXT,
	PIC_FIELD_INTEGER,
	PIC_FIELD_BOOL,
	PIC_FIELD_OBJECT,   /* fixed fields; any keys when it has no table */
	PIC_FIELD_LIST,	    /* of `item` */
	PIC_FIELD_TEXT_MAP, /* any keys, text values */
	PIC_FIELD_MAP,	    /* any keys, values are objects of `fields` */
	PIC_FIELD_ANY,	    /* anything below is known */
	PIC_FIELD_TEXT_OR_ANY,
	PIC_FIELD_PROPERTIES, /* of a component: what symphony/component_types.h describes, and any other key */
};

struct pic_field {
	const char *name; /* NULL ends a table */
	enum pic_field_type type;
	bool required;
	const struct pic_field *fields; /* OBJECT, MAP, and LIST whose items are objects */
	enum pic_field_type item;	/* LIST */
	const char *help;		/* one sentence for `kubectl explain` and docs */
};

struct pic_kind_facts {
	enum pic_kind kind;
	const char *group; /* "solution.symphony"; "" for core; NULL for internal kinds */
	const char *version;
	const char *name;     /* "Solution" */
	const char *plural;   /* "solutions" */
	const char *singular; /* "solution" */
	bool namespaced;
	bool has_status;
	const char *const *verbs; /* NULL-terminated kube verbs */
	bool own_status;	  /* nobody but the hub writes status */
	const char *closed;	  /* why such writes and other verbs are refused, or NULL */
	const struct pic_kind_column
		*columns; /* title NULL ends; Name and Age are added by the face */
	const struct pic_field *spec;
	const char *help;
};

const struct pic_kind_facts *pic_kind_facts(enum pic_kind kind);
/* By group and plural/kind; the later era's names (SolutionVersion, solutionversions) find the same
 * kinds. NULL when unknown or internal. */
const struct pic_kind_facts *pic_kind_by_plural(const char *group, const char *plural);
const struct pic_kind_facts *pic_kind_by_name(const char *group, const char *name);

#endif
