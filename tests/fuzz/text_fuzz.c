/* Codes of text: decoding never passes its input, encoding comes back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void base64(const char *text, size_t size)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(1 << 20), again = PIC_BUF_INIT(1 << 20);

	if (pic_base64_decode(text, size, &bytes) == 0) {
		PIC_BUF struct pic_buf back = PIC_BUF_INIT(1 << 20);

		pic_base64url_encode(pic_buf_text(&bytes), bytes.size, &back);
		/* one text for one value: nothing but alphabet and padding may differ */
		MUST(back.size <= size && size <= back.size + 2);
	}
	pic_buf_clear(&bytes);
	pic_base64_encode(text, size, &bytes);
	MUST(pic_base64_decode(pic_buf_text(&bytes), bytes.size, &again) == 0);
	MUST(again.size == size && memcmp(pic_buf_text(&again), text, size) == 0);
}

static void percent(const char *text, size_t size)
{
	PIC_BUF struct pic_buf plain = PIC_BUF_INIT(1 << 20), coded = PIC_BUF_INIT(1 << 22);
	PIC_BUF struct pic_buf again = PIC_BUF_INIT(1 << 22);

	if (pic_percent_decode(text, size, &plain) < 0)
		return;
	MUST(strlen(pic_buf_text(&plain)) == plain.size);
	pic_percent_encode(pic_buf_text(&plain), &coded);
	MUST(pic_percent_decode(pic_buf_text(&coded), coded.size, &again) == 0);
	MUST(again.size == plain.size &&
	     memcmp(pic_buf_text(&again), pic_buf_text(&plain), again.size) == 0);
}

/* What was escaped is UTF-8 without a control character, and escaping it again changes nothing. */
static void escape(const char *text, size_t size)
{
	PIC_BUF struct pic_buf once = PIC_BUF_INIT(1 << 22), twice = PIC_BUF_INIT(1 << 22);
	uint32_t point;

	pic_text_escape(text, size, false, &once);
	for (size_t at = 0, length; at < once.size; at += length) {
		length = pic_utf8_next(once.data + at, once.size - at, &point);
		MUST(length > 0 && !pic_utf8_is_control(point));
	}
	pic_text_escape(pic_buf_text(&once), once.size, false, &twice);
	MUST(once.size == twice.size);
}

static void small_parsers(const char *text)
{
	unsigned long long size;
	long long number;
	int64_t ms, back;
	char time[PIC_TIME_TEXT];

	(void)pic_size_parse(text, &size);
	(void)pic_integer_parse(text, -1000, 1000, &number);
	if (pic_duration_parse(text, &ms) == 0)
		MUST(ms >= 0);
	if (pic_time_parse(text, &ms) == 0 && ms >= 0) {
		pic_time_format(ms, time);
		MUST(pic_time_parse(time, &back) == 0 &&
		     (back == ms - ms % 1000 || ms > 253402300799000));
	}
	(void)pic_name_is_valid(text, PIC_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text || size > 100000) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	base64(text, size);
	percent(text, size);
	escape(text, size);
	small_parsers(text);
	free(text);
	return 0;
}
