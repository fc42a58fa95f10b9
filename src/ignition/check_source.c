/* Where bytes come from: URLs, their hashes and headers; and the head of a config, which is made of them. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ignition/check.h"

#define DATA_MAX (4u * 1024 * 1024)

static const struct {
	const char *scheme;
	int since;
	bool is_http, is_remote;
} schemes[] = {
	{ "http://", 0, true, true },  { "https://", 0, true, true }, { "data:", 0, false, false },
	{ "tftp://", 0, false, true }, { "s3://", 0, false, true },   { "gs://", 1, false, true },
	{ "arn:aws", 4, false, true },
};

static int scheme_of(const char *url)
{
	for (size_t i = 0; i < PIC_COUNT(schemes); i++)
		if (strncasecmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
			return (int)i;
	return -1;
}

int pic_ignition_data_read(const char *url, struct pic_buf *out)
{
	const char *comma = strchr(url, ',');
	static const char mark[] = ";base64";
	const size_t size = sizeof(mark) - 1;

	if (!pic_text_starts(url, "data:") || !comma)
		return -EINVAL;
	if ((size_t)(comma - url) < size || strncmp(comma - size, mark, size) != 0)
		return pic_percent_decode(comma + 1, strlen(comma + 1), out);

	PIC_BUF struct pic_buf plain = PIC_BUF_INIT(2 * DATA_MAX);
	int r = pic_percent_decode(comma + 1, strlen(comma + 1), &plain);

	return r < 0 ? r : pic_base64_decode(pic_buf_text(&plain), plain.size, out);
}

static void check_url(struct pic_ignition_check *check, const char *url, int scheme,
		      const struct pic_ignition_place *place)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(DATA_MAX);

	if (scheme < 0) {
		pic_ignition_error(
			check, place,
			"'%.100s' begins with none of http://, https://, data:, tftp://, "
			"s3://, gs://",
			url);
		return;
	}
	if (schemes[scheme].since > check->minor)
		pic_ignition_error(check, place, "%s comes with spec 3.%d.0",
				   schemes[scheme].scheme, schemes[scheme].since);
	else if (strcmp(schemes[scheme].scheme, "data:") == 0) {
		if (!strchr(url, ','))
			pic_ignition_error(check, place,
					   "a data: URL has a comma before its bytes: data:,text");
		else if (pic_ignition_data_read(url, &bytes) < 0)
			pic_ignition_error(check, place, "the bytes of the data: URL are damaged");
	} else if (strpbrk(url, " \t\r\n\"<>") || !url[strlen(schemes[scheme].scheme)] ||
		   url[strlen(schemes[scheme].scheme)] == '/') {
		pic_ignition_error(check, place, "'%.100s' is not a URL", url);
	}
}

static void check_hash(struct pic_ignition_check *check, const char *hash,
		       const struct pic_ignition_place *place)
{
	const char *dash = strchr(hash, '-');
	size_t size = dash ? (size_t)(dash - hash) : 0, digits = 0;

	if (size == 6 && strncmp(hash, "sha512", 6) == 0)
		digits = 128;
	else if (size == 6 && strncmp(hash, "sha256", 6) == 0)
		digits = 64;
	if (digits == 0) {
		pic_ignition_error(
			check, place,
			"a hash is written sha512- and 128 hexadecimal digits, or sha256- "
			"and 64");
		return;
	}
	if (strlen(dash + 1) != digits || strspn(dash + 1, "0123456789abcdefABCDEF") != digits)
		pic_ignition_error(check, place, "%.6s- is followed by %zu hexadecimal digits",
				   hash, digits);
}

static void check_headers(struct pic_ignition_check *check, const struct pic_json *source,
			  const struct pic_ignition_place *place, int scheme)
{
	const struct pic_json *headers = pic_json_get(source, "httpHeaders");
	const struct pic_ignition_place at = pic_ignition_at(place, "httpHeaders");

	if (pic_json_count(headers) == 0)
		return;
	if (scheme < 0 || !schemes[scheme].is_http) {
		pic_ignition_error(check, &at, "headers go with http:// and https:// only");
		return;
	}
	for (size_t i = 0; i < pic_json_count(headers); i++) {
		const char *name = pic_ignition_text(pic_json_at(headers, i), "name");
		const char *value = pic_ignition_text(pic_json_at(headers, i), "value");
		const struct pic_ignition_place entry = pic_ignition_at_index(&at, i);

		if (strpbrk(name, " \t\r\n:") || strpbrk(value, "\r\n"))
			pic_ignition_error(check, &entry, "this is no HTTP header");
		else if (strcasecmp(name, "Authorization") == 0 &&
			 pic_text_starts(schemes[scheme].scheme, "http://"))
			pic_ignition_warning(
				check, &entry,
				"a secret goes over http:// where all can read it: use "
				"https://");
	}
}

static void check_unverified(struct pic_ignition_check *check, int scheme,
			     const struct pic_ignition_place *place,
			     enum pic_ignition_source_use use)
{
	const struct pic_ignition_place at = pic_ignition_at(place, "verification");

	if (scheme < 0 || !schemes[scheme].is_remote)
		return;
	if (use == PIC_IGNITION_SOURCE_CONFIG &&
	    pic_text_starts(schemes[scheme].scheme, "https://"))
		return;
	pic_ignition_warning(
		check, &at,
		"is missing, so whatever comes is taken: add \"verification\": {\"hash\": "
		"\"sha512-...\"} (sha512sum prints it)");
}

void pic_ignition_check_source(struct pic_ignition_check *check, const struct pic_json *source,
			       const struct pic_ignition_place *place,
			       enum pic_ignition_source_use use)
{
	const char *url = pic_ignition_text(source, "source");
	const char *hash = pic_ignition_text(pic_json_get(source, "verification"), "hash");
	const char *compression = pic_ignition_text(source, "compression");
	const int scheme = scheme_of(url);
	struct pic_ignition_place at = pic_ignition_at(place, "source");

	if (pic_json_type(source) != PIC_JSON_OBJECT)
		return;
	if (*url)
		check_url(check, url, scheme, &at);
	at = pic_ignition_at(place, "compression");
	if (*compression && strcmp(compression, "gzip") != 0)
		pic_ignition_error(check, &at, "'%.40s' is not known: gzip is", compression);
	at = pic_ignition_at(place, "verification");
	at = pic_ignition_at(&at, "hash");
	if (*hash && pic_json_type(pic_json_get(source, "source")) != PIC_JSON_TEXT)
		pic_ignition_error(check, &at, "there is no source to be verified");
	if (*hash)
		check_hash(check, hash, &at);
	else if (*url)
		check_unverified(check, scheme, place, use);
	check_headers(check, source, place, scheme);
}

/* ignition.* */

