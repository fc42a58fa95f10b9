#include "base/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void add_escaped(struct pic_buf *out, const char *text, bool quotes)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(out->maximum);

	pic_text_escape(text, strlen(text), true, &clean);
	if (clean.failed) {
		out->failed = true;
		return;
	}
	for (const char *c = pic_buf_text(&clean); *c != '\0'; c++) {
		if (*c == '\\' || (quotes && *c == '"'))
			pic_buf_char(out, '\\');
		if (*c == '\n')
			pic_buf_text_add(out, "\\n");
		else
			pic_buf_char(out, *c);
	}
}

void pic_metrics_family(struct pic_buf *out, const char *name, const char *type, const char *help)
{
	pic_buf_format(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	pic_buf_format(out, "\n# TYPE %s %s\n", name, type);
}

/* The shortest text that reads back as the same number. */
static void add_value(struct pic_buf *out, double value)
{
	char text[32];

	if (isnan(value)) {
		pic_buf_text_add(out, "NaN");
		return;
	}
	if (isinf(value)) {
		pic_buf_text_add(out, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	pic_buf_text_add(out, text);
}

void pic_metrics_sample(struct pic_buf *out, const char *name, const struct pic_label *labels,
			size_t label_count, double value)
{
	pic_buf_text_add(out, name);
	for (size_t i = 0; i < label_count; i++) {
		pic_buf_format(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		add_escaped(out, labels[i].value ? labels[i].value : "", true);
		pic_buf_char(out, '"');
	}
	if (label_count > 0)
		pic_buf_char(out, '}');
	pic_buf_char(out, ' ');
	add_value(out, value);
	pic_buf_char(out, '\n');
}
