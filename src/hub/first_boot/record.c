#include "hub/first_boot/record.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"

#define MAC_TEXT 18

struct pic_json *pic_first_boot_edit(const struct pic_object *known, const char *name)
{
	struct pic_json *json = known ? pic_json_copy(known->json) : pic_json_new_object();

	pic_json_set_text(pic_json_ensure_object(json, "metadata"), "name", name);
	pic_json_ensure_object(pic_json_ensure_object(json, "spec"), "labels");
	pic_json_ensure_object(json, "status");
	return json;
}

static bool is_hex(char c)
{
	return c && strchr("0123456789abcdefABCDEF", c);
}

/* "AA-BB-CC-DD-EE-FF", "aa:bb:...", "aabbccddeeff": what machines and people write. */
static bool normal_mac(const char *text, char out[MAC_TEXT])
{
	size_t digits = 0, at = 0;

	for (; *text; text++) {
		if ((*text == ':' || *text == '-') && digits > 0 && digits % 2 == 0)
			continue;
		if (!is_hex(*text) || digits == 12)
			return false;
		if (digits > 0 && digits % 2 == 0)
			out[at++] = ':';
		out[at++] = (char)(*text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text);
		digits++;
	}
	out[at] = '\0';
	return digits == 12;
}

static bool is_printable(const char *value)
{
	const size_t size = strnlen(value, PIC_LABEL_TEXT_MAX + 1);

	if (size == 0 || size > PIC_LABEL_TEXT_MAX)
		return false;
	for (size_t i = 0; i < size; i++)
		if (value[i] < ' ' || value[i] > '~')
			return false;
	return true;
}

int pic_first_boot_label(struct pic_json *record, const char *key, const char *value,
			 struct pic_error *err)
{
	struct pic_json *labels = pic_json_find(record, "spec", "labels", NULL);
	char mac[MAC_TEXT];

	if (!pic_name_is_valid(key, PIC_NAME_MAX) || strcmp(key, "target") == 0)
		return pic_error_set(
			err, -EINVAL,
			"'%.80s' cannot be the name of a label: small letters, digits, dots "
			"and dashes",
			key);
	if (!value || !is_printable(value))
		return pic_error_set(err, -EINVAL,
				     "the label %.63s must be 1 to %d printable characters", key,
				     PIC_LABEL_TEXT_MAX);
	if (strcmp(key, "mac") == 0 && !normal_mac(value, mac))
		return pic_error_set(err, -EINVAL,
				     "'%.40s' is no hardware address like 52:54:00:12:34:56",
				     value);
	if (!pic_json_get(labels, key) && pic_json_count(labels) >= PIC_LABELS_MAX)
		return pic_error_set(err, -EINVAL, "a device has at most %d labels",
				     PIC_LABELS_MAX);
	return pic_json_set_text(labels, key, strcmp(key, "mac") == 0 ? mac : value) < 0
		       ? pic_error_set(err, -ENOMEM, "no memory for a label")
		       : 0;
}

bool pic_first_boot_is_open(const struct pic_object *record, int64_t now_ms)
{
	long long until = 0;

	pic_json_integer(pic_json_get(pic_object_spec(record), "openUntilMs"), &until);
	return now_ms < until;
}

static bool is_alike(const char *key, const char *label, const char *given)
{
	char mac[MAC_TEXT];

	if (strcmp(key, "mac") == 0)
		return normal_mac(given, mac) && strcmp(mac, label) == 0;
	return strcasecmp(label, given) == 0;
}

int pic_first_boot_fit(const struct pic_object *record, pic_query_fn *query, const void *data)
{
	const char *target = query(data, "target");
	int fit = target != NULL;

	if (target && strcmp(target, record->name) != 0)
		return -1;
	pic_json_each(pic_json_get(pic_object_spec(record), "labels"), i) {
		const char *given = query(data, pic_json_key(i));

		if (!given)
			continue;
		if (!is_alike(pic_json_key(i), pic_json_text_or(pic_json_value(i), ""), given))
			return -1;
		fit++;
	}
	return fit;
}
