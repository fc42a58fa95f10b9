/* .BTF.ext: which line and which field each instruction means. Only its shape matters here. */
#include <errno.h>
#include <string.h>

#include "admission/btf.h"

#define MAGIC 0xeb9f
#define HEADER_LEAST 24 /* up to the line infos */
#define HEADER_CORE 32	/* with the CO-RE relocations */

static int bad(struct pic_error *err, const char *what)
{
	return pic_error_set(err, -EINVAL,
			     "the object's line information (.BTF.ext) is damaged: %s", what);
}

static uint32_t u32_at(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

struct part {
	const unsigned char *at;
	size_t size;
	uint32_t least; /* bytes of a record */
	bool core;	/* records name a type and a text */
};

static bool core_record_is_good(const struct pic_btf *btf, const unsigned char *record)
{
	return u32_at(record + 4) < btf->count && u32_at(record + 8) < btf->string_size;
}

/* Record size, then for each section: its name, a number of records, the records. */
static int check_part(const struct pic_btf *btf, struct part part, struct pic_error *err)
{
	uint32_t step;

	if (part.size == 0)
		return 0;
	if (part.size < 4)
		return bad(err, "a part is cut off");
	step = u32_at(part.at);
	if (step < part.least || step % 4 || step > 4096)
		return bad(err, "its records have a wrong size");
	part.at += 4;
	part.size -= 4;
	while (part.size > 0) {
		uint32_t count;

		if (part.size < 8 || u32_at(part.at) >= btf->string_size)
			return bad(err, "a section's name lies outside of it");
		count = u32_at(part.at + 4);
		part.at += 8;
		part.size -= 8;
		if (count == 0 || count > part.size / step)
			return bad(err, "it announces more than it holds");
		for (uint32_t i = 0; part.core && i < count; i++)
			if (!core_record_is_good(btf, part.at + (size_t)i * step))
				return bad(err, "a relocation names a type that is not there");
		part.at += (size_t)count * step;
		part.size -= (size_t)count * step;
	}
	return 0;
}

int pic_btf_ext_check(const struct pic_btf *btf, const unsigned char *bytes, size_t size,
		      bool *has_core, struct pic_error *err)
{
	static const uint32_t least[] = { 8, 16, 16 };
	uint32_t header, parts;
	uint16_t magic;
	int r = 0;

	if (size < HEADER_LEAST)
		return bad(err, "it is too short");
	memcpy(&magic, bytes, sizeof(magic));
	header = u32_at(bytes + 4);
	if (magic != MAGIC || bytes[2] != 1 || bytes[3] != 0 || header < HEADER_LEAST ||
	    header > size || header % 4)
		return bad(err, "its header is not one");
	parts = header >= HEADER_CORE ? 3 : 2;
	for (uint32_t i = 0; r == 0 && i < parts; i++) {
		uint32_t offset = u32_at(bytes + 8 + 8 * i), length = u32_at(bytes + 12 + 8 * i);

		if (offset % 4 || offset > size - header || length > size - header - offset)
			return bad(err, "a part lies outside of it");
		r = check_part(btf,
			       (struct part){ bytes + header + offset, length, least[i], i == 2 },
			       err);
	}
	if (r == 0)
		*has_core = parts == 3 && u32_at(bytes + 28) > 4;
	return r;
}
