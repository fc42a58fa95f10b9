#include "agent/fetch/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define SLICE (1024 * 1024)
#define STEP 16384
#define SUFFIX ".part"

void pic_part_close(struct pic_part *part)
{
	struct pic_sha256 unused;

	if (part->stream)
		pic_sha256_end(PIC_STEAL(part->stream), &unused);
	pic_close_fd(&part->fd);
}

int pic_part_open(struct pic_part *out, int folder, const unsigned char digest[PIC_DIGEST_SIZE],
		  struct pic_error *err)
{
	struct pic_part part = { .folder = folder, .fd = -1 };

	pic_hex_encode(digest, PIC_DIGEST_SIZE, part.name);
	memcpy(part.name + 2 * PIC_DIGEST_SIZE, SUFFIX, sizeof(SUFFIX));
	part.stream = pic_sha256_start();
	if (!part.stream)
		return pic_error_set(err, -ENOMEM, "no memory for a download");
	part.fd = openat(folder, part.name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (part.fd < 0) {
		int saved = errno;

		pic_part_close(&part);
		return pic_error_errno(err, saved, "the download cannot be kept on disk");
	}
	*out = part;
	return 0;
}

static void note_head(struct pic_part *part, const void *data, size_t size)
{
	size_t room = part->offset < sizeof(part->head) ? sizeof(part->head) - part->offset : 0;

	if (room > 0)
		memcpy(part->head + part->offset, data, size < room ? size : room);
}

int pic_part_catch_up(struct pic_part *part, struct pic_error *err)
{
	char bytes[STEP];

	for (size_t done = 0; done < SLICE; done += STEP) {
		ssize_t size = pread(part->fd, bytes, sizeof(bytes), (off_t)part->offset);

		if (size < 0)
			return pic_error_errno(err, errno,
					       "what is there of a download cannot be read");
		if (size == 0)
			return 0;
		note_head(part, bytes, (size_t)size);
		pic_sha256_add(part->stream, bytes, (size_t)size);
		part->offset += (uint64_t)size;
	}
	return 1;
}

int pic_part_write(struct pic_part *part, const void *data, size_t size)
{
	const char *bytes = data;

	note_head(part, data, size);
	for (size_t done = 0; done < size;) {
		ssize_t n =
			pwrite(part->fd, bytes + done, size - done, (off_t)(part->offset + done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	pic_sha256_add(part->stream, data, size);
	part->offset += size;
	return 0;
}

int pic_part_restart(struct pic_part *part, struct pic_error *err)
{
	struct pic_sha256 unused;

	if (part->stream)
		pic_sha256_end(part->stream, &unused);
	part->stream = pic_sha256_start();
	part->offset = 0;
	memset(part->head, 0, sizeof(part->head));
	if (!part->stream)
		return pic_error_set(err, -ENOMEM, "no memory for a download");
	if (ftruncate(part->fd, 0) < 0)
		return pic_error_errno(err, errno, "a download cannot be begun anew");
	return 0;
}

void pic_part_digest(struct pic_part *part, struct pic_sha256 *out)
{
	pic_sha256_end(PIC_STEAL(part->stream), out);
}

int pic_part_keep(struct pic_part *part, struct pic_error *err)
{
	char name[2 * PIC_DIGEST_SIZE + 1];

	memcpy(name, part->name, 2 * PIC_DIGEST_SIZE);
	name[2 * PIC_DIGEST_SIZE] = '\0';
	if (renameat(part->folder, part->name, part->folder, name) < 0)
		return pic_error_errno(err, errno, "a whole download cannot be renamed");
	return 0;
}

void pic_part_discard(struct pic_part *part)
{
	unlinkat(part->folder, part->name, 0);
}

bool pic_part_is_page(const struct pic_part *part)
{
	return strncasecmp(part->head, "<!doctype", 9) == 0 ||
	       strncasecmp(part->head, "<html", 5) == 0;
}
