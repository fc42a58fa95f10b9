#include "workload/spec_digest.h"

#include <errno.h>
#include <string.h>

int pic_spec_digest(const char type[PIC_TYPE_MAX + 1],
		    const unsigned char artifact[PIC_DIGEST_SIZE], const void *spec,
		    size_t spec_size, struct pic_sha256 *out)
{
	struct pic_sha256_stream *stream = pic_sha256_start();
	char padded[PIC_TYPE_MAX + 1] = "";

	if (!stream)
		return -ENOMEM;
	memcpy(padded, type, strnlen(type, PIC_TYPE_MAX));
	pic_sha256_add(stream, padded, sizeof(padded));
	pic_sha256_add(stream, artifact, PIC_DIGEST_SIZE);
	pic_sha256_add(stream, spec, spec_size);
	pic_sha256_end(stream, out);
	return 0;
}
