/*
 * What the verbs that take a file say: `piccolo ebpf|wasm run|inspect FILE`. A file may be a stranger's, so
 * nothing of it, nor of its name, reaches a terminal raw.
 */
#ifndef PIC_DEVICE_REPORT_H
#define PIC_DEVICE_REPORT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

/* One line on standard error; PIC_EXIT_FAILED. `file` NULL: the sentence itself names it. */
int pic_device_complain_file(const char *file, const struct pic_error *err);

typedef void pic_report_text_fn(const struct pic_json *report, struct pic_buf *out);
/* The report on standard output, as JSON or in words. PIC_EXIT_OK; PIC_EXIT_FAILED when it is larger than
 * any report may be (said) or standard output does not take it. */
int pic_device_print_report(const char *file, const struct pic_json *report, bool as_json,
			    pic_report_text_fn *in_words);

#endif
