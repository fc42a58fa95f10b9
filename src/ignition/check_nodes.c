/* Files, directories and links: paths, owners, modes, what a link really does. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ignition/check.h"

#define MODE_MAX 07777

/* Absolute, and simplified as far as it goes: no "//", ".", ".." and no slash at the end. */
bool pic_ignition_check_path(struct pic_ignition_check *check, const struct pic_json *object,
			     const struct pic_ignition_place *place, const char *key)
{
	const char *path = pic_ignition_text(object, key);
	const struct pic_ignition_place at = pic_ignition_at(place, key);
	const size_t size = strlen(path);

	if (size == 0)
		return false; /* told already, or not required */
	if (path[0] != '/') {
		pic_ignition_error(check, &at, "'%.100s' does not begin with /", path);
		return false;
	}
	if (strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../") ||
	    pic_text_ends(path, "/.") || pic_text_ends(path, "/..") ||
	    (size > 1 && path[size - 1] == '/')) {
		pic_ignition_error(check, &at,
				   "'%.100s' is not simplified: no //, no . or .., no / at its end",
				   path);
		return false;
	}
	if (pic_text_starts(path, "/user/lib"))
		pic_ignition_warning(check, &at, "there is no /user: /usr is meant");
	return true;
}

/* Modes. */

static const unsigned usual_modes[] = {
	0400, 0440, 0444, 0500, 0550, 0555, 0600, 0640, 0644, 0660,
	0664, 0666, 0700, 0710, 0711, 0750, 0755, 0770, 0775, 0777
};

static bool is_usual(long long mode)
{
	for (size_t i = 0; i < PIC_COUNT(usual_modes); i++)
		if ((long long)usual_modes[i] == mode)
			return true;
	return false;
}

/* `digits` is read by people who think in octal: the mode they mean, or -1. */
static long long read_as_octal(long long digits)
{
	char text[16], *end;

	snprintf(text, sizeof(text), "%lld", digits);
	long long mode = strtoll(text, &end, 8);

	return *end ? -1 : mode;
}

static long long write_as_octal(long long mode)
{
	char text[24];

	snprintf(text, sizeof(text), "%llo", mode);
	return strtoll(text, NULL, 10);
}

static void check_mode(struct pic_ignition_check *check, const struct pic_json *node,
		       const struct pic_ignition_place *place)
{
	const struct pic_ignition_place at = pic_ignition_at(place, "mode");
	long long mode, meant;

	if (!pic_json_integer(pic_json_get(node, "mode"), &mode))
		return;
	if (mode < 0 || mode > MODE_MAX) {
		pic_ignition_error(check, &at, "%lld is no mode: it is a decimal number up to %d",
				   mode, MODE_MAX);
		return;
	}
	meant = read_as_octal(mode);
	if (!is_usual(mode) && meant >= 0 && is_usual(meant & 0777) && meant <= MODE_MAX) {
		pic_ignition_warning(
			check, &at,
			"JSON has decimal numbers only, so %lld is mode %04llo; for %04llo "
			"write %lld",
			mode, mode, meant, meant);
		return;
	}
	meant = write_as_octal(mode);
	if (!is_usual(mode) && is_usual(meant)) {
		pic_ignition_warning(
			check, &at,
			"%lld is mode %04llo: %lld, which is %04llo in decimal, was taken "
			"for octal once more; write %lld",
			mode, mode, meant, meant, meant);
		return;
	}
	if ((mode & ~0777LL) && check->minor < 6)
		pic_ignition_warning(check, &at,
				     "set-id and sticky bits are ignored before spec 3.6.0");
}

static void check_owner(struct pic_ignition_check *check, const struct pic_json *node,
			const struct pic_ignition_place *place, const char *key)
{
	const struct pic_json *owner = pic_json_get(node, key);
	const struct pic_ignition_place at = pic_ignition_at(place, key);
	long long id;

	if (!pic_json_integer(pic_json_get(owner, "id"), &id))
		return;
	if (*pic_ignition_text(owner, "name"))
		pic_ignition_error(check, &at, "give its id or its name, not both");
	if (id < 0 || id > 4294967294LL)
		pic_ignition_error(check, &at, "%lld is no id", id);
}

static void check_node(struct pic_ignition_check *check, const struct pic_json *node,
		       const struct pic_ignition_place *place)
{
	pic_ignition_check_path(check, node, place, "path");
	check_owner(check, node, place, "user");
	check_owner(check, node, place, "group");
	check_mode(check, node, place);
}

