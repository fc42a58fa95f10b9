#include "device/report.h"

#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "base/text.h"

#define REPORT_MAX (4 * 1024 * 1024)

int pic_device_complain_file(const char *file, const struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(2048);

	if (file) {
		pic_text_escape(file, strlen(file), false, &text);
		pic_buf_text_add(&text, ": ");
	}
	pic_text_escape(err->text, strlen(err->text), false, &text);
	fprintf(stderr, "piccolo: %s\n", pic_buf_text(&text));
	return PIC_EXIT_FAILED;
}

int pic_device_print_report(const char *file, const struct pic_json *report, bool as_json,
			    pic_report_text_fn *in_words)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(REPORT_MAX);
	struct pic_error err = PIC_ERROR_INIT;

	if (as_json) {
		pic_json_write(report, PIC_JSON_INDENT, &text);
		pic_buf_char(&text, '\n');
	} else {
		in_words(report, &text);
	}
	if (pic_buf_check(&text, "the report", &err) < 0)
		return pic_device_complain_file(file, &err);
	fwrite(pic_buf_text(&text), 1, text.size, stdout);
	return fflush(stdout) == 0 ? PIC_EXIT_OK : PIC_EXIT_FAILED;
}
