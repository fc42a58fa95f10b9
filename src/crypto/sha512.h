/*
 * SHA-512 (FIPS 180-4): what Ignition and download pages verify by. Everything of ours is named by SHA-256.
 */
#ifndef PIC_CRYPTO_SHA512_H
#define PIC_CRYPTO_SHA512_H

#include <stddef.h>

#include "base/error.h"

#define PIC_SHA512_TEXT 129 /* 128 hexadecimal digits and NUL */

void pic_sha512_text_of(const void *data, size_t size, char out[PIC_SHA512_TEXT]);
/* From the current offset to the end of file. */
int pic_sha512_text_of_fd(int fd, char out[PIC_SHA512_TEXT], struct pic_error *err);

#endif
