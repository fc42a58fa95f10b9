#include "workload/note.h"

#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

#define VERSION 1

void pic_note_write(int fd, const struct pic_note *note)
{
	struct pic_note copy = *note;

	copy.version = VERSION;
	/* a failure leaves an older note or none: the end is then "unknown", which is true */
	if (pwrite(fd, &copy, sizeof(copy), 0) < 0)
		return;
}

void pic_note_read(int fd, struct pic_note *out)
{
	struct pic_note note = { 0 };

	memset(out, 0, sizeof(*out));
	if (pread(fd, &note, sizeof(note), 0) != (ssize_t)sizeof(note) || note.version != VERSION ||
	    note.end_kind > PIC_END_UNKNOWN)
		return;
	note.end_text[sizeof(note.end_text) - 1] = '\0';
	*out = note;
}

void pic_note_end(struct pic_note *note, enum pic_end_kind kind, int value, const char *text)
{
	size_t size = strlen(text);

	if (size >= sizeof(note->end_text))
		size = pic_utf8_cut(text, sizeof(note->end_text) - 1);
	note->end_kind = kind;
	note->end_value = value;
	memset(note->end_text, 0, sizeof(note->end_text));
	memcpy(note->end_text, text, size);
}
