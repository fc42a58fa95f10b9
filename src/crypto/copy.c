#include "crypto/copy.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"

#define STEP 32768

/* One step; how many bytes it was. */
static ssize_t step(int from, int to, uint64_t at, uint64_t left, struct pic_sha256_stream *stream)
{
	char bytes[STEP];
	ssize_t n;
	int r;

	do
		n = pread(from, bytes, left < STEP ? (size_t)left : STEP, (off_t)at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	pic_sha256_add(stream, bytes, (size_t)n);
	r = pic_fd_write_all(to, bytes, (size_t)n);
	return r < 0 ? r : n;
}

int pic_sha256_copy(int from, int to, uint64_t size, struct pic_sha256 *out, struct pic_error *err)
{
	struct pic_sha256_stream *stream = pic_sha256_start();
	struct pic_sha256 digest;
	ssize_t n = stream ? 0 : -ENOMEM;

	if (!stream)
		return pic_error_set(err, -ENOMEM, "no memory for a digest");
	for (uint64_t at = 0; n >= 0 && at < size; at += (uint64_t)n)
		n = step(from, to, at, size - at, stream);
	pic_sha256_end(stream, &digest);
	if (n < 0)
		return pic_error_errno(err, (int)-n, "the copy of %llu bytes failed",
				       (unsigned long long)size);
	*out = digest;
	return 0;
}

int pic_sha256_expect(const struct pic_sha256 *wanted, const struct pic_sha256 *is,
		      const char *what, struct pic_error *err)
{
	char wanted_text[PIC_SHA256_TEXT], is_text[PIC_SHA256_TEXT];

	if (pic_sha256_equal(wanted, is))
		return 0;
	pic_sha256_text(wanted, wanted_text);
	pic_sha256_text(is, is_text);
	return pic_error_set(err, -EBADMSG, "%s should have SHA-256 %s but has %s", what,
			     wanted_text, is_text);
}
