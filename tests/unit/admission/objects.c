#include "admission/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"

void object_read(const char *name, struct pic_buf *out)
{
	struct pic_error err = PIC_ERROR_INIT;
	char path[1024];

	snprintf(path, sizeof(path), "%s/samples/test-%s.bpf.o", PIC_TEST_BUILD_DIR, name);
	if (pic_file_read_path(path, out, &err) < 0)
		fail_msg("%s (build everything first)", err.text);
}

void object_facts(const char *name, struct pic_ebpf_facts *out)
{
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	struct pic_error err = PIC_ERROR_INIT;

	object_read(name, &object);
	if (pic_ebpf_facts_read((const unsigned char *)object.data, object.size, 2, out, &err) < 0)
		fail_msg("%s: %s", name, err.text);
}

struct pic_ebpf_terms object_terms(const char *key, ...)
{
	PIC_JSON struct pic_json *properties = pic_json_new_object();
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_terms terms;
	va_list list;

	va_start(list, key);
	for (; key; key = va_arg(list, const char *))
		pic_json_set_text(properties, key, va_arg(list, const char *));
	va_end(list);
	if (pic_ebpf_terms_parse(properties, &terms, &err) < 0)
		fail_msg("%s", err.text);
	return terms;
}
