/* Any bytes as a report: what is accepted is written and read again. */
#include <stdlib.h>

#include "protocol/report.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 * PIC_REPORT_SIZE_MAX);
	struct pic_report *report = NULL, *again = NULL;

	if (pic_report_parse(&report, (const char *)data, size, NULL) < 0)
		return 0;
	if (pic_report_write(report, &text) < 0)
		abort();
	if (text.size <= PIC_REPORT_SIZE_MAX &&
	    pic_report_parse(&again, text.data, text.size, NULL) < 0)
		abort();
	pic_report_free(report);
	pic_report_free(again);
	return 0;
}
