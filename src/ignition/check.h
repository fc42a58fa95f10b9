/* What the files check*.c share: where in the config one is, and adding findings. Nobody else includes this. */
#ifndef PIC_IGNITION_CHECK_H
#define PIC_IGNITION_CHECK_H

#include "ignition/config.h"
#include "ignition/index.h"

#define PIC_IGNITION_PATH_MAX 256

struct pic_ignition_place {
	char text[PIC_IGNITION_PATH_MAX]; /* cut when it is too long */
};

struct pic_ignition_check {
	struct pic_ignition_findings *findings;
	const struct pic_json *root;
	int minor; /* of the spec */
	bool starved;
	/* paths of the three kinds of nodes; names of units that bring a text */
	struct pic_ignition_index files, directories, links, units;
};

struct pic_ignition_place pic_ignition_at(const struct pic_ignition_place *parent, const char *key);
struct pic_ignition_place pic_ignition_at_index(const struct pic_ignition_place *parent,
						size_t index);
void pic_ignition_error(struct pic_ignition_check *check, const struct pic_ignition_place *place,
			const char *format, ...) __attribute__((format(printf, 3, 4)));
void pic_ignition_warning(struct pic_ignition_check *check, const struct pic_ignition_place *place,
			  const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Each entry of a list that is an object: visit(check, entry, place). */
typedef void pic_ignition_visit(struct pic_ignition_check *check, const struct pic_json *entry,
				const struct pic_ignition_place *place);
void pic_ignition_each(struct pic_ignition_check *check, const struct pic_json *object,
		       const struct pic_ignition_place *place, const char *key,
		       pic_ignition_visit *visit);

/* "" when absent or of another type, so that the sentence about the type is the only one. */
const char *pic_ignition_text(const struct pic_json *object, const char *key);

/* check_source.c */
enum pic_ignition_source_use {
	PIC_IGNITION_SOURCE_FILE,   /* should have a hash */
	PIC_IGNITION_SOURCE_CONFIG, /* may change from fetch to fetch when TLS says whose it is */
};
void pic_ignition_check_source(struct pic_ignition_check *check, const struct pic_json *source,
			       const struct pic_ignition_place *place,
			       enum pic_ignition_source_use use);
/* The bytes of a data: URL. -EINVAL: it is none, or damaged. */
int pic_ignition_data_read(const char *url, struct pic_buf *out);
void pic_ignition_check_head(struct pic_ignition_check *check, const struct pic_json *ignition,
			     const struct pic_ignition_place *place);
/* check_nodes.c: files, directories, links */
void pic_ignition_check_nodes(struct pic_ignition_check *check, const struct pic_json *storage,
			      const struct pic_ignition_place *place);
bool pic_ignition_check_path(struct pic_ignition_check *check, const struct pic_json *object,
			     const struct pic_ignition_place *place, const char *key);
/* check_disks.c */
void pic_ignition_check_disks(struct pic_ignition_check *check, const struct pic_json *storage,
			      const struct pic_ignition_place *place);
/* check_units.c: units and users */
void pic_ignition_check_units(struct pic_ignition_check *check, const struct pic_json *systemd,
			      const struct pic_ignition_place *place);
void pic_ignition_check_people(struct pic_ignition_check *check, const struct pic_json *passwd,
			       const struct pic_ignition_place *place);
/* check_extensions.c: system extensions and their updates */
void pic_ignition_check_extension_link(struct pic_ignition_check *check,
				       const struct pic_json *link,
				       const struct pic_ignition_place *place);
void pic_ignition_check_extension_file(struct pic_ignition_check *check,
				       const struct pic_json *file,
				       const struct pic_ignition_place *place);
void pic_ignition_check_extension_unit(struct pic_ignition_check *check,
				       const struct pic_json *unit,
				       const struct pic_ignition_place *place);

#endif
