/* Label and field selectors out of any text: accepted or refused with a sentence, and then matched. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/kube_api/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
		"{\"metadata\":{\"name\":\"n\",\"namespace\":\"d\",\"labels\":{\"a\":\"b\","
		"\"x.io/y\":\"\"}},\"involvedObject\":{\"kind\":\"Target\"}}";
	PIC_JSON struct pic_json *object = NULL;
	PIC_FREE char *selector = strndup((const char *)data, size);
	const struct pic_kind_facts *facts = pic_kind_facts(PIC_KIND_EVENT);
	struct pic_error err = PIC_ERROR_INIT;

	if (!selector || pic_json_parse(&object, text, strlen(text), NULL) < 0)
		return 0;
	PIC_SELECTOR struct pic_selector labels = { 0 };
	if (pic_selector_parse_labels(selector, &labels, &err) == 0)
		pic_selector_match_labels(&labels, object);
	else if (!err.text[0] || labels.text)
		abort();
	PIC_SELECTOR struct pic_selector fields = { 0 };
	err = (struct pic_error)PIC_ERROR_INIT;
	if (pic_selector_parse_fields(selector, facts, &fields, &err) == 0)
		pic_selector_match_fields(&fields, object);
	else if (!err.text[0] || fields.text)
		abort();
	return 0;
}
