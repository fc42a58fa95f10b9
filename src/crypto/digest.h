/*
 * SHA-256 (FIPS 180-4), HMAC-SHA-256 and randomness. Digests are values.
 */
#ifndef PIC_CRYPTO_DIGEST_H
#define PIC_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define PIC_SHA256_SIZE 32
#define PIC_SHA256_TEXT 65 /* 64 hexadecimal digits and NUL */

struct pic_sha256 {
	unsigned char bytes[PIC_SHA256_SIZE];
};

struct pic_sha256_stream; /* a running computation */

struct pic_sha256_stream *pic_sha256_start(void); /* NULL: no memory */
void pic_sha256_add(struct pic_sha256_stream *stream, const void *data, size_t size);
void pic_sha256_end(struct pic_sha256_stream *stream,
		    struct pic_sha256 *out); /* frees the stream */
void pic_sha256_of(const void *data, size_t size, struct pic_sha256 *out);
/* From the current offset to the end of file. */
int pic_sha256_of_fd(int fd, struct pic_sha256 *out, struct pic_error *err);
void pic_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
		     struct pic_sha256 *out);

void pic_sha256_text(const struct pic_sha256 *digest, char out[PIC_SHA256_TEXT]);
int pic_sha256_parse(const char *text, struct pic_sha256 *out); /* 64 digits, "sha256:" allowed */
bool pic_sha256_equal(const struct pic_sha256 *a, const struct pic_sha256 *b);
bool pic_sha256_is_zero(const struct pic_sha256 *digest);

/* From the kernel (getrandom); never fails after boot, waits before. */
void pic_random_bytes(void *out, size_t size);
/* `bytes` random bytes as hexadecimal; out holds 2*bytes+1. */
void pic_random_text(size_t bytes, char *out);
/* Uniform in [0, bound), for jitter. */
unsigned long long pic_random_below(unsigned long long bound);

#endif
