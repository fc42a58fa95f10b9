/*
 * GET and HEAD of an artifact. The bytes behind a digest never change, so the digest is the ETag.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/artifacts/artifacts.h"
#include "hub/artifacts/range.h"
#include "hub/route.h"

#define CONTENT_TYPE "application/octet-stream"

/* Whether a header names this ETag: a list, or "*". */
static bool names_etag(const char *header, const char *etag)
{
	return header && (strcmp(header, "*") == 0 || strstr(header, etag));
}

static void send(struct pic_exchange *exchange, int fd, uint64_t size, const char *etag)
{
	const char *if_range = pic_exchange_header(exchange, "If-Range");
	const char *range = pic_exchange_header(exchange, "Range");
	uint64_t first = 0, count = size;
	char text[96];

	if (if_range && strcmp(if_range, etag) != 0)
		range = NULL;
	switch (pic_range_parse(range, size, &first, &count)) {
	case PIC_RANGE_ALL:
		pic_reply_fd(exchange, 200, CONTENT_TYPE, fd, 0, size);
		return;
	case PIC_RANGE_PART:
		snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)first,
			 (unsigned long long)(first + count - 1), (unsigned long long)size);
		pic_reply_header(exchange, "Content-Range", text);
		pic_reply_fd(exchange, 206, CONTENT_TYPE, fd, first, count);
		return;
	case PIC_RANGE_NONE:
		close(fd);
		snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)size);
		pic_reply_header(exchange, "Content-Range", text);
		pic_plain_refuse(exchange, 416, "the artifact has no such bytes");
		return;
	}
}

void pic_artifacts_serve(struct pic_artifacts *artifacts, struct pic_exchange *exchange,
			 const char *digest_text)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;
	char hex[PIC_SHA256_TEXT], etag[PIC_SHA256_TEXT + 2];
	uint64_t size = 0;

	if (strlen(digest_text) != 2 * PIC_SHA256_SIZE ||
	    pic_sha256_parse(digest_text, &digest) < 0) {
		pic_plain_refuse(exchange, 404,
				 "an artifact is named by its SHA-256, 64 hexadecimal digits");
		return;
	}
	int fd = pic_artifacts_fd(artifacts, &digest, &size, &err);
	if (fd < 0) {
		pic_plain_refuse(exchange, fd == -ENOENT ? 404 : 500, err.text);
		return;
	}
	pic_sha256_text(&digest, hex);
	snprintf(etag, sizeof(etag), "\"%s\"", hex);
	pic_reply_header(exchange, "ETag", etag);
	pic_reply_header(exchange, "Accept-Ranges", "bytes");
	pic_reply_header(exchange, "Cache-Control", "private, max-age=31536000, immutable");
	if (names_etag(pic_exchange_header(exchange, "If-None-Match"), etag)) {
		close(fd);
		pic_reply(exchange, 304, NULL, NULL, 0);
		return;
	}
	send(exchange, fd, size, etag);
}
