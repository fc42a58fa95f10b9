#include "wamr_print.h"

#include <stdio.h>

__attribute__((weak)) int pic_wasm_engine_print(const char *format, va_list arguments)
{
	return vfprintf(stderr, format, arguments);
}