static void check_reference(struct pic_ignition_check *check, const struct pic_json *entry,
			    const struct pic_ignition_place *place)
{
	pic_ignition_check_source(check, entry, place, PIC_IGNITION_SOURCE_CONFIG);
}

static void check_authority(struct pic_ignition_check *check, const struct pic_json *entry,
			    const struct pic_ignition_place *place)
{
	pic_ignition_check_source(check, entry, place, PIC_IGNITION_SOURCE_FILE);
}

static void check_proxy(struct pic_ignition_check *check, const struct pic_json *proxy,
			const struct pic_ignition_place *place)
{
	static const char *const keys[] = { "httpProxy", "httpsProxy" };

	for (size_t i = 0; i < PIC_COUNT(keys); i++) {
		const char *url = pic_ignition_text(proxy, keys[i]);
		const struct pic_ignition_place at = pic_ignition_at(place, keys[i]);

		if (*url && !pic_text_starts(url, "http://") && !pic_text_starts(url, "https://"))
			pic_ignition_error(check, &at, "a proxy is http:// or https://");
		else if (i == 1 && pic_text_starts(url, "http://"))
			pic_ignition_warning(check, &at,
					     "the proxy for https is itself reached over http://");
	}
}

void pic_ignition_check_head(struct pic_ignition_check *check, const struct pic_json *ignition,
			     const struct pic_ignition_place *place)
{
	const struct pic_json *config = pic_json_get(ignition, "config");
	const struct pic_json *replace = pic_json_get(config, "replace");
	struct pic_ignition_place at = pic_ignition_at(place, "config"), inner;

	pic_ignition_each(check, config, &at, "merge", check_reference);
	inner = pic_ignition_at(&at, "replace");
	check_reference(check, replace, &inner);
	if (*pic_ignition_text(replace, "source") &&
	    (pic_json_count(pic_json_get(config, "merge")) > 0 ||
	     pic_json_get(check->root, "storage") || pic_json_get(check->root, "systemd") ||
	     pic_json_get(check->root, "passwd")))
		pic_ignition_warning(
			check, &inner,
			"what is fetched replaces this whole config: merge, storage, systemd "
			"and passwd beside it do nothing; write \"merge\" to keep them");
	at = pic_ignition_at(place, "security");
	at = pic_ignition_at(&at, "tls");
	pic_ignition_each(check, pic_json_find(ignition, "security", "tls", NULL), &at,
			  "certificateAuthorities", check_authority);
	at = pic_ignition_at(place, "proxy");
	check_proxy(check, pic_json_get(ignition, "proxy"), &at);
}
