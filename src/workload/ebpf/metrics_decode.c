#include "workload/ebpf/metrics_decode.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* Bit fields count from the least bit on little-endian machines, from the greatest on the others. */
static uint64_t bits_of(const unsigned char *bytes, uint32_t offset, uint32_t count)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = offset + i;

		if (__BYTE_ORDER == __LITTLE_ENDIAN)
			value |= (uint64_t)(bytes[at / 8] >> (at % 8) & 1) << i;
		else
			value = value << 1 | (bytes[at / 8] >> (7 - at % 8) & 1);
	}
	return value;
}

uint64_t pic_metric_number(const unsigned char *bytes, const struct pic_ebpf_plan_field *field)
{
	const unsigned char *at = bytes + field->bit_offset / 8;
	uint64_t value;
	uint32_t word;

	if (field->bits == 64 && field->bit_offset % 8 == 0) {
		memcpy(&value, at, sizeof(value));
		return value;
	}
	if (field->bits == 32 && field->bit_offset % 8 == 0) {
		memcpy(&word, at, sizeof(word));
		value = word;
	} else {
		value = bits_of(bytes, field->bit_offset, field->bits);
	}
	if (field->is_signed && value >> (field->bits - 1) & 1)
		value |= ~0ull << (field->bits - 1);
	return value;
}

/* -- label values ------------------------------------------------------------------------------- */

#define VALUE_TEXT (4 * PIC_EBPF_LABEL_VALUE_MAX + 1)

static void plain_number(const unsigned char *key, const struct pic_ebpf_plan_field *field,
			 char out[VALUE_TEXT])
{
	uint64_t value = pic_metric_number(key, field);

	if (field->is_signed)
		snprintf(out, VALUE_TEXT, "%" PRId64, (int64_t)value);
	else
		snprintf(out, VALUE_TEXT, "%" PRIu64, value);
}

static void word_of(const struct pic_ebpf_plan *plan, const unsigned char *key,
		    const struct pic_ebpf_plan_field *field, char out[VALUE_TEXT])
{
	uint64_t value = pic_metric_number(key, field);

	for (uint32_t i = 0; i < field->words_count; i++) {
		const struct pic_ebpf_plan_word *word = &plan->words[field->words_first + i];

		if (word->value == value) {
			snprintf(out, VALUE_TEXT, "%.64s", plan->text + word->name);
			return;
		}
	}
	plain_number(key, field, out);
}

static void big_endian(const unsigned char *at, uint32_t size, char out[VALUE_TEXT])
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	snprintf(out, VALUE_TEXT, "%" PRIu64, value);
}

/* A number as 0x...; bytes in their own order, without it. */
static void hexadecimal(const unsigned char *key, const struct pic_ebpf_plan_field *field,
			char out[VALUE_TEXT])
{
	uint32_t size = field->bits / 8;

	if (field->bits <= 64) {
		struct pic_ebpf_plan_field plain = *field;

		plain.is_signed = 0;
		snprintf(out, VALUE_TEXT, "0x%" PRIx64, pic_metric_number(key, &plain));
		return;
	}
	if (size > PIC_EBPF_LABEL_VALUE_MAX / 2)
		size = PIC_EBPF_LABEL_VALUE_MAX / 2;
	pic_hex_encode(key + field->bit_offset / 8, size, out);
}

/* Up to the first NUL; what no terminal should see comes as \xNN. */
static void text_of(const unsigned char *at, uint32_t size, char out[VALUE_TEXT])
{
	PIC_BUF struct pic_buf escaped = PIC_BUF_INIT(VALUE_TEXT);
	size_t length = strnlen((const char *)at, size);

	if (length > PIC_EBPF_LABEL_VALUE_MAX)
		length = pic_utf8_cut((const char *)at, PIC_EBPF_LABEL_VALUE_MAX);
	pic_text_escape((const char *)at, length, false, &escaped);
	snprintf(out, VALUE_TEXT, "%s", pic_buf_text(&escaped));
}

static void value_of(const struct pic_ebpf_plan *plan, const struct pic_ebpf_plan_field *field,
		     const unsigned char *key, const struct pic_ebpf_metric_names *names,
		     char out[VALUE_TEXT])
{
	const unsigned char *at = key + field->bit_offset / 8;
	const char *interface = NULL;

	out[0] = '\0';
	switch ((enum pic_ebpf_decoder)field->decoder) {
	case PIC_EBPF_DECIMAL:
		return plain_number(key, field, out);
	case PIC_EBPF_HEX:
		return hexadecimal(key, field, out);
	case PIC_EBPF_TEXT:
		return text_of(at, field->bits / 8, out);
	case PIC_EBPF_IP:
		inet_ntop(field->bits == 32 ? AF_INET : AF_INET6, at, out, VALUE_TEXT);
		return;
	case PIC_EBPF_MAC:
		snprintf(out, VALUE_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", at[0], at[1], at[2],
			 at[3], at[4], at[5]);
		return;
	case PIC_EBPF_BIG_ENDIAN:
		return big_endian(at, field->bits / 8, out);
	case PIC_EBPF_INTERFACE:
		if (names && names->interface)
			interface = names->interface(names->data,
						     (uint32_t)pic_metric_number(key, field));
		if (!interface)
			return plain_number(key, field, out);
		snprintf(out, VALUE_TEXT, "%.64s", interface);
		return;
	case PIC_EBPF_BOOL:
		snprintf(out, VALUE_TEXT, "%s", pic_metric_number(key, field) ? "true" : "false");
		return;
	case PIC_EBPF_WORD:
		return word_of(plan, key, field, out);
	}
}

void pic_metric_label(const struct pic_ebpf_plan *plan, const struct pic_ebpf_plan_label *label,
		      const unsigned char *key, const struct pic_ebpf_metric_names *names,
		      struct pic_buf *out)
{
	char value[VALUE_TEXT];

	value_of(plan, &label->field, key, names, value);
	pic_buf_text_add(out, plan->text + label->name);
	pic_buf_text_add(out, "=\"");
	for (const char *at = value; *at; at++) {
		if (*at == '"' || *at == '\\')
			pic_buf_char(out, '\\');
		if (*at == '\n')
			pic_buf_text_add(out, "\\n");
		else
			pic_buf_char(out, *at);
	}
	pic_buf_char(out, '"');
}
