/* Disks, RAID, file systems, LUKS. */
#include <string.h>

#include "base/text.h"
#include "ignition/check.h"

static long long number_of(const struct pic_json *object, const char *key)
{
	long long number = 0;

	pic_json_integer(pic_json_get(object, key), &number);
	return number;
}

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

static bool has_entries(const struct pic_json *object, const char *key)
{
	return pic_json_count(pic_json_get(object, key)) > 0;
}

/* Partitions. */

static void check_guid(struct pic_ignition_check *check, const struct pic_json *partition,
		       const struct pic_ignition_place *place, const char *key)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *guid = pic_ignition_text(partition, key);
	const struct pic_ignition_place at = pic_ignition_at(place, key);
	bool good = strlen(guid) == sizeof(form) - 1;

	for (size_t i = 0; good && form[i]; i++)
		good = form[i] == '-' ? guid[i] == '-'
				      : strchr("0123456789abcdefABCDEF", guid[i]) != NULL;
	if (*guid && !good)
		pic_ignition_error(check, &at, "'%.50s' is no GUID: 8-4-4-4-12 hexadecimal digits",
				   guid);
}

static void check_partition(struct pic_ignition_check *check, const struct pic_json *partition,
			    const struct pic_ignition_place *place)
{
	const char *label = pic_ignition_text(partition, "label");
	const struct pic_json *exists = pic_json_get(partition, "shouldExist");
	const struct pic_ignition_place at = pic_ignition_at(place, "label");

	if (!*label && number_of(partition, "number") <= 0)
		pic_ignition_error(check, place, "needs a number from 1 or a label");
	if (strlen(label) > 36)
		pic_ignition_error(check, &at, "is longer than 36 characters");
	if (strchr(label, ':'))
		pic_ignition_warning(check, &at, "is cut at the colon");
	check_guid(check, partition, place, "typeGuid");
	check_guid(check, partition, place, "guid");
	if (pic_json_type(exists) == PIC_JSON_BOOL && !pic_json_true(exists) &&
	    (*label || *pic_ignition_text(partition, "guid") ||
	     *pic_ignition_text(partition, "typeGuid") || pic_json_get(partition, "sizeMiB") ||
	     pic_json_get(partition, "startMiB")))
		pic_ignition_error(
			check, place,
			"should not exist and is described nevertheless: keep the number only");
}

static bool overlap(const struct pic_json *a, const struct pic_json *b)
{
	const long long start = number_of(a, "startMiB"), other = number_of(b, "startMiB");
	const long long size = number_of(a, "sizeMiB"), its = number_of(b, "sizeMiB");

	return start > 0 && other > 0 && size > 0 && its > 0 && start < other + its &&
	       other < start + size;
}

#define PARTITIONS_MAX 128 /* compared by pairs; more a GPT has not */

static void check_pairs(struct pic_ignition_check *check, const struct pic_json *partitions,
			const struct pic_ignition_place *place)
{
	const size_t count = pic_json_count(partitions);

	for (size_t i = 1; i < count && i < PARTITIONS_MAX; i++) {
		const struct pic_json *one = pic_json_at(partitions, i);
		const struct pic_ignition_place at = pic_ignition_at_index(place, i);
		const char *label = pic_ignition_text(one, "label");

		for (size_t j = 0; j < i; j++) {
			const struct pic_json *other = pic_json_at(partitions, j);

			if (number_of(one, "number") > 0 &&
			    number_of(one, "number") == number_of(other, "number"))
				pic_ignition_error(check, &at, "has the number of %s[%zu]",
						   place->text, j);
			if (*label && strcmp(label, pic_ignition_text(other, "label")) == 0)
				pic_ignition_error(check, &at, "has the label of %s[%zu]",
						   place->text, j);
			if (overlap(one, other))
				pic_ignition_error(check, &at, "overlaps %s[%zu]", place->text, j);
		}
	}
}

static void check_disk(struct pic_ignition_check *check, const struct pic_json *disk,
		       const struct pic_ignition_place *place)
{
	const struct pic_ignition_place at = pic_ignition_at(place, "partitions");

	pic_ignition_check_path(check, disk, place, "device");
	pic_ignition_each(check, disk, place, "partitions", check_partition);
	check_pairs(check, pic_json_get(disk, "partitions"), &at);
}

/* RAID. */

static void check_raid(struct pic_ignition_check *check, const struct pic_json *raid,
		       const struct pic_ignition_place *place)
{
	static const char *const levels[] = { "linear", "raid0",  "0",	   "stripe", "raid1",
					      "1",	"mirror", "raid4", "4",	     "raid5",
					      "5",	"raid6",  "6",	   "raid10", "10" };
	const char *level = pic_ignition_text(raid, "level");
	struct pic_ignition_place at = pic_ignition_at(place, "level");

	if (!*level)
		pic_ignition_error(check, &at, "is missing");
	else if (!is_one_of(level, levels, PIC_COUNT(levels)))
		pic_ignition_error(check, &at, "'%.30s' is no level", level);
	else if (is_one_of(level, levels, 4) && number_of(raid, "spares") != 0)
		pic_ignition_error(check, &at, "%.30s takes no spares", level);
	at = pic_ignition_at(place, "devices");
	if (!has_entries(raid, "devices"))
		pic_ignition_error(check, &at, "is missing");
}

/* File systems. */

