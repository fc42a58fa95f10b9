/* The literal heads of an object's format strings: what a line of its bpf_printk begins with. */
#include <elf.h>
#include <string.h>

#include "admission/ebpf.h"
#include "admission/elf.h"
#include "base/utf8.h"

#define FORMATS_MAX 64
#define HEAD_MAX 128

/* bpf_printk keeps each format in a constant array of this name ("main.____fmt.3"). */
static bool is_format(const struct pic_elf *elf, const struct pic_elf_symbol *symbol,
		      struct pic_elf_section *section)
{
	if (symbol->type != STT_OBJECT || !strstr(symbol->name, "____fmt") ||
	    symbol->section == SHN_UNDEF || symbol->section >= SHN_LORESERVE)
		return false;
	pic_elf_section_at(elf, symbol->section, section);
	return section->data && strncmp(section->name, ".rodata", 7) == 0 && symbol->size > 0;
}

/* Up to the first %, the end of the line or of the text; cut at what no line can hold. */
static size_t head_size(const char *text, size_t size)
{
	size_t at = 0;

	size = strnlen(text, size < HEAD_MAX ? size : HEAD_MAX);
	while (at < size && text[at] != '%' && text[at] != '\n') {
		uint32_t point;
		size_t step = pic_utf8_next(text + at, size - at, &point);

		if (step == 0 || (pic_utf8_is_control(point) && point != '\t'))
			break;
		at += step;
	}
	return at;
}

void pic_ebpf_formats(const unsigned char *bytes, size_t size, pic_ebpf_format_fn *fn, void *data)
{
	struct pic_elf elf;
	unsigned found = 0;

	if (pic_elf_open(bytes, size, &elf, NULL) < 0)
		return;
	for (uint32_t i = 0; i < elf.symbol_count && found < FORMATS_MAX; i++) {
		struct pic_elf_section section;
		struct pic_elf_symbol symbol;
		const char *text;
		size_t head;

		pic_elf_symbol_at(&elf, i, &symbol);
		if (!is_format(&elf, &symbol, &section))
			continue;
		text = (const char *)section.data + symbol.value;
		head = head_size(text, symbol.size);
		if (head == 0) /* would let everybody's lines through */
			continue;
		fn(data, text, head);
		found++;
	}
}
