/*
 * Where WAMR's own words go (warnings, the call stack of a trap). Whoever embeds it may define this function; the one
 * in wamr_print.c, used otherwise, writes to standard error, so that a guest's standard output stays the guest's.
 */
#ifndef PICCOLO_WAMR_PRINT_H
#define PICCOLO_WAMR_PRINT_H

#include <stdarg.h>

int pic_wasm_engine_print(const char *format, va_list arguments);

#endif