/* Nothing can be put below a link that the config makes. */
static void check_below_links(struct pic_ignition_check *check, const struct pic_json *node,
			      const struct pic_ignition_place *place)
{
	const char *path = pic_ignition_text(node, "path");
	const struct pic_ignition_place at = pic_ignition_at(place, "path");

	/* no kernel takes a longer path */
	for (size_t i = 1; path[0] && path[i] && i < PATH_MAX; i++) {
		const struct pic_ignition_entry *link =
			path[i] == '/' ? pic_ignition_index_find(&check->links, path, i) : NULL;

		if (link && i > 1)
			pic_ignition_error(check, &at, "lies below storage.links[%zu], %.100s",
					   link->index, link->text);
	}
}

/* A unit's own text and a file at the same place: which of the two wins is nobody's choice. */
static void check_against_units(struct pic_ignition_check *check, const struct pic_json *file,
				const struct pic_ignition_place *place)
{
	static const char folder[] = "/etc/systemd/system/";
	const char *path = pic_ignition_text(file, "path");
	const struct pic_ignition_entry *unit;

	if (!pic_text_starts(path, folder))
		return;
	path += strlen(folder);
	unit = pic_ignition_index_find(&check->units, path, strlen(path));
	if (unit)
		pic_ignition_warning(check, place, "systemd.units[%zu] writes the same file",
				     unit->index);
}

static void check_part(struct pic_ignition_check *check, const struct pic_json *part,
		       const struct pic_ignition_place *place)
{
	pic_ignition_check_source(check, part, place, PIC_IGNITION_SOURCE_FILE);
}

static void check_file(struct pic_ignition_check *check, const struct pic_json *file,
		       const struct pic_ignition_place *place)
{
	const struct pic_ignition_place contents = pic_ignition_at(place, "contents");
	const struct pic_ignition_place overwrite = pic_ignition_at(place, "overwrite");

	check_node(check, file, place);
	check_below_links(check, file, place);
	if (pic_json_true(pic_json_get(file, "overwrite")) &&
	    pic_json_type(pic_json_find(file, "contents", "source", NULL)) != PIC_JSON_TEXT)
		pic_ignition_error(
			check, &overwrite,
			"there are no contents to overwrite with; for an empty file write "
			"\"contents\": {\"source\": \"data:,\"}");
	pic_ignition_check_source(check, pic_json_get(file, "contents"), &contents,
				  PIC_IGNITION_SOURCE_FILE);
	pic_ignition_each(check, file, place, "append", check_part);
	check_against_units(check, file, place);
	pic_ignition_check_extension_file(check, file, place);
}

static void check_directory(struct pic_ignition_check *check, const struct pic_json *directory,
			    const struct pic_ignition_place *place)
{
	check_node(check, directory, place);
	check_below_links(check, directory, place);
}

/* Links. */

/* Where links are made, and where what they point to lies. */
static bool is_place_for_links(const char *path)
{
	return pic_text_starts(path, "/etc/systemd/system/") ||
	       pic_text_starts(path, "/etc/extensions/") ||
	       pic_text_starts(path, "/var/lib/extensions/") ||
	       pic_text_starts(path, "/run/extensions/");
}

static bool is_of_the_system(const char *path)
{
	return pic_text_starts(path, "/usr/") || pic_text_starts(path, "/user/") ||
	       pic_text_starts(path, "/opt/") || pic_text_starts(path, "/lib/");
}

static void check_direction(struct pic_ignition_check *check, const struct pic_json *link,
			    const struct pic_ignition_place *place)
{
	const char *path = pic_ignition_text(link, "path");
	const char *target = pic_ignition_text(link, "target");

	if (is_of_the_system(path) && is_place_for_links(target))
		pic_ignition_warning(
			check, place,
			"path and target are swapped: the link is made at path; write path "
			"%.100s and target %.100s",
			target, path);
	else if (pic_text_starts(path, "/usr/"))
		pic_ignition_warning(
			check, place,
			"the link would be made in /usr, which is read-only on many images");
	if (pic_text_starts(target, "/user/lib"))
		pic_ignition_warning(check, place, "there is no /user: /usr is meant in target");
}

static void check_link(struct pic_ignition_check *check, const struct pic_json *link,
		       const struct pic_ignition_place *place)
{
	const char *target = pic_ignition_text(link, "target");
	const struct pic_ignition_place at = pic_ignition_at(place, "target");

	check_node(check, link, place);
	check_below_links(check, link, place);
	if (!*target) {
		pic_ignition_error(check, &at, "is missing");
		return;
	}
	if (pic_json_true(pic_json_get(link, "hard")) &&
	    pic_ignition_index_find(&check->directories, target, strlen(target)))
		pic_ignition_error(check, &at, "a directory takes no hard link");
	check_direction(check, link, place);
	pic_ignition_check_extension_link(check, link, place);
}

void pic_ignition_check_nodes(struct pic_ignition_check *check, const struct pic_json *storage,
			      const struct pic_ignition_place *place)
{
	pic_ignition_each(check, storage, place, "files", check_file);
	pic_ignition_each(check, storage, place, "directories", check_directory);
	pic_ignition_each(check, storage, place, "links", check_link);
}
