#include "workload/ebpf/metrics_tag.h"

#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "pcl:"

static enum pic_tag_kind kind_of(const char *word, size_t size)
{
	static const struct {
		const char *word;
		enum pic_tag_kind kind;
	} kinds[] = {
		{ "counter", PIC_TAG_COUNTER },	    { "gauge", PIC_TAG_GAUGE },
		{ "histogram", PIC_TAG_HISTOGRAM }, { "label", PIC_TAG_LABEL },
		{ "ignore", PIC_TAG_IGNORE },
	};

	for (size_t i = 0; i < PIC_COUNT(kinds); i++)
		if (strlen(kinds[i].word) == size && memcmp(word, kinds[i].word, size) == 0)
			return kinds[i].kind;
	return PIC_TAG_OTHER;
}

static struct pic_tag read_tag(const char *text)
{
	size_t size = strcspn(text, " =");

	if (size == 0 || text[size] == '=')
		return (struct pic_tag){ PIC_TAG_PLAIN, text };
	return (struct pic_tag){ kind_of(text, size), text + size };
}

void pic_tags_read(const struct pic_btf *btf, struct pic_tags *out)
{
	out->btf = btf;
	out->count = 0;
	for (uint32_t id = 1; id < btf->count && out->count < PIC_TAGS_MAX; id++) {
		struct pic_btf_type tag;

		pic_btf_type_at(btf, id, &tag);
		if (tag.kind == BTF_KIND_DECL_TAG && strncmp(tag.name, PREFIX, strlen(PREFIX)) == 0)
			out->ids[out->count++] = id;
	}
}

struct pic_tag pic_tag_find(const struct pic_tags *tags, uint32_t type, int32_t component)
{
	for (uint32_t i = 0; i < tags->count; i++) {
		struct pic_btf_type tag;

		pic_btf_type_at(tags->btf, tags->ids[i], &tag);
		if (tag.type == type && pic_btf_tag_component(&tag) == component)
			return read_tag(tag.name + strlen(PREFIX));
	}
	return (struct pic_tag){ PIC_TAG_NONE, "" };
}

/* Copies a token, or what stands between quotes (\" and \\ are one sign); moves behind it. */
static const char *take_value(const char *at, char out[PIC_TAG_VALUE_MAX])
{
	bool quoted = *at == '"';
	size_t size = 0;

	if (quoted)
		at++;
	while (*at && (quoted ? *at != '"' : *at != ' ')) {
		if (quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		if (size + 1 < PIC_TAG_VALUE_MAX)
			out[size++] = *at;
		at++;
	}
	out[size] = '\0';
	return *at ? at + 1 : at;
}

bool pic_tag_get(const struct pic_tag *tag, const char *key, char out[PIC_TAG_VALUE_MAX])
{
	const char *at = tag->text;
	char value[PIC_TAG_VALUE_MAX];

	for (;;) {
		size_t size;
		bool found;

		at += strspn(at, " ");
		size = strcspn(at, " =");
		if (size == 0)
			return false;
		found = strlen(key) == size && memcmp(at, key, size) == 0;
		at += size;
		value[0] = '\0';
		if (*at == '=')
			at = take_value(at + 1, value);
		if (!found)
			continue;
		memcpy(out, value, sizeof(value));
		return true;
	}
}
