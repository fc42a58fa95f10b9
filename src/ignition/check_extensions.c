/*
 * System extensions: what systemd-sysext takes, and what keeps them up to date. None of it is Ignition's own
 * business, so all are warnings; each stood in a config that validated and did not work.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ignition/check.h"

static bool is_extension_place(const char *path)
{
	return (pic_text_starts(path, "/etc/extensions/") ||
		pic_text_starts(path, "/var/lib/extensions/")) &&
	       pic_text_ends(path, ".raw");
}

/* "/etc/extensions/piccolo.raw" to "piccolo". */
static void stem_of(const char *path, char out[128])
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t size = strlen(name);

	if (pic_text_ends(name, ".raw"))
		size -= strlen(".raw");
	snprintf(out, 128, "%.*s", (int)(size < 127 ? size : 127), name);
}

/* "wasmtime-24.0.0-x86-64" has one, "tiny-app" has none. */
static bool has_version(const char *stem)
{
	for (const char *at = strpbrk(stem, "-_"); at; at = strpbrk(at + 1, "-_"))
		if (isdigit((unsigned char)at[1]) ||
		    (at[1] == 'v' && isdigit((unsigned char)at[2])))
			return true;
	return false;
}

static bool has(const struct pic_ignition_index *nodes, const char *path)
{
	return pic_ignition_index_find(nodes, path, strlen(path)) != NULL;
}

static void check_name(struct pic_ignition_check *check, const char *path,
		       const struct pic_ignition_place *place)
{
	const struct pic_ignition_place at = pic_ignition_at(place, "path");
	char stem[128];

	stem_of(path, stem);
	if (has_version(stem)) {
		char *end = strpbrk(stem, "-_");

		while (end && !isdigit((unsigned char)end[1]) &&
		       !(end[1] == 'v' && isdigit((unsigned char)end[2])))
			end = strpbrk(end + 1, "-_");
		pic_ignition_warning(
			check, &at,
			"the name in %.30s must be that of the extension-release file in "
			"the image, which has no version: write %.*s.raw",
			pic_text_starts(path, "/etc/") ? "/etc/extensions" : "/var/lib/extensions",
			(int)(end ? end - stem : 0), stem);
	}
	if (pic_text_starts(stem, "docker") && strcmp(stem, "docker-flatcar") != 0 &&
	    !has(&check->links, "/etc/extensions/docker-flatcar.raw"))
		pic_ignition_warning(
			check, &at,
			"Flatcar brings docker as an extension of its own, and the two "
			"collide: link /etc/extensions/docker-flatcar.raw to /dev/null");
}

void pic_ignition_check_extension_link(struct pic_ignition_check *check,
				       const struct pic_json *link,
				       const struct pic_ignition_place *place)
{
	const char *path = pic_ignition_text(link, "path");
	const char *target = pic_ignition_text(link, "target");
	const struct pic_ignition_place at = pic_ignition_at(place, "target");
	char stem[128], of_target[128];

	if (!is_extension_place(path) || strcmp(target, "/dev/null") == 0)
		return;
	check_name(check, path, place);
	stem_of(path, stem);
	stem_of(target, of_target);
	if (!has_version(stem) && strncmp(of_target, stem, strlen(stem)) != 0)
		pic_ignition_warning(
			check, &at,
			"the extension %.100s would be taken for %.100s, whose release file "
			"it has not: name both alike",
			of_target, stem);
	if (pic_text_starts(target, "/opt/") && !has(&check->files, target))
		pic_ignition_warning(check, &at, "no file of this config is %.100s", target);
}

/* What the files of sysupdate.d say. */
void pic_ignition_check_extension_file(struct pic_ignition_check *check,
				       const struct pic_json *file,
				       const struct pic_ignition_place *place)
{
	const char *path = pic_ignition_text(file, "path");
	const char *source = pic_ignition_text(pic_json_get(file, "contents"), "source");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024 * 1024);

	if (is_extension_place(path))
		check_name(check, path, place);
	if (!pic_text_starts(path, "/etc/sysupdate.") || pic_ignition_data_read(source, &text) < 0)
		return;
	if (strcasestr(pic_buf_text(&text), "Verify=false") ||
	    strcasestr(pic_buf_text(&text), "Verify=no"))
		pic_ignition_warning(
			check, place,
			"Verify=false takes whatever the server gives: sign SHA256SUMS and "
			"remove the line");
}

/* Units about extensions. */

static bool has_sysupdate_folder(const struct pic_ignition_check *check, const char *name,
				 size_t size)
{
	char folder[128];

	snprintf(folder, sizeof(folder), "/etc/sysupdate.%.*s.d/", (int)(size < 64 ? size : 64),
		 name);
	return pic_ignition_index_begins(&check->files, folder);
}

/* "ExecStartPre=/usr/lib/systemd/systemd-sysupdate -C NAME update" */
static void check_sysupdate(struct pic_ignition_check *check, const char *text,
			    const struct pic_ignition_place *place)
{
	for (const char *at = strstr(text, "systemd-sysupdate -C "); at;
	     at = strstr(at + 1, "systemd-sysupdate -C ")) {
		const char *name = at + strlen("systemd-sysupdate -C ");
		const size_t size = strcspn(name, " \t\r\n;");

		if (size > 0 && !has_sysupdate_folder(check, name, size))
			pic_ignition_warning(
				check, place,
				"systemd-sysupdate -C %.*s fails without a file in "
				"/etc/sysupdate.%.*s.d, which this config does not write",
				(int)(size < 64 ? size : 64), name, (int)(size < 64 ? size : 64),
				name);
	}
}

static void check_timer(struct pic_ignition_check *check, const char *text,
			const struct pic_ignition_place *place)
{
	static const char *const often[] = { "OnCalendar=minutely",  "OnCalendar=*:*",
					     "OnUnitActiveSec=1min", "OnUnitActiveSec=60",
					     "OnUnitActiveSec=1m\n", "OnCalendar=*:0/1\n" };

	for (size_t i = 0; i < PIC_COUNT(often); i++)
		if (strstr(text, often[i]))
			pic_ignition_warning(
				check, place,
				"asks the server every minute: a fleet does so at once; hourly "
				"or daily with RandomizedDelaySec= is enough");
}

static void check_path_unit(struct pic_ignition_check *check, const char *text,
			    const struct pic_ignition_place *place)
{
	static const char *const keys[] = { "PathChanged=", "PathModified=" };

	for (size_t i = 0; i < PIC_COUNT(keys); i++) {
		const char *at = strstr(text, keys[i]);

		if (at && strncmp(at + strlen(keys[i]), "/etc/extensions", 15) == 0)
			pic_ignition_warning(
				check, place,
				"every download into /etc/extensions sets this off, its own "
				"too, and all extensions are merged anew; name the one file");
	}
}

void pic_ignition_check_extension_unit(struct pic_ignition_check *check,
				       const struct pic_json *unit,
				       const struct pic_ignition_place *place)
{
	const char *name = pic_ignition_text(unit, "name");
	const char *text = pic_ignition_text(unit, "contents");

	check_sysupdate(check, text, place);
	if (pic_text_ends(name, ".timer"))
		check_timer(check, text, place);
	if (pic_text_ends(name, ".path"))
		check_path_unit(check, text, place);
}
