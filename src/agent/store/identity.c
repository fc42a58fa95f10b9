#include "agent/store/identity.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "protocol/place.h"

#define FILE_NAME "identity.json"
#define FILE_MAX (64 * 1024)
#define PEM_MAX 16384

void pic_agent_identity_clear(struct pic_agent_identity *identity)
{
	free(identity->hub);
	if (identity->key)
		explicit_bzero(identity->key, strlen(identity->key));
	free(identity->key);
	free(identity->certificate);
	free(identity->authority);
	free(identity->tls_pin);
	memset(identity, 0, sizeof(*identity));
}

static int read_copy(const struct pic_place *place, const char *key, size_t maximum, char **out,
		     struct pic_error *err)
{
	const char *text = pic_json_get_text(place->object, key);

	if (!text || !text[0] || strlen(text) > maximum)
		return pic_place_error(place, key, err, "a text of 1 to %zu bytes is expected",
				       maximum);
	*out = strdup(text);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for the identity");
}

static int read_fields(const struct pic_place *place, struct pic_agent_identity *out,
		       struct pic_error *err)
{
	int r = read_copy(place, "hub", PIC_URL_MAX, &out->hub, err);

	if (r == 0)
		r = pic_place_name(place, "target", PIC_REQUIRED, out->target, err);
	if (r == 0)
		r = read_copy(place, "key", PEM_MAX, &out->key, err);
	if (r == 0)
		r = read_copy(place, "certificate", PEM_MAX, &out->certificate, err);
	if (r == 0)
		r = read_copy(place, "authority", PEM_MAX, &out->authority, err);
	if (r == 0 && pic_json_get(place->object, "tls-pin"))
		r = read_copy(place, "tls-pin", 128, &out->tls_pin, err);
	if (r == 0)
		r = pic_place_hex(place, "epoch", PIC_OPTIONAL, out->epoch,
				  (PIC_EPOCH_TEXT - 1) / 2, err);
	return r;
}

int pic_agent_identity_load(struct pic_agent_identity *out, const struct pic_agent_store *store,
			    struct pic_error *err)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(FILE_MAX);
	PIC_JSON struct pic_json *value = NULL;
	PIC_IDENTITY struct pic_agent_identity made = { .hub = NULL };
	struct pic_place place;
	int r = pic_file_read(store->folder, FILE_NAME, &bytes, err);

	if (r < 0)
		return r;
	r = pic_json_parse(&value, pic_buf_text(&bytes), bytes.size, err);
	if (r < 0)
		return pic_error_wrap(err, r, FILE_NAME);
	r = pic_place_root(&place, value, FILE_NAME, err);
	if (r == 0)
		r = read_fields(&place, &made, err);
	if (r < 0)
		return r;
	*out = made;
	memset(&made, 0, sizeof(made));
	return 0;
}

int pic_agent_identity_save(const struct pic_agent_identity *identity,
			    const struct pic_agent_store *store, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(FILE_MAX);
	PIC_JSON struct pic_json *value = pic_json_new_object();
	int r;

	pic_json_set_text(value, "hub", identity->hub);
	pic_json_set_text(value, "target", identity->target);
	pic_json_set_text(value, "key", identity->key);
	pic_json_set_text(value, "certificate", identity->certificate);
	pic_json_set_text(value, "authority", identity->authority);
	if (identity->tls_pin)
		pic_json_set_text(value, "tls-pin", identity->tls_pin);
	if (identity->epoch[0])
		pic_json_set_text(value, "epoch", identity->epoch);
	r = pic_json_write(value, PIC_JSON_INDENT, &text);
	if (r < 0)
		return pic_error_set(err, r, "no memory for the identity");
	return pic_file_write(store->folder, FILE_NAME, 0600, text.data, text.size,
			      PIC_FILE_DURABLE, err);
}
