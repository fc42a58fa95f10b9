/* A configuration file: taken, or refused in one sentence that names the line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/option_state.h"

struct values {
	const char *text;
	bool flag;
	long long number;
	int64_t duration;
	unsigned long long size;
	struct pic_option_list list;
};

#define AT(field) offsetof(struct values, field)

static const struct pic_option rows[] = {
	{ "text", 0, PIC_OPTION_TEXT, "T", "initial", "Text", AT(text), 0, 0, 0 },
	{ "flag", 0, PIC_OPTION_FLAG, NULL, NULL, "Flag", AT(flag), 0, 0, 0 },
	{ "number", 0, PIC_OPTION_NUMBER, "N", NULL, "Number", AT(number), 0, -5, 5 },
	{ "duration", 0, PIC_OPTION_DURATION, "D", NULL, "Duration", AT(duration), 0, 0, 3600000 },
	{ "size", 0, PIC_OPTION_SIZE, "S", NULL, "Size", AT(size), 0, 0, 0 },
	{ "list", 0, PIC_OPTION_LIST, "L", NULL, "List", AT(list), 0, 0, 0 },
	{ "hidden", 0, PIC_OPTION_FLAG, NULL, NULL, "Only a flag", AT(flag), PIC_OPTION_FLAG_ONLY,
	  0, 0 },
	{ 0 },
};

static const struct pic_program program = {
	.name = "fuzz",
	.environment_prefix = "FUZZ_",
	.root = { .name = "fuzz", .options = rows },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pic_option_state state;
	struct values values = { 0 };
	struct pic_error err = PIC_ERROR_INIT;
	size_t bytes = 0;
	int r;

	if (pic_option_state_open(&state, &program, &values, &err) < 0)
		return 0;
	r = pic_option_file_text(&state, "file", (const char *)data, size, &err);
	if (r < 0 && strncmp(err.text, "file:", 5) != 0)
		abort();
	if (values.number < -5 || values.number > 5 || values.duration > 3600000)
		abort();
	for (size_t i = 0; i < values.list.count; i++)
		bytes += strlen(values.list.items[i]);
	if (bytes > size || (values.text && strlen(values.text) > size))
		abort();
	pic_option_state_close(&state);
	return 0;
}
