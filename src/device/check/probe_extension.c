/* A system extension with Piccolo in it: does it lie where systemd-sysext looks, and is it part of /usr? */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "device/check/check.h"

#define RELEASE "/usr/lib/extension-release.d/extension-release.piccolo"

static bool find_image(const char *folder, char *out, size_t size)
{
	DIR *names = opendir(folder);
	bool found = false;

	for (const struct dirent *name; !found && names && (name = readdir(names));) {
		found = strncmp(name->d_name, "piccolo", 7) == 0;
		if (found)
			snprintf(out, size, "%s/%.200s", folder, name->d_name);
	}
	if (names)
		closedir(names);
	return found;
}

/* The names of systemd.unit(5), ConditionArchitecture=. */
static const char *own_architecture(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "x86-64" },
		{ "aarch64", "arm64" },
		{ "armv7l", "arm" },
		{ "riscv64", "riscv64" },
	};
	struct utsname name;

	uname(&name);
	for (size_t i = 0; i < PIC_COUNT(names); i++)
		if (strcmp(name.machine, names[i][0]) == 0)
			return names[i][1];
	return "";
}

/* The value of `key` in an os-release file's text. */
static void value_of(const char *text, const char *key, char *out, size_t size)
{
	const char *at = strstr(text, key);

	if (!at || (at > text && at[-1] != '\n'))
		return;
	at += strlen(key);
	at += *at == '"';
	snprintf(out, size, "%.*s", (int)strcspn(at, "\"\n"), at);
}

/* An image is not opened: its name ends in the architecture as our builds call it, a folder has the file itself. */
static void find_architecture(struct pic_check_facts *facts)
{
	static const char *const known[] = { "x86-64", "arm64", "arm", "riscv64" };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
	char path[600], target[512];
	ssize_t size = readlink(facts->extension, target, sizeof(target) - 1);

	target[size < 0 ? 0 : size] = '\0';
	snprintf(path, sizeof(path), "%s" RELEASE, facts->extension);
	if (pic_file_read_path(facts->merged ? RELEASE : path, &text, NULL) == 0) {
		value_of(pic_buf_text(&text), "ARCHITECTURE=", facts->extension_architecture,
			 sizeof(facts->extension_architecture));
		return;
	}
	for (size_t i = 0; i < PIC_COUNT(known); i++) {
		char tail[32];

		snprintf(tail, sizeof(tail), "-%s.raw", known[i]);
		if (strstr(size > 0 ? target : facts->extension, tail))
			snprintf(facts->extension_architecture,
				 sizeof(facts->extension_architecture), "%s", known[i]);
	}
}

void pic_check_look_extension(struct pic_check_facts *facts)
{
	static const char *const folders[] = { "/etc/extensions", "/run/extensions",
					       "/var/lib/extensions" };

	for (size_t i = 0; i < PIC_COUNT(folders) && !facts->extension[0]; i++)
		find_image(folders[i], facts->extension, sizeof(facts->extension));
	if (!facts->extension[0])
		return;
	facts->merged = access(RELEASE, F_OK) == 0;
	snprintf(facts->extension_wanted, sizeof(facts->extension_wanted), "%s",
		 own_architecture());
	find_architecture(facts);
}
