#include "protocol/ask.h"

#include <errno.h>
#include <string.h>

#include "protocol/place.h"

#define KIND_MAX 32
#define SECONDS_MAX 3600
#define LINES_MAX 100000

static enum pic_ask_kind kind_of(const char *text)
{
	for (enum pic_ask_kind kind = 0; kind < PIC_ASK_UNKNOWN; kind++)
		if (strcmp(text, pic_ask_kind_text(kind)) == 0)
			return kind;
	return PIC_ASK_UNKNOWN;
}

static int read_logs(const struct pic_place *place, struct pic_ask *out, struct pic_error *err)
{
	int r = pic_place_name(place, "instance", PIC_REQUIRED, out->name.instance, err);

	if (r < 0)
		return r;
	r = pic_place_name(place, "component", PIC_REQUIRED, out->name.component, err);
	if (r < 0)
		return r;
	r = pic_place_integer(place, "lines", PIC_OPTIONAL, 0, LINES_MAX, &out->lines, err);
	if (r < 0)
		return r;
	return pic_place_integer(place, "after", PIC_OPTIONAL, 0, INT64_MAX, &out->after, err);
}

int pic_ask_parse(struct pic_ask *out, const struct pic_json *value, struct pic_error *err)
{
	struct pic_ask ask = { .lines = 100 };
	char kind[KIND_MAX];
	struct pic_place place;
	int r = pic_place_root(&place, value, "ask", err);

	if (r < 0)
		return r;
	r = pic_place_hex(&place, "id", PIC_REQUIRED, ask.id, (PIC_ASK_ID_TEXT - 1) / 2, err);
	if (r < 0)
		return r;
	r = pic_place_text(&place, "kind", PIC_REQUIRED, kind, sizeof(kind), err);
	if (r < 0)
		return r;
	r = pic_place_integer(&place, "seconds", PIC_REQUIRED, 1, SECONDS_MAX, &ask.seconds, err);
	if (r < 0)
		return r;
	ask.kind = kind_of(kind);
	if (ask.kind == PIC_ASK_LOGS) {
		r = read_logs(&place, &ask, err);
		if (r < 0)
			return r;
	}
	*out = ask;
	return 0;
}

struct pic_json *pic_ask_write(const struct pic_ask *ask)
{
	struct pic_json *value = pic_json_new_object();

	pic_json_set_text(value, "id", ask->id);
	pic_json_set_text(value, "kind", pic_ask_kind_text(ask->kind));
	pic_json_set_integer(value, "seconds", ask->seconds);
	if (ask->kind == PIC_ASK_LOGS) {
		pic_json_set_text(value, "instance", ask->name.instance);
		pic_json_set_text(value, "component", ask->name.component);
		pic_json_set_integer(value, "lines", ask->lines);
		pic_json_set_integer(value, "after", ask->after);
	}
	return value;
}
