#include "crypto/digest.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define READ_STEP 16384

struct pic_sha256_stream {
	mbedtls_sha256_context context;
};

/* In memory the library's SHA-256 cannot fail. */

struct pic_sha256_stream *pic_sha256_start(void)
{
	struct pic_sha256_stream *stream = malloc(sizeof(*stream));

	if (!stream)
		return NULL;
	mbedtls_sha256_init(&stream->context);
	mbedtls_sha256_starts(&stream->context, 0);
	return stream;
}

void pic_sha256_add(struct pic_sha256_stream *stream, const void *data, size_t size)
{
	mbedtls_sha256_update(&stream->context, data, size);
}

void pic_sha256_end(struct pic_sha256_stream *stream, struct pic_sha256 *out)
{
	unsigned char unwanted[PIC_SHA256_SIZE];

	if (!stream)
		return;
	mbedtls_sha256_finish(&stream->context, out ? out->bytes : unwanted);
	mbedtls_sha256_free(&stream->context);
	free(stream);
}

void pic_sha256_of(const void *data, size_t size, struct pic_sha256 *out)
{
	mbedtls_sha256(data, size, out->bytes, 0);
}

/* One step; 0 at the end of the file. */
static int add_step(mbedtls_sha256_context *context, int fd)
{
	unsigned char bytes[READ_STEP];
	ssize_t got;

	do
		got = read(fd, bytes, sizeof(bytes));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	mbedtls_sha256_update(context, bytes, (size_t)got);
	return got > 0;
}

int pic_sha256_of_fd(int fd, struct pic_sha256 *out, struct pic_error *err)
{
	mbedtls_sha256_context context;
	int r;

	mbedtls_sha256_init(&context);
	mbedtls_sha256_starts(&context, 0);
	do
		r = add_step(&context, fd);
	while (r > 0);
	if (r == 0)
		mbedtls_sha256_finish(&context, out->bytes);
	mbedtls_sha256_free(&context);
	return r < 0 ? pic_error_errno(err, r, "cannot read what is to be hashed") : 0;
}

void pic_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
		     struct pic_sha256 *out)
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);

	/* it allocates; a digest that was not computed must never look like one */
	if (mbedtls_md_hmac(sha256, key, key_size, data, size, out->bytes) != 0)
		abort();
}

void pic_sha256_text(const struct pic_sha256 *digest, char out[PIC_SHA256_TEXT])
{
	pic_hex_encode(digest->bytes, PIC_SHA256_SIZE, out);
}

int pic_sha256_parse(const char *text, struct pic_sha256 *out)
{
	if (pic_text_starts(text, "sha256:"))
		text += strlen("sha256:");
	return pic_hex_decode(text, out->bytes, PIC_SHA256_SIZE);
}

/* In constant time: digests are compared as secrets too. */
bool pic_sha256_equal(const struct pic_sha256 *a, const struct pic_sha256 *b)
{
	unsigned difference = 0;

	for (size_t i = 0; i < PIC_SHA256_SIZE; i++)
		difference |= (unsigned)(a->bytes[i] ^ b->bytes[i]);
	return difference == 0;
}

bool pic_sha256_is_zero(const struct pic_sha256 *digest)
{
	static const struct pic_sha256 zero;

	return pic_sha256_equal(digest, &zero);
}
