#include "hub/identity/token.h"

#include <stdio.h>
#include <string.h>

#define RANDOM_BYTES 32
#define NAME_TEXT 64

/* The first letters tell a person, and a scanner for leaked secrets, what it has found. */
static const char *const prefixes[] = {
	[PIC_TOKEN_ADMIN] = "pica_",
	[PIC_TOKEN_ENROLL] = "pice_",
	[PIC_TOKEN_SESSION] = "pics_",
	[PIC_TOKEN_BOOT] = "picb_",
};
static const char *const purposes[] = {
	[PIC_TOKEN_ADMIN] = "admin",
	[PIC_TOKEN_ENROLL] = "enroll",
	[PIC_TOKEN_SESSION] = "session",
	[PIC_TOKEN_BOOT] = "boot",
};

void pic_token_make(enum pic_token_purpose purpose, char token[PIC_TOKEN_TEXT],
		    struct pic_sha256 *digest)
{
	char random[2 * RANDOM_BYTES + 1];

	pic_random_text(RANDOM_BYTES, random);
	snprintf(token, PIC_TOKEN_TEXT, "%s%s", prefixes[purpose], random);
	pic_sha256_of(token, strlen(token), digest);
}

bool pic_token_digest(const char *token, struct pic_sha256 *digest)
{
	size_t size = token ? strnlen(token, PIC_TOKEN_TEXT) : 0;

	if (size < 2 * RANDOM_BYTES || size == PIC_TOKEN_TEXT)
		return false;
	pic_sha256_of(token, size, digest);
	return true;
}

static void name_of(enum pic_token_purpose purpose, const struct pic_sha256 *digest,
		    char out[NAME_TEXT])
{
	char hex[PIC_SHA256_TEXT];

	pic_sha256_text(digest, hex);
	snprintf(out, NAME_TEXT, "%s-%.32s", purposes[purpose], hex);
}

struct pic_object *pic_token_find(struct pic_store *store, enum pic_token_purpose purpose,
				  const struct pic_sha256 *digest)
{
	char name[NAME_TEXT], hex[PIC_SHA256_TEXT];

	name_of(purpose, digest, name);
	struct pic_object *object = pic_store_get(store, PIC_KIND_TOKEN, "", name);
	if (!object)
		return NULL;
	pic_sha256_text(digest, hex);
	const char *kept = pic_json_get_text(pic_object_spec(object), "sha256");
	return kept && pic_text_equal_secret(kept, hex) ? object : NULL;
}

struct pic_json *pic_token_object(enum pic_token_purpose purpose, const struct pic_sha256 *digest,
				  const char *target, int64_t expires_ms)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	char name[NAME_TEXT], hex[PIC_SHA256_TEXT];

	name_of(purpose, digest, name);
	pic_sha256_text(digest, hex);
	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(spec, "purpose", purposes[purpose]);
	pic_json_set_text(spec, "sha256", hex);
	if (target)
		pic_json_set_text(spec, "target", target);
	if (expires_ms)
		pic_json_set_integer(spec, "expires-ms", expires_ms);
	return json;
}

bool pic_token_is(const struct pic_object *object, enum pic_token_purpose purpose)
{
	const char *text = pic_json_get_text(pic_object_spec(object), "purpose");

	return text && strcmp(text, purposes[purpose]) == 0;
}
