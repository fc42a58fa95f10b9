/*
 * What tools/lint puts in front of every file for the static analyser, and only for it: that a function which stores
 * an error returns a negative number. It sees one file at a time and could not know, and would follow paths on which
 * a failure counts as success.
 */
#include "base/error.h"

static inline int pic_analysis_negative(int code)
{
	if (code >= 0)
		__builtin_unreachable();
	return code;
}

#define pic_error_set(err, code, ...) (pic_error_set(err, 0, __VA_ARGS__), pic_analysis_negative(code))
#define pic_error_wrap(err, code, ...) pic_analysis_negative(pic_error_wrap(err, code, __VA_ARGS__))
#define pic_error_errno(err, saved, ...) pic_analysis_negative(pic_error_errno(err, saved, __VA_ARGS__))