static const struct {
	const char *format;
	size_t label_max;
	int since;
} formats[] = {
	{ "ext4", 16, 0 }, { "btrfs", 256, 0 }, { "xfs", 12, 0 },
	{ "swap", 15, 0 }, { "vfat", 11, 0 },	{ "none", 256, 3 },
};

static void check_format(struct pic_ignition_check *check, const struct pic_json *filesystem,
			 const struct pic_ignition_place *place, const char *format)
{
	const struct pic_ignition_place at = pic_ignition_at(place, "format");
	const struct pic_ignition_place label = pic_ignition_at(place, "label");

	for (size_t i = 0; i < PIC_COUNT(formats); i++) {
		if (strcmp(formats[i].format, format) != 0 || formats[i].since > check->minor)
			continue;
		if (strlen(pic_ignition_text(filesystem, "label")) > formats[i].label_max)
			pic_ignition_error(check, &label, "%s has labels of up to %zu characters",
					   format, formats[i].label_max);
		return;
	}
	pic_ignition_error(check, &at, "'%.30s' is not known: ext4, btrfs, xfs, vfat, swap%s are",
			   format, check->minor >= 3 ? ", none" : "");
}

static void check_filesystem(struct pic_ignition_check *check, const struct pic_json *filesystem,
			     const struct pic_ignition_place *place)
{
	const char *format = pic_ignition_text(filesystem, "format");
	const struct pic_ignition_place at = pic_ignition_at(place, "format");

	pic_ignition_check_path(check, filesystem, place, "device");
	pic_ignition_check_path(check, filesystem, place, "path");
	if (*format)
		check_format(check, filesystem, place, format);
	else if (*pic_ignition_text(filesystem, "path") ||
		 *pic_ignition_text(filesystem, "label") ||
		 *pic_ignition_text(filesystem, "uuid") || has_entries(filesystem, "options") ||
		 has_entries(filesystem, "mountOptions") ||
		 pic_json_true(pic_json_get(filesystem, "wipeFilesystem")))
		pic_ignition_error(check, &at, "is missing");
}

/* LUKS. */

static void check_tang(struct pic_ignition_check *check, const struct pic_json *tang,
		       const struct pic_ignition_place *place)
{
	const char *url = pic_ignition_text(tang, "url");
	struct pic_ignition_place at = pic_ignition_at(place, "url");

	if (*url && !pic_text_starts(url, "http://") && !pic_text_starts(url, "https://"))
		pic_ignition_error(check, &at, "'%.80s' is not http:// or https://", url);
	at = pic_ignition_at(place, "thumbprint");
	if (!*pic_ignition_text(tang, "thumbprint"))
		pic_ignition_error(check, &at, "is missing");
}

static void check_clevis(struct pic_ignition_check *check, const struct pic_json *clevis,
			 const struct pic_ignition_place *place)
{
	static const char *const pins[] = { "tpm2", "tang", "sss" };
	const struct pic_json *custom = pic_json_get(clevis, "custom");
	const char *pin = pic_ignition_text(custom, "pin");
	const char *config = pic_ignition_text(custom, "config");
	const struct pic_ignition_place at = pic_ignition_at(place, "custom");

	pic_ignition_each(check, clevis, place, "tang", check_tang);
	if (!*pin && !*config)
		return;
	if (!is_one_of(pin, pins, PIC_COUNT(pins)))
		pic_ignition_error(check, &at, "its pin is one of tpm2, tang, sss");
	if (!*config)
		pic_ignition_error(check, &at, "its config is missing");
	if (has_entries(clevis, "tang") || pic_json_true(pic_json_get(clevis, "tpm2")) ||
	    number_of(clevis, "threshold") != 0)
		pic_ignition_error(check, &at, "stands alone, without tang, tpm2 and threshold");
}

static void check_luks(struct pic_ignition_check *check, const struct pic_json *luks,
		       const struct pic_ignition_place *place)
{
	const struct pic_json *key = pic_json_get(luks, "keyFile");
	struct pic_ignition_place at = pic_ignition_at(place, "name");

	if (strchr(pic_ignition_text(luks, "name"), '/'))
		pic_ignition_error(check, &at, "has no slash in it");
	at = pic_ignition_at(place, "device");
	if (!*pic_ignition_text(luks, "device"))
		pic_ignition_error(check, &at, "is missing");
	else
		pic_ignition_check_path(check, luks, place, "device");
	at = pic_ignition_at(place, "label");
	if (strlen(pic_ignition_text(luks, "label")) > 47)
		pic_ignition_error(check, &at, "is longer than 47 characters");
	at = pic_ignition_at(place, "keyFile");
	pic_ignition_check_source(check, key, &at, PIC_IGNITION_SOURCE_FILE);
	if (pic_json_true(pic_json_find(luks, "cex", "enabled", NULL)) &&
	    (*pic_ignition_text(key, "source") || has_entries(luks, "clevis")))
		pic_ignition_error(check, place, "cex stands alone, without clevis and key file");
	at = pic_ignition_at(place, "clevis");
	check_clevis(check, pic_json_get(luks, "clevis"), &at);
}

void pic_ignition_check_disks(struct pic_ignition_check *check, const struct pic_json *storage,
			      const struct pic_ignition_place *place)
{
	pic_ignition_each(check, storage, place, "disks", check_disk);
	pic_ignition_each(check, storage, place, "raid", check_raid);
	pic_ignition_each(check, storage, place, "filesystems", check_filesystem);
	pic_ignition_each(check, storage, place, "luks", check_luks);
}
