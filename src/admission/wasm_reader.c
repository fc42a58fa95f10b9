#include "admission/wasm_reader.h"

#include "base/utf8.h"

void pic_wasm_reader_fail(struct pic_wasm_reader *reader, size_t at, const char *what)
{
	if (reader->failed)
		return;
	reader->failed = what;
	reader->failed_at = at;
	reader->at = reader->end;
}

uint8_t pic_wasm_reader_byte(struct pic_wasm_reader *reader)
{
	if (reader->at >= reader->end) {
		pic_wasm_reader_fail(reader, reader->end, "it ends too early");
		return 0;
	}
	return reader->bytes[reader->at++];
}

static uint64_t leb128(struct pic_wasm_reader *reader, unsigned bits)
{
	size_t start = reader->at;
	uint64_t value = 0;

	for (unsigned shift = 0; shift < bits; shift += 7) {
		uint8_t byte = pic_wasm_reader_byte(reader);
		unsigned left = bits - shift;

		if (left < 7 && (byte & 0x7f) >> left)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	pic_wasm_reader_fail(reader, start, "a number is too large");
	return 0;
}

uint32_t pic_wasm_reader_u32(struct pic_wasm_reader *reader)
{
	return (uint32_t)leb128(reader, 32);
}

uint64_t pic_wasm_reader_u64(struct pic_wasm_reader *reader)
{
	return leb128(reader, 64);
}

struct pic_view pic_wasm_reader_bytes(struct pic_wasm_reader *reader, size_t size)
{
	struct pic_view view = { (const char *)reader->bytes + reader->at, size };

	if (size > reader->end - reader->at) {
		pic_wasm_reader_fail(reader, reader->at, "a length goes past the end");
		return (struct pic_view){ "", 0 };
	}
	reader->at += size;
	return view;
}

struct pic_view pic_wasm_reader_name(struct pic_wasm_reader *reader)
{
	size_t start = reader->at;
	struct pic_view name = pic_wasm_reader_bytes(reader, pic_wasm_reader_u32(reader));

	for (size_t at = 0; at < name.size;) {
		uint32_t point;
		size_t step = pic_utf8_next(name.data + at, name.size - at, &point);

		if (step == 0) {
			pic_wasm_reader_fail(reader, start, "a name is not UTF-8");
			return (struct pic_view){ "", 0 };
		}
		at += step;
	}
	return name;
}

uint32_t pic_wasm_reader_count(struct pic_wasm_reader *reader, size_t smallest)
{
	size_t start = reader->at;
	uint32_t count = pic_wasm_reader_u32(reader);

	if (count > (reader->end - reader->at) / smallest) {
		pic_wasm_reader_fail(reader, start, "it announces more than it holds");
		return 0;
	}
	return count;
}

struct pic_wasm_reader pic_wasm_reader_part(struct pic_wasm_reader *reader, size_t size)
{
	struct pic_wasm_reader part = *reader;

	if (size > reader->end - reader->at) {
		pic_wasm_reader_fail(reader, reader->at, "a section goes past the end of the file");
		part = *reader;
		return part;
	}
	part.end = reader->at + size;
	reader->at += size;
	return part;
}
