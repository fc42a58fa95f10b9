/* What every unit test includes: cmocka with the headers that it wants first. */
#ifndef PIC_TEST_CHECK_H
#define PIC_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* The same random numbers in every run. */
static inline uint32_t check_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

#define assert_contains(text, part) \
	do { \
		if (!strstr((text), (part))) \
			fail_msg("\"%s\" is not in \"%s\"", (part), (text)); \
	} while (0)

#endif
