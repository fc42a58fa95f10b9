#include "base/journal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* systemd names device and inode of the stream it gave us; stderr may have been redirected since. */
bool pic_journal_has_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat facts;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
}

/* Names hold capitals, digits and underscores only. */
static void add_name(struct pic_buf *entry, const char *text)
{
	for (; *text; text++) {
		if (*text >= 'a' && *text <= 'z')
			pic_buf_char(entry, (char)(*text - 'a' + 'A'));
		else if ((*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9'))
			pic_buf_char(entry, *text);
		else
			pic_buf_char(entry, '_');
	}
}

void pic_journal_field(struct pic_buf *entry, const char *prefix, const char *key,
		       const char *value, size_t size)
{
	add_name(entry, prefix);
	add_name(entry, key);
	if (memchr(value, '\n', size)) {
		pic_buf_char(entry, '\n');
		for (unsigned shift = 0; shift < 64; shift += 8)
			pic_buf_char(entry, (char)((uint64_t)size >> shift & 0xff));
	} else {
		pic_buf_char(entry, '=');
	}
	pic_buf_add(entry, value, size);
	pic_buf_char(entry, '\n');
}

bool pic_journal_send(int fd, const char *socket_path, const struct pic_buf *entry)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0 || entry->failed || strlen(socket_path) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, socket_path);
	return sendto(fd, entry->data, entry->size, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)&address, sizeof(address)) == (ssize_t)entry->size;
}
