#include "workload/wasm/module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/text.h"

int pic_wasm_module_map(struct pic_wasm_module *module, int fd, struct pic_error *err)
{
	struct stat st;
	void *bytes;

	if (fstat(fd, &st) < 0)
		return pic_error_errno(err, errno, "the module's file");
	if (!S_ISREG(st.st_mode))
		return pic_error_set(err, -EINVAL, "the module is not a regular file");
	if (st.st_size == 0)
		return pic_error_set(err, -EINVAL,
				     "it is no WebAssembly module: the file is empty");
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return pic_error_errno(err, errno, "the module's file cannot be mapped");
	module->bytes = bytes;
	module->size = (size_t)st.st_size;
	return 0;
}

void pic_wasm_module_unmap(struct pic_wasm_module *module)
{
	if (module->bytes)
		munmap(module->bytes, module->size);
	*module = (struct pic_wasm_module){ 0 };
}

static bool look_up(int fd, uint32_t index, char out[PIC_WASM_NAME_TEXT])
{
	struct pic_wasm_facts *PIC_WASM_FACTS facts = NULL;
	struct pic_wasm_module module = { 0 };
	struct pic_error err;
	bool found = false;

	if (pic_wasm_module_map(&module, fd, &err) < 0)
		return false;
	if (pic_wasm_read(&facts, module.bytes, module.size, &err) == 0)
		found = pic_wasm_function_name(facts->name_section, index, out);
	pic_wasm_module_unmap(&module);
	return found;
}

bool pic_wasm_module_function_name(int fd, const char *function, char out[PIC_WASM_NAME_TEXT])
{
	struct pic_buf PIC_BUF text = PIC_BUF_INIT(PIC_WASM_NAME_TEXT - 1);
	unsigned index;
	char rest;

	if (sscanf(function, "$f%u%c", &index, &rest) == 1)
		return look_up(fd, index, out);
	pic_text_escape(function, strlen(function), false, &text);
	snprintf(out, PIC_WASM_NAME_TEXT, "%s", pic_buf_text(&text));
	return out[0] != '\0';
}
