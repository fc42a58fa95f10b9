/* What the files about certificates share. Internal to crypto/. */
#ifndef PIC_CRYPTO_X509_H
#define PIC_CRYPTO_X509_H

#include <mbedtls/x509_crt.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* "CN=...,O=...": refuses what could be read as another part of the name. */
int pic_x509_name(const char *common_name, const char *organization, struct pic_buf *out,
		  struct pic_error *err);
/* The first value of an attribute ("CN"), cut to fit; -EINVAL when it is not plain text. */
int pic_x509_attribute(const mbedtls_x509_name *name, const char *attribute, char *out,
		       size_t size);
/* Certificates in PEM; all of the text must be good. `what` begins the sentence. */
int pic_x509_parse(mbedtls_x509_crt *out, const char *pem, const char *what, struct pic_error *err);
/* Why a chain was refused, out of the library's flags. */
const char *pic_x509_reason(uint32_t flags);

#endif
