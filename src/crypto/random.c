#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/text.h"
#include "crypto/digest.h"

void pic_random_bytes(void *out, size_t size)
{
	unsigned char *bytes = out;

	while (size > 0) {
		ssize_t got = getrandom(bytes, size, 0);

		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
		} else if (errno != EINTR) {
			abort(); /* a kernel without randomness: no key of ours would be worth anything */
		}
	}
}

void pic_random_text(size_t bytes, char *out)
{
	/* the digits are made from the back, so that the bytes can lie in the same memory */
	unsigned char *raw = (unsigned char *)out + bytes;
	char pair[3];

	pic_random_bytes(raw, bytes);
	for (size_t i = 0; i < bytes; i++) {
		pic_hex_encode(&raw[i], 1, pair);
		out[2 * i] = pair[0];
		out[2 * i + 1] = pair[1];
	}
	out[2 * bytes] = '\0';
}

unsigned long long pic_random_below(unsigned long long bound)
{
	unsigned long long value, unfair;

	if (bound < 2)
		return 0;
	/* the last, incomplete run of remainders would favour small ones */
	unfair = -bound % bound;
	do
		pic_random_bytes(&value, sizeof(value));
	while (value < unfair);
	return value % bound;
}
