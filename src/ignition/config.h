/*
 * Ignition configs: JSON that a machine's first boot applies. Judged here is any config, of whomever; pure.
 *
 * A finding is one sentence at one JSON path ("storage.files[2].path"). An error is what real Ignition refuses;
 * a warning is what it lets pass although it does something else than was meant, with the correction.
 */
#ifndef PIC_IGNITION_CONFIG_H
#define PIC_IGNITION_CONFIG_H

#include "base/json.h"

#define PIC_IGNITION_SIZE_MAX (4u * 1024 * 1024)
#define PIC_IGNITION_FINDINGS_MAX 1000

enum pic_ignition_severity {
	PIC_IGNITION_ERROR,
	PIC_IGNITION_WARNING,
};

struct pic_ignition_finding {
	enum pic_ignition_severity severity;
	char *path; /* "" for the whole text */
	char *text;
};

/* The structure's first, then the meaning's; at most PIC_IGNITION_FINDINGS_MAX are kept, all are counted. */
struct pic_ignition_findings {
	struct pic_ignition_finding *items;
	size_t count, room;
	size_t errors, warnings;
};
void pic_ignition_findings_free(struct pic_ignition_findings *findings);
#define PIC_IGNITION_FINDINGS PIC_CLEANUP(pic_ignition_findings_free)

/* 0: no error was found; -EINVAL: there are some. *out (may be NULL) gets the config when there is none. -ENOMEM. */
int pic_ignition_check(const char *text, size_t size, struct pic_ignition_findings *findings,
		       struct pic_json **out);
/* The same as one sentence: the first error with its path. */
int pic_ignition_parse(struct pic_json **out, const char *text, size_t size, const char *name,
		       struct pic_error *err);

/* `child` over `parent`, by Ignition's rules: members of the child win, entries of lists are matched by what names
 * them, files, directories and links by path across the three. The result has the newer of the two spec numbers.
 * Both are valid configs. config.merge of a child stays as it is, nothing is fetched; config.replace in a child
 * would drop what it is merged into and is refused: -EINVAL. */
int pic_ignition_merge(const struct pic_json *parent, const struct pic_json *child,
		       struct pic_json **out, struct pic_error *err);

#endif
