#include "crypto/sha512.h"

#include <errno.h>
#include <mbedtls/sha512.h>
#include <unistd.h>

#include "base/text.h"

#define READ_STEP 16384
#define SHA512_SIZE 64

/* In memory the library's SHA-512 cannot fail. */

void pic_sha512_text_of(const void *data, size_t size, char out[PIC_SHA512_TEXT])
{
	unsigned char bytes[SHA512_SIZE];

	mbedtls_sha512(data, size, bytes, 0);
	pic_hex_encode(bytes, sizeof(bytes), out);
}

int pic_sha512_text_of_fd(int fd, char out[PIC_SHA512_TEXT], struct pic_error *err)
{
	unsigned char step[READ_STEP], bytes[SHA512_SIZE];
	mbedtls_sha512_context context;
	ssize_t got;
	int failure = 0;

	mbedtls_sha512_init(&context);
	mbedtls_sha512_starts(&context, 0);
	do {
		got = read(fd, step, sizeof(step));
		if (got > 0)
			mbedtls_sha512_update(&context, step, (size_t)got);
		else if (got < 0 && errno != EINTR)
			failure = errno;
	} while (got > 0 || (got < 0 && !failure));
	mbedtls_sha512_finish(&context, bytes);
	mbedtls_sha512_free(&context);
	if (failure)
		return pic_error_errno(err, failure, "cannot read what is to be hashed");
	pic_hex_encode(bytes, sizeof(bytes), out);
	return 0;
}
