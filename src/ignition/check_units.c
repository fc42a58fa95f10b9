/* systemd units and users. */
#include <string.h>

#include "base/text.h"
#include "ignition/check.h"

static bool is_unit_name(const char *name)
{
	static const char *const kinds[] = { ".service",   ".socket",	".device", ".mount",
					     ".automount", ".swap",	".target", ".path",
					     ".timer",	   ".snapshot", ".slice",  ".scope" };

	for (size_t i = 0; i < PIC_COUNT(kinds); i++)
		if (pic_text_ends(name, kinds[i]))
			return true;
	return false;
}

/* A line that is exactly this, blanks around it aside. */
static bool has_line(const char *text, const char *wanted)
{
	const size_t size = strlen(wanted);

	for (const char *at = strstr(text, wanted); at; at = strstr(at + 1, wanted)) {
		const char *before = at;

		while (before > text && (before[-1] == ' ' || before[-1] == '\t'))
			before--;
		if ((before == text || before[-1] == '\n') &&
		    strchr("\r\n \t", at[size]) /* also the end */)
			return true;
	}
	return false;
}

static bool has_section(const char *text)
{
	while (*text) {
		const char *start = text + strspn(text, " \t\r\n");

		if (*start == '[')
			return true;
		text = start + strcspn(start, "\n");
	}
	return false;
}

static void check_text(struct pic_ignition_check *check, const char *text,
		       const struct pic_ignition_place *place)
{
	const struct pic_ignition_place at = pic_ignition_at(place, "contents");

	if (*text && !has_section(text))
		pic_ignition_warning(check, &at,
				     "has no section: a unit begins with a line like [Service]");
}

static void check_dropin(struct pic_ignition_check *check, const struct pic_json *dropin,
			 const struct pic_ignition_place *place)
{
	const char *name = pic_ignition_text(dropin, "name");
	const struct pic_ignition_place at = pic_ignition_at(place, "name");

	if (*name && (!pic_text_ends(name, ".conf") || strchr(name, '/')))
		pic_ignition_error(check, &at, "'%.80s' does not end in .conf", name);
	check_text(check, pic_ignition_text(dropin, "contents"), place);
}

static void check_enabling(struct pic_ignition_check *check, const struct pic_json *unit,
			   const struct pic_ignition_place *place)
{
	const char *text = pic_ignition_text(unit, "contents");
	const struct pic_json *enabled = pic_json_get(unit, "enabled");
	const bool installs = has_line(text, "[Install]");
	struct pic_ignition_place at = pic_ignition_at(place, "enabled");

	if (pic_json_true(enabled) && pic_json_true(pic_json_get(unit, "mask")))
		pic_ignition_warning(check, &at, "a masked unit never starts: mask or enable it");
	else if (pic_json_true(enabled) && *text && !installs)
		pic_ignition_warning(
			check, &at,
			"does nothing: the unit's text has no [Install] section; add one "
			"with WantedBy=multi-user.target");
	else if (!enabled && installs && !pic_json_get(unit, "enable"))
		pic_ignition_warning(
			check, place,
			"has an [Install] section and is not enabled, so it never starts: "
			"add \"enabled\": true");
}

static void check_unit(struct pic_ignition_check *check, const struct pic_json *unit,
		       const struct pic_ignition_place *place)
{
	const char *name = pic_ignition_text(unit, "name");
	const struct pic_ignition_place at = pic_ignition_at(place, "name");

	if (*name && (!is_unit_name(name) || strchr(name, '/')))
		pic_ignition_error(
			check, &at,
			"'%.80s' is no unit's name: it ends in .service, .timer, .mount ...", name);
	check_text(check, pic_ignition_text(unit, "contents"), place);
	check_enabling(check, unit, place);
	pic_ignition_each(check, unit, place, "dropins", check_dropin);
	pic_ignition_check_extension_unit(check, unit, place);
}

void pic_ignition_check_units(struct pic_ignition_check *check, const struct pic_json *systemd,
			      const struct pic_ignition_place *place)
{
	pic_ignition_each(check, systemd, place, "units", check_unit);
}

/* Users. */

static bool is_ssh_key(const char *key)
{
	static const char *const kinds[] = { "ssh-", "ecdsa-", "sk-" };

	for (size_t i = 0; i < PIC_COUNT(kinds); i++)
		if (strstr(key, kinds[i]))
			return !strstr(key, "PRIVATE");
	return false;
}

static void check_user(struct pic_ignition_check *check, const struct pic_json *user,
		       const struct pic_ignition_place *place)
{
	const struct pic_json *keys = pic_json_get(user, "sshAuthorizedKeys");
	const struct pic_ignition_place list = pic_ignition_at(place, "sshAuthorizedKeys");
	const struct pic_ignition_place at = pic_ignition_at(place, "passwordHash");
	const char *hash = pic_ignition_text(user, "passwordHash");

	for (size_t i = 0; i < pic_json_count(keys); i++) {
		const struct pic_ignition_place entry = pic_ignition_at_index(&list, i);
		const char *key = pic_json_text(pic_json_at(keys, i));

		if (key && !is_ssh_key(key))
			pic_ignition_warning(check, &entry,
					     "is no public ssh key: those begin like ssh-ed25519");
	}
	if (*hash && !strchr("$*!", *hash))
		pic_ignition_warning(
			check, &at,
			"is not a hash, so nobody can sign in by it: mkpasswd -m sha-512 "
			"makes one");
}

void pic_ignition_check_people(struct pic_ignition_check *check, const struct pic_json *passwd,
			       const struct pic_ignition_place *place)
{
	pic_ignition_each(check, passwd, place, "users", check_user);
}
