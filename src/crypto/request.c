#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/x509_csr.h>
#include <string.h>

#include "crypto/certificate.h"
#include "crypto/mbedtls.h"
#include "crypto/x509.h"

#define REQUEST_PEM_MAX 4096

static int write_text(mbedtls_x509write_csr *request, const struct pic_key *key, const char *name,
		      unsigned char text[REQUEST_PEM_MAX])
{
	int r = mbedtls_x509write_csr_set_subject_name(request, name);

	if (r != 0)
		return r;
	mbedtls_x509write_csr_set_md_alg(request, MBEDTLS_MD_SHA256);
	mbedtls_x509write_csr_set_key(request, pic_mbedtls_pk(key));
	return mbedtls_x509write_csr_pem(request, text, REQUEST_PEM_MAX, pic_mbedtls_random, NULL);
}

int pic_request_write(const struct pic_key *key, const char *common_name, struct pic_buf *pem,
		      struct pic_error *err)
{
	PIC_BUF struct pic_buf name = PIC_BUF_INIT(512);
	mbedtls_x509write_csr request;
	unsigned char text[REQUEST_PEM_MAX];
	int r = pic_x509_name(common_name, NULL, &name, err);

	if (r < 0)
		return r;
	mbedtls_x509write_csr_init(&request);
	r = write_text(&request, key, pic_buf_text(&name), text);
	mbedtls_x509write_csr_free(&request);
	if (r != 0)
		return pic_mbedtls_error(err, r, "cannot write a certificate request");
	pic_buf_text_add(pem, (const char *)text);
	return pic_buf_check(pem, "a certificate request", err);
}

/* Proof that whoever asks holds the key (the library leaves this to us). */
static int check_signature(mbedtls_x509_csr *request, struct pic_error *err)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(request->MBEDTLS_PRIVATE(sig_md));
	unsigned char digest[MBEDTLS_MD_MAX_SIZE];
	int r = md ? mbedtls_md(md, request->cri.p, request->cri.len, digest) : -1;

	if (r == 0)
		r = mbedtls_pk_verify_ext(request->MBEDTLS_PRIVATE(sig_pk),
					  request->MBEDTLS_PRIVATE(sig_opts), &request->pk,
					  request->MBEDTLS_PRIVATE(sig_md), digest,
					  mbedtls_md_get_size(md), request->MBEDTLS_PRIVATE(sig).p,
					  request->MBEDTLS_PRIVATE(sig).len);
	if (r != 0)
		return pic_error_set(err, -EKEYREJECTED,
				     "the certificate request is not signed by its own key");
	return 0;
}

static int take(mbedtls_x509_csr *request, struct pic_key **key, char name[PIC_OBJECT_NAME_MAX + 1],
		struct pic_error *err)
{
	char common_name[PIC_OBJECT_NAME_MAX + 1];
	struct pic_key *taken;
	int r = check_signature(request, err);

	if (r < 0)
		return r;
	if (pic_x509_attribute(&request->subject, "CN", common_name, sizeof(common_name)) < 0)
		return pic_error_set(err, -EINVAL,
				     "the name in the certificate request is damaged");
	r = pic_mbedtls_public_key(&request->pk, "the certificate request", &taken, err);
	if (r < 0)
		return r;
	memcpy(name, common_name, sizeof(common_name));
	*key = taken;
	return 0;
}

int pic_request_read(const char *pem, struct pic_key **key, char name[PIC_OBJECT_NAME_MAX + 1],
		     struct pic_error *err)
{
	size_t size = pem ? strnlen(pem, PIC_PEM_MAX + 1) : 0;
	mbedtls_x509_csr request;
	int r;

	if (size == 0 || size > PIC_PEM_MAX)
		return pic_error_set(err, -EINVAL,
				     "this is not a certificate request in PEM format");
	mbedtls_x509_csr_init(&request);
	r = mbedtls_x509_csr_parse(&request, (const unsigned char *)pem, size + 1);
	if (r != 0)
		r = pic_mbedtls_error(err, r, "this is not a certificate request in PEM format");
	else
		r = take(&request, key, name, err);
	mbedtls_x509_csr_free(&request);
	return r;
}
